package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// importReport imports a zone and returns the report and the error of the command.
func importReport(t *testing.T, export string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.txt")
	if err := os.WriteFile(path, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	root := newRoot()
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	root.SetArgs(append([]string{"import", "zone", path, "--zone", "example.com"}, args...))
	err := root.Execute()
	return stderr.String(), err
}

// The report of a large zone fits a screen, and shows the one loss first.
func TestReport_EndsInAScreen(t *testing.T) {
	var b strings.Builder
	b.WriteString("example.com\t3600\tIN\tSOA\tada.ns.cloudflare.com. dns.cloudflare.com. 1 10000 2400 604800 3600\n")
	for i := range 50_000 {
		fmt.Fprintf(&b, "a%d.example.com.\t1\tIN\tA\t198.51.100.1 ; cf_tags=cf-proxied:true\n", i)
		switch i % 5 {
		case 0:
			fmt.Fprintf(&b, "c%d.example.com.\t1\tIN\tCNAME\tsite.pages.dev. ; cf_tags=cf-proxied:true\n", i)
		case 1:
			fmt.Fprintf(&b, "a%d.example.com.\t1\tIN\tMX\t10 a%d.example.com.\n", i, i)
		case 2:
			fmt.Fprintf(&b, "c%d.example.com\t1\tIN\tCNAME\ta%d.example.com ; cf-proxied:false\n", i, i)
		case 3:
			fmt.Fprintf(&b, "c%d.example.com.\t1\tIN\tCNAME\tout.invalid. ; cf_tags=cf-proxied:false,cf-flatten-cname\n", i)
		case 4:
			fmt.Fprintf(&b, "c%d.example.com.\t1\tIN\tAAAA\t100:: ; cf_tags=cf-proxied:true\n", i)
		}
	}
	b.WriteString("one.example.com.\t1\tIN\tCNAME\tout.invalid.\none.example.com.\t1\tIN\tTXT\t\"beside\"\n")
	export := b.String()

	report, err := importReport(t, export)
	if s := status(0); !errors.As(err, &s) || s != exitRefused {
		t.Errorf("want the status of a loss, got %v", err)
	}
	lines := strings.Split(report, "\n")
	if len(lines) > 50 {
		t.Errorf("want a screen, got %d lines:\n%s", len(lines), report)
	}
	for i, want := range []string{
		"example.com: 100002 records, 70000 proxied names; 10001 lost, 30003 to review, 130003 changed",
		"",
		"lost:",
		"  10000 aliases are not flattened any more: the addresses to which they lead are not in the zone: c3.example.com (line 9), c8.example.com (line 19), c13.example.com (line 29), …",
		"    remedy: write the addresses in its place, unless an alias is as good",
		"  line 100002: one.example.com: CNAME to out.invalid. stands beside TXT, and the addresses there are not in the zone",
		"    remedy: write the addresses in its place, or mark the name as proxied",
		"",
		"to review:",
	} {
		if i >= len(lines) || lines[i] != want {
			t.Errorf("line %d: want %q, got\n%s", i+1, want, report)
			break
		}
	}
	if want := "\n  100002 TTLs of 1 (automatic) became 300\n"; !strings.Contains(report, want) {
		t.Errorf("want %q in\n%s", want, report)
	}
}

// With -v and as JSON, a report has every change.
func TestReport_HasEverything(t *testing.T) {
	export := "example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\n"
	for i := range 100 {
		export += fmt.Sprintf("a%d.example.com. 1 IN A 198.51.100.1 ; cf_tags=cf-proxied:true\nb%[1]d.invalid. 1 IN A 198.51.100.1\n", i)
	}
	all, _ := importReport(t, export, "-v")
	if lost, changed := strings.Count(all, "\nlost     line "), strings.Count(all, "\nchanged  line "); lost != 100 || changed != 101 {
		t.Errorf("want 100 losses and 101 changes, got %d and %d in\n%s", lost, changed, all)
	}
	object, _ := importReport(t, export, "--format", "json")
	var out struct {
		Zone                  string
		Records, Lost, Review int
		Changes               []cloudflare.Change
	}
	if err := json.Unmarshal([]byte(object), &out); err != nil || out.Zone != "example.com" || out.Records != 101 || out.Lost != 100 || len(out.Changes) != 201+out.Review {
		t.Errorf("want all changes, got %+v, %v", out, err)
	}
}

// Changes without a group are cut off, and the report says how many are not shown.
func TestReport_ManyOfAKind(t *testing.T) {
	var b strings.Builder
	var changes []cloudflare.Change
	for i := range 40 {
		changes = append(changes, cloudflare.Change{Kind: cloudflare.Lost, Name: "list.json", Text: fmt.Sprintf("object %d", i)})
	}
	writeKind(&b, "lost", changes)
	if got := b.String(); strings.Count(got, "\n") != 1+1+maxShown+1 || !strings.HasSuffix(got, "  and 24 more: give -v for all of them\n") {
		t.Errorf("got\n%s", got)
	}
}

// A text of several lines is no line of the report of its own.
func TestReport_OneLineEach(t *testing.T) {
	c := cloudflare.Change{Kind: cloudflare.Lost, Name: "a\nlost", Text: "b\n  forged"}
	for _, changes := range [][]cloudflare.Change{{c}, {c, c, c, c}} {
		var b strings.Builder
		writeKind(&b, "lost", changes)
		if got := b.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, `b\n  forged`) || !strings.Contains(got, `a\nlost`) {
			t.Errorf("want one line, got\n%s", got)
		}
	}
}

// What others wrote into a zone does not steer the terminal of whoever reads the report.
func TestReport_Printable(t *testing.T) {
	export := "example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\n" +
		"w\x1b[2J\u202ew.invalid. 1 IN A 198.51.100.1\nw\x1b[2J\u202ew.example.com. 1 IN A 198.51.100.1 ; cf-proxied \x1b[2J\n"
	for _, args := range [][]string{{}, {"-v"}, {"--format", "json"}} {
		report, _ := importReport(t, export, args...)
		for _, r := range report {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				t.Errorf("%v: want no %U in\n%q", args, r, report)
				break
			}
		}
	}
}
