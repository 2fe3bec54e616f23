package test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The unit leaves the service no more rights than it needs: systemd's own measure of that,
// which goes from 0 to 10, is 1.5 at most.
func TestUnit_Exposure(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("*** SKIPPED: systemd-analyze is not installed, install the package systemd")
	}
	cmd := exec.Command(analyze, "security", "--offline=true", "--threshold=15", "--no-pager", "packaging/coredns-addressmap.service")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A release made twice, in two folders, has the same octets in all of its files, and its
// packages are as Debian and RPM want them. It takes longer than all other tests here.
func TestRelease(t *testing.T) {
	if os.Getenv("ADDRESSMAP_PACKAGES") != "1" {
		t.Skip("*** SKIPPED: a release is made twice with ADDRESSMAP_PACKAGES=1, it takes a minute")
	}
	for _, program := range []string{"git", "lintian", "rpm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("*** SKIPPED: %v: install the package of that name", err)
		}
	}
	if _, err := os.Stat(filepath.Join(repository, ".git")); err != nil {
		t.Skip("*** SKIPPED: a release has its version from git: run this in a clone")
	}
	first := release(t, "first")
	packages := func(kind string) []string {
		paths, err := filepath.Glob(filepath.Join(first, "*."+kind))
		if err != nil || len(paths) != 2 {
			t.Fatalf("want a package of the server and one of the command, got %q, %v", paths, err)
		}
		return paths
	}
	debs, rpms := packages("deb"), packages("rpm")
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		if one, other := octets(t, first), octets(t, release(t, "a/second")); one != other {
			t.Errorf("a second release in another folder has other octets:\n%s\n%s", one, other)
		}
	})
	t.Run("conffiles", func(t *testing.T) {
		t.Parallel() // An example that dpkg asks about, or puts over the administrator's files, would be worse than none.
		for _, path := range debs {
			want := ""
			if strings.HasPrefix(filepath.Base(path), "coredns-") {
				want = "/etc/addressmap/Corefile\n"
			}
			dir := t.TempDir()
			if out, err := exec.Command("dpkg-deb", "--control", path, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "conffiles")); string(got) != want || err != nil && want != "" {
				t.Errorf("want the conffiles %q of %s, got %q, %v", want, path, got, err)
			}
		}
	})
	t.Run("archive", func(t *testing.T) {
		t.Parallel()
		paths, err := filepath.Glob(filepath.Join(first, "*.tar.gz"))
		if err != nil || len(paths) != 1 {
			t.Fatalf("want one archive, got %q, %v", paths, err)
		}
		out, err := exec.Command("tar", "-tzf", paths[0]).CombinedOutput()
		for _, want := range []string{"packaging/coredns-addressmap.service", "examples/quickstart/Corefile", "docs/rules.md"} {
			if err != nil || !strings.Contains(string(out), "/"+want+"\n") {
				t.Errorf("docs/install.md and messages name %s, got %v and the files\n%s", want, err, out)
			}
		}
	})
	t.Run("lintian", func(t *testing.T) {
		t.Parallel() // Remarks below warnings are not asked for: it finds misspelt words in the binaries' tables.
		out, err := exec.Command("lintian", append([]string{"--allow-root", "--fail-on", "error,warning"}, debs...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("rpm", func(t *testing.T) {
		t.Parallel()
		for _, path := range rpms {
			out, err := exec.Command("rpm", "--query", "--package", "--list", "--scripts", path).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			server := strings.HasPrefix(filepath.Base(path), "coredns-")
			for _, part := range []string{"/usr/lib/systemd/system/coredns-addressmap.service", "/var/lib/addressmap", "postinstall scriptlet"} {
				if strings.Contains(string(out), part) != server {
					t.Errorf("%s is to be in the server's package alone, got of %s:\n%s", part, path, out)
				}
			}
		}
	})
}

// A release that is signed stays: the signature is made where this machine has no key.
func TestRelease_LeavesSigned(t *testing.T) {
	dir := t.TempDir()
	script, err := os.ReadFile(filepath.Join(repository, "tools/release"))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{"tools/release": script, "dist/SHA256SUMS": nil, "dist/SHA256SUMS.sig": nil} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "tools/release", "--dry-run", "linux/amd64")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "dist has a signed release: move it elsewhere first") {
		t.Errorf("want a refusal, got %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "dist/SHA256SUMS.sig")); err != nil {
		t.Error(err)
	}
}

// release makes one for Linux on amd64, of a copy of the repository in a folder of that
// name, and returns where it is.
func release(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(repository)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tools/release", "--dry-run", "linux/amd64")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return filepath.Join(dir, "dist")
}

// octets returns a line for each file of a folder: its checksum and its name.
func octets(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("want files of a release, got %d, %v", len(entries), err)
	}
	var lines bytes.Buffer
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%x %s\n", sha256.Sum256(data), e.Name())
	}
	return lines.String()
}
