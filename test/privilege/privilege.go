// Package privilege lets tests be refused what permissions forbid, also where root runs
// them.
package privilege

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// variable marks the process that has given up its privileges.
const variable = "ADDRESSMAP_UNPRIVILEGED"

// nobody is a user that owns nothing.
const nobody = 65534

// GiveUp runs the test in a process of its own, of another user, if this one may read
// everything. It passes on the flags that were set of which the names begin so. ran
// reports whether it has, and all that this process may still read everything: another
// user cannot get to the directory of temporary files.
func GiveUp(t *testing.T, flags ...string) (ran, all bool) {
	t.Helper()
	if os.Getenv(variable) != "" {
		if err := become(nobody); err != nil {
			t.Fatal(err)
		}
		return false, false
	}
	if os.Geteuid() != 0 {
		return false, false
	}
	dir, err := os.MkdirTemp("", "privilege")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Dir(dir)); err != nil || info.Mode()&1 == 0 {
		return false, true
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v"}
	flag.Visit(func(f *flag.Flag) {
		for _, prefix := range flags {
			if strings.HasPrefix(f.Name, prefix) {
				args = append(args, "-"+f.Name+"="+f.Value.String())
			}
		}
	})
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), variable+"=1", "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("as another user:\n%s", out)
	if err != nil {
		t.Error(err)
	}
	return true, false
}
