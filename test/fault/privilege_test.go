package fault

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unprivilegedVar marks the process that has given up its privileges.
const unprivilegedVar = "ADDRESSMAP_FAULTS_UNPRIVILEGED"

// nobody is a user that owns nothing.
const nobody = 65534

// unprivileged runs the test in a process of its own if this one may read
// everything, for that one to be refused where the permission is taken away. It
// reports whether it has.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Getenv(unprivilegedVar) != "" {
		if err := becomeUser(nobody); err != nil {
			t.Fatal(err)
		}
		return false
	}
	if os.Geteuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Dir(dir)); err != nil || info.Mode()&1 == 0 {
		t.Log("permissions are not taken away: this process has all, and another user cannot get to its directories")
		return false
	}
	args := append([]string{"-test.run=^" + t.Name() + "$", "-test.v"}, flagsOf("faults.", "test.timeout")...)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), unprivilegedVar+"=1", "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("as another user:\n%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}

// flagsOf returns the flags of this process of which the names begin so.
func flagsOf(prefixes ...string) (out []string) {
	flag.Visit(func(f *flag.Flag) {
		for _, p := range prefixes {
			if strings.HasPrefix(f.Name, p) {
				out = append(out, "-"+f.Name+"="+f.Value.String())
			}
		}
	})
	return out
}
