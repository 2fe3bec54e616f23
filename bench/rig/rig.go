// Package rig is what the yardsticks share: made-up zones and maps of any size,
// servers pinned to a core, questions to them, and tables of what came out.
package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository is the module of the plugin, which bench/go.mod replaces by the checkout
// around it.
const repository = "github.com/addressmap/addressmap"

// checkout returns the folder of the checkout that the working directory lies in.
func checkout() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", repository).Output()
	if err != nil {
		return "", fmt.Errorf("looking for the checkout of %s (run this in its folder bench): %w", repository, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Binary returns the absolute path of a CoreDNS with addressmap: the one given, or if
// that is empty one built from the checkout into dir. CoreDNS is built in the checkout's
// own module: that of the benchmarks requires nothing of CoreDNS.
func Binary(given, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	top, err := checkout()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "coredns")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/coredns")
	cmd.Dir = top
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building CoreDNS in %s: %w\n%s", top, err, out)
	}
	return binary, nil
}

// WriteFile writes a file of dir, making the folders it stands in.
func WriteFile(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// Require says which of the programs are missing, and which packages bring them.
func Require(programs map[string]string) error {
	var missing []error
	for program, pkg := range programs {
		if _, err := LookPath(program); err != nil {
			missing = append(missing, fmt.Errorf("%s is missing: apt-get install %s", program, pkg))
		}
	}
	return errors.Join(missing...)
}

// LookPath returns the path of a program. Debian keeps servers in /usr/sbin, which
// is not on everybody's PATH.
func LookPath(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}
