package main

import (
	"os"
	"strings"
	"testing"
)

func TestPagesAreCurrent(t *testing.T) {
	t.Chdir("../..")
	if err := run(true, commands); err != nil {
		t.Error(err)
	}
}

// The check above must be able to fail.
func TestPagesAreCurrent_Stale(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("docs", 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	help := "of check"
	commands := func() (map[string][]byte, error) {
		return map[string][]byte{"addressmap-check.1": []byte(help)}, nil
	}
	wants := func(want string) {
		t.Helper()
		if err := run(true, commands); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	write(readme, "# x\n\n## Name\n\n*x* - does x.\n")
	write(reference, "# Map document\n\nThe map.\n")
	wants("go run ./tools/man")
	if err := run(false, commands); err != nil {
		t.Fatal(err)
	}
	wants("")
	write(readme, "# x\n\n## Name\n\n*x* - does y.\n")
	wants("coredns-addressmap.7 is not what its source gives")
	write(readme, "# x\n\n## Name\n\n*x* - does x.\n")
	write(reference, "# Map document\n\nAnother map.\n")
	wants("addressmap-map.5 is not what its source gives")
	write(reference, "# Map document\n\nThe map.\n")
	help = "of check, newer"
	wants("addressmap-check.1 is not what its source gives")
	help = "of check"
	write("man/addressmap-gone.1", "")
	wants("addressmap-gone.1 has no source")
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

func TestRenderReference(t *testing.T) {
	page, err := renderReference([]byte("# Map document\n\nIt is YAML.\n\n## Limits\n\nMany.\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`.TH "ADDRESSMAP-MAP" "5"`, ".SH NAME", ".SH DESCRIPTION", "It is YAML.", ".SH LIMITS"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("want %q in the page, got\n%s", want, page)
		}
	}
	if _, err := renderReference([]byte("It is YAML.\n")); err == nil {
		t.Error("want an error for a page without a heading")
	}
}

// A page that is installed has no repository around it: links to its files are whole, others stay.
func TestRender_Links(t *testing.T) {
	page, err := render([]byte("# x\n\n## Name\n\n[Fleets](docs/fleet.md#users), [here](#x) and [there](https://example.org/a.md).\n"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := renderReference([]byte("# Map document\n\n[Names](names.md).\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{site + "docs/fleet.md#users", "[la]#x", "[la]https://example.org/a.md", site + "docs/names.md"} {
		if got := string(page) + string(other); !strings.Contains(got, want) {
			t.Errorf("want %q in the pages, got\n%s", want, got)
		}
	}
}

// A first cell that is wider than a line is a block of text, which groff breaks.
func TestRender_LongCell(t *testing.T) {
	long := strings.Repeat("*word* ", 12)
	page, err := render([]byte("# x\n\n## Name\n\n| a | b |\n| --- | --- |\n| " + long + "| on |\n| short | off |\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nT{\n\\fIword\\fP ", "\nT}\ton\n", "\nshort\toff\n"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("want %q in the page, got\n%s", want, page)
		}
	}
}
