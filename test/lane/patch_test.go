package lane

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The hook that is to be proposed to CoreDNS applies to the version in go.mod, and builds.
func TestContrib_PatchApplies(t *testing.T) {
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const coredns = "github.com/coredns/coredns"
	dir := t.TempDir()
	tree := filepath.Join(dir, "coredns")
	if err := os.CopyFS(tree, os.DirFS(strings.TrimSpace(run(t, top, "go", "list", "-m", "-f", "{{.Dir}}", coredns)))); err != nil {
		t.Fatal(err)
	}
	run(t, tree, "git", "apply", filepath.Join(top, "contrib", "packetconn.patch"))
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mod := filepath.Join(dir, "go.mod")
	run(t, top, "go", "mod", "edit", "-replace", coredns+"="+tree, mod)
	run(t, top, "go", "build", "-modfile", mod, coredns+"/core/dnsserver")
}

// run runs a command in a folder, and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
