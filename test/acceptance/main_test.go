package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	// repository is the top of the repository, seen from this folder.
	repository = "../.."
	// patience is how long anything that should happen soon may take on a busy
	// machine. It is a deadline for giving up, not a promise that is tested.
	patience = time.Minute
)

// needs skips the test unless the acceptance runs are asked for, and then
// fails it if a program is missing. The programs are given with the Debian
// package that has them.
func needs(t *testing.T, packages map[string]string) {
	t.Helper()
	if testing.Short() || os.Getenv("ADDRESSMAP_ACCEPTANCE") != "1" {
		t.Skip("SKIPPED: an acceptance run; `.ci/run` installs what it needs and runs it, or set ADDRESSMAP_ACCEPTANCE=1")
	}
	for program, debian := range packages {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed: `apt-get install %s`, or use `.ci/run`, which does", program, debian)
		}
	}
}

var (
	dnsutils = map[string]string{"dig": "bind9-dnsutils"}

	// coredns builds cmd/coredns, once for all tests.
	coredns = sync.OnceValues(func() (string, error) {
		output := filepath.Join(binaries, "coredns")
		return output, command("go", "build", "-o", output, "./cmd/coredns")
	})
	// configured builds CoreDNS by plugin.cfg, once for all tests.
	configured = sync.OnceValues(func() (string, error) {
		output := filepath.Join(binaries, "coredns-plugincfg")
		return output, command("tools/plugincfg/build.sh", output)
	})
	binaries string // the folder they go to
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "addressmap-acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries = dir
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where Debian has daemons
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// command runs a command at the top of the repository; its output is part of
// the error.
func command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
}
