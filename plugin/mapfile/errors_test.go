package mapfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/nearest"
	"github.com/addressmap/addressmap/plugin/printable"
)

// TestAllErrorsAreSortedAndCapped: of a file of the wrong kind the first ten
// complaints are printed and the rest counted.
func TestAllErrorsAreSortedAndCapped(t *testing.T) {
	for _, n := range []int{1, printable.MaxOfKind, printable.MaxOfKind + 1, maxErrors, maxErrors + 1, 5 * maxErrors} {
		checkCap(t, n, strings.Repeat("wrong: 1\n", n))
		checkCap(t, n, "anycast: ["+strings.Repeat("bad,\n", n)+"]")
	}
}

// checkCap parses data, in which each of the first n lines has a mistake.
func checkCap(t *testing.T, n int, data string) {
	t.Helper()
	_, errs := Parse("m", []byte(data))
	if len(errs) != min(n, maxErrors) {
		t.Errorf("%d mistakes: %d errors", n, len(errs))
	}
	for i, e := range errs {
		if int(e.Pos.Line) != i+1 {
			t.Fatalf("%d mistakes: error %d stands in line %d", n, i, e.Pos.Line)
		}
	}
	text := errs.Error()
	listed := min(n, printable.MaxOfKind)
	if n > maxErrors {
		listed++ // The last one says that there are more, which makes it one of another kind.
	}
	if got := strings.Count(text, "remedy:"); got != listed {
		t.Errorf("%d mistakes: %d are printed", n, got)
	}
	text, ok := strings.CutSuffix(text, "\nsee docs/rules.md#"+strings.ToLower(errs[0].Rule))
	if !ok {
		t.Errorf("%d mistakes: the end is %q, want the place of the one rule", n, text[len(text)-40:])
	}
	if more := len(errs) - listed; more > 0 != strings.HasSuffix(text, fmt.Sprintf("\nand %d more of %s", more, errs[0].Kind())) {
		t.Errorf("%d mistakes: the end is %q", n, text[len(text)-40:])
	}
	if rest := fmt.Sprintf("(and %d more errors that are not listed)", n-maxErrors); n > maxErrors != strings.HasSuffix(errs[len(errs)-1].Text, rest) {
		t.Errorf("%d mistakes: the last is %q", n, errs[len(errs)-1].Text)
	}
}

// TestErrorsHideNothing: neither a file's name nor a line that is quoted controls a
// terminal, and the caret stands under its place.
func TestErrorsHideNothing(t *testing.T) {
	_, errs := Parse("a\x1b[2Jb\n.yaml", []byte("anycast: [\"\u202e\u202e\", 1x]\n"))
	text := errs.Error()
	for _, want := range []string{`a\x1b[2Jb\n.yaml:1:11: V2: "\u202e\u202e" is no IP`, "\n" + `    anycast: ["\u202e\u202e", 1x]` + "\n" + strings.Repeat(" ", 30) + "^\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("got %q", text)
	}
}

func TestErrSortsByFileAndPlace(t *testing.T) {
	var errs Errors
	if err := errs.Err(); err != nil {
		t.Errorf("no errors are an error: %v", err)
	}
	for _, at := range []string{"b:1:1", "a:2:1", "a:1:9", "a:1:2"} {
		e := &Error{Text: at}
		fmt.Sscanf(at[2:], "%d:%d", &e.Pos.Line, &e.Pos.Col)
		e.File = at[:1]
		errs = append(errs, e)
	}
	var got []string
	for line := range strings.Lines(errs.Err().Error()) {
		got = append(got, line[:5])
	}
	if want := "a:1:2 a:1:9 a:2:1 b:1:1"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestSeeRules: a message names each of its rules once, in the order in which they
// appear, and a warning has none.
func TestSeeRules(t *testing.T) {
	for _, c := range []struct {
		rules []string
		want  string
	}{
		{nil, ""},
		{[]string{"", ""}, ""},
		{[]string{"V8"}, "see docs/rules.md#v8"},
		{[]string{"V1", "", "V14", "V1", "V3", "V14"}, "see docs/rules.md#v1, #v14, #v3"},
	} {
		if got := SeeRules(c.rules); got != c.want {
			t.Errorf("%q: got %q, want %q", c.rules, got, c.want)
		}
	}
}

// TestQuotedValuesAreShort: a value of any length fits into an error.
func TestQuotedValuesAreShort(t *testing.T) {
	for _, letter := range []string{"x", "é", "名", "\x1b", `"`} {
		for n := range 400 {
			s := strings.Repeat(letter, n)
			got := quoted(s)
			if n <= 80 && got != fmt.Sprintf("%q", s) {
				t.Fatalf("%d of %q: %s", n, letter, got)
			}
			if n > 80 && got != fmt.Sprintf("%q…", strings.Repeat(letter, 60)) {
				t.Fatalf("%d of %q: %s", n, letter, got)
			}
		}
	}
}

func TestNearestKey(t *testing.T) {
	for _, c := range []struct {
		set       keySet
		got, want string
	}{
		{documentKeys, "anycasts", "anycast"},
		{documentKeys, "acounts", "accounts"},
		{documentKeys, "account", "accounts"},
		{documentKeys, "Version", "version"},
		{documentKeys, "zones", ""},
		{documentKeys, "", ""},
		{documentKeys, strings.Repeat("anycast", 1000), ""},
		{accountKeys, "byoip-only", "byoip_only"},
		{accountKeys, "byoipOnly", "byoip_only"},
		{accountKeys, "maps", ""},
		{accountKeys, "staticips", "static_ips"},
		{accountKeys, "delegated", "delegated_prefixes"},
		{accountKeys, "spectrum", "spectrum_apps"},
		{zoneKeys, "proxy", ""},
		{zoneKeys, "zonefile", "zone_file"},
		{zoneKeys, "nmae", "name"},
		{addressMapKeys, "membership", "memberships"},
		{addressMapKeys, "ip", "ips"},
		{addressMapKeys, "can_modify", "can_modify_ips"},
		{addressMapKeys, "enable", "enabled"},
		{memberKeys, "idenitfier", "identifier"},
		{markKeys, "v4_only", "ipv4_only"},
		{markKeys, "名前", ""},
	} {
		if got := nearest.Word(c.got, c.set.keys); got != c.want {
			t.Errorf("%q in %s: suggests %q, want %q", c.got, c.set.subject, got, c.want)
		}
	}
}
