package main

import (
	"os"
	"strings"
	"testing"
)

func TestPageIsCurrent(t *testing.T) {
	t.Chdir("../..")
	if err := run(true); err != nil {
		t.Error(err)
	}
}

// The check above must be able to fail.
func TestPageIsCurrent_Stale(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(readme, []byte("# x\n\n## Name\n\n*x* - does x.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err == nil || !strings.Contains(err.Error(), "go run ./tools/man") {
		t.Errorf("want the missing page reported with its remedy, got %v", err)
	}
	if err := os.Mkdir("man", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := run(false); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err != nil {
		t.Errorf("want the page just written to be current, got %v", err)
	}
	if err := os.WriteFile(readme, []byte("# x\n\n## Name\n\n*x* - does y.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err == nil || !strings.Contains(err.Error(), "is not what README.md gives") {
		t.Errorf("want the stale page reported, got %v", err)
	}
}

func TestRender(t *testing.T) {
	source := "# x\n\nRead me first.\n\n## Name\n\n*x* - does x.\n\n## Syntax\n\n```\n## not a heading\n```\n"
	page, err := render([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`.TH "COREDNS-ADDRESSMAP" "7" "" "addressmap" "CoreDNS Plugins"`,
		".SH NAME", `\fIx\fP \- does x.`, ".SH SYNTAX", "## not a heading",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("want %q in the page, got\n%s", want, page)
		}
	}
	if strings.Contains(string(page), "Read me first") {
		t.Errorf("want nothing from before the manual, got\n%s", page)
	}
	if _, err := render([]byte("# x\n")); err == nil {
		t.Error("want an error for a README without the section Name")
	}
}
