package fqdn_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// label returns a label of n octets.
func label(n int) string { return strings.Repeat("a", n) }

// name255 has 255 octets on the wire: three labels of 63, one of 61, the root.
var name255 = label(63) + "." + label(63) + "." + label(63) + "." + label(61) + "."

// parseTable is also the seed of the fuzz target.
var parseTable = []struct {
	test string
	in   string
	want fqdn.Name
	err  error
}{
	// Spelling.
	{"absolute", "www.example.org.", "www.example.org.", nil},
	{"last dot missing", "www.example.org", "www.example.org.", nil},
	{"upper case", "WWW.Example.ORG", "www.example.org.", nil},
	{"root", ".", ".", nil},
	{"underscore", "_dmarc._Tcp.example.org", "_dmarc._tcp.example.org.", nil},
	{"wildcard", "*.example.org", "*.example.org.", nil},
	{"asterisk by its number", `\042.example.org`, "*.example.org.", nil},
	{"other printable octets", "a/b:c!#$%&+,<=>?[]^`{|}~.", "a/b:c!#$%&+,<=>?[]^`{|}~.", nil},

	// Escapes.
	{"dot inside a label", `a\.b.example.org`, `a\.b.example.org.`, nil},
	{"dot by its number", `a\046b.example.org`, `a\.b.example.org.`, nil},
	{"backslash", `a\\b.`, `a\\b.`, nil},
	{"backslash by its number", `a\092b.`, `a\\b.`, nil},
	{"backslash before a separator", `a\\.b.`, `a\\.b.`, nil},
	{"escaped last dot", `a\.`, `a\..`, nil},
	{"letter by its number", `\065\066c.`, "abc.", nil},
	{"needless escape", `\w\W\w.`, "www.", nil},
	{"unprintable octets", `\000\031\127\255.`, `\000\031\127\255.`, nil},
	{"specials without escape", `a b'c@d;e(f)g"h.`, `a\ b\'c\@d\;e\(f\)g\"h.`, nil},
	{"tab", "a\tb.", `a\009b.`, nil},
	{"blank at the end", "www ", "", fqdn.ErrBlank},
	{"blank at the start", " www.", "", fqdn.ErrBlank},
	{"tab at the end", "www\t", "", fqdn.ErrBlank},
	{"escaped blank at the end", `www\ `, `www\ .`, nil},
	{"escape at the end", `www\`, "", fqdn.ErrEscape},
	{"escape of one digit", `www\1`, "", fqdn.ErrEscape},
	{"escape of two digits", `www\12.org`, "", fqdn.ErrEscape},
	{"escape beyond an octet", `www\256.org`, "", fqdn.ErrEscape},

	// Limits, RFC 1035 section 2.3.4.
	{"empty", "", "", fqdn.ErrEmpty},
	{"two dots", "..", "", fqdn.ErrLabelEmpty},
	{"label empty at the start", ".example.org", "", fqdn.ErrLabelEmpty},
	{"label empty inside", "www..example.org", "", fqdn.ErrLabelEmpty},
	{"label empty at the end", "www.example.org..", "", fqdn.ErrLabelEmpty},
	{"label of 63", label(63) + ".org.", fqdn.Name(label(63) + ".org."), nil},
	{"label of 64", label(64) + ".org.", "", fqdn.ErrLabelLong},
	{"label of 63 escapes", strings.Repeat(`\000`, 63) + ".", fqdn.Name(strings.Repeat(`\000`, 63) + "."), nil},
	{"label of 64 escapes", strings.Repeat(`\.`, 64) + ".", "", fqdn.ErrLabelLong},
	{"name of 255", name255, fqdn.Name(name255), nil},
	{"name of 255 without its dot", name255[:len(name255)-1], fqdn.Name(name255), nil},
	{"name of 256", "a" + name255[1:len(name255)-62] + label(62), "", fqdn.ErrNameLong},
	{"name of 257", "a." + name255, "", fqdn.ErrNameLong},

	// Unicode, RFC 5891.
	{"Unicode", "bücher.example.org", "xn--bcher-kva.example.org.", nil},
	{"Unicode in upper case", "BÜCHER.Example.org", "xn--bcher-kva.example.org.", nil},
	{"Unicode below an underscore", "_dmarc.bücher.org", "_dmarc.xn--bcher-kva.org.", nil},
	{"Unicode below an asterisk", "*.bücher.org", "*.xn--bcher-kva.org.", nil},
	{"A-label", "XN--Bcher-kva.org", "xn--bcher-kva.org.", nil},
	{"ideographic dots", "www\u3002example\uff0eorg\uff61", "www.example.org.", nil},
	{"Unicode and an underscore", "bü_cher.org", "", fqdn.ErrUnicode},
	{"Unicode and an escape", `bü\.cher.org`, "", fqdn.ErrUnicode},
	{"nothing but a soft hyphen", "\u00ad", "", fqdn.ErrUnicode},
	{"a label of a soft hyphen", "www.\u00ad", "", fqdn.ErrUnicode},
	{"not UTF-8", "\xff.org", "", fqdn.ErrUnicode},
	{"replacement character", "\ufffd.org", "", fqdn.ErrUnicode},
	{"label of 64 as an A-label", strings.Repeat("ü", 60) + ".org", "", fqdn.ErrLabelLong},
}

func TestV3_Parse(t *testing.T) {
	for _, tt := range parseTable {
		t.Run(tt.test, func(t *testing.T) {
			got, err := fqdn.Parse(tt.in)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Parse(%q) = %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
			}
			if err == nil {
				again, err := fqdn.Parse(string(got))
				if again != got || err != nil {
					t.Errorf("Parse(%q) = %q, %v; want the same again", got, again, err)
				}
			}
		})
	}
}

func TestV3_ParseIn(t *testing.T) {
	long := fqdn.Name(name255[64:]) // 191 octets: 63 more and their length fit
	for _, tt := range []struct {
		test string
		in   string
		zone fqdn.Name
		want fqdn.Name
		err  error
	}{
		{"apex", "@", "example.org.", "example.org.", nil},
		{"apex of the root", "@", ".", ".", nil},
		{"relative", "www", "example.org.", "www.example.org.", nil},
		{"relative of two labels", "api.Shop", "example.org.", "api.shop.example.org.", nil},
		{"relative wildcard", "*", "example.org.", "*.example.org.", nil},
		{"relative Unicode", "bücher", "example.org.", "xn--bcher-kva.example.org.", nil},
		{"relative in the root", "org", ".", "org.", nil},
		{"zone's name", "example.org", "example.org.", "example.org.", nil},
		{"zone's name with the dot", "EXAMPLE.org.", "example.org.", "example.org.", nil},
		{"full name", "www.example.org", "example.org.", "www.example.org.", nil},
		{"full name with the dot", "www.example.org.", "example.org.", "www.example.org.", nil},
		{"ends in the same letters", "myexample.org", "example.org.", "myexample.org.example.org.", nil},
		{"escaped dot before the zone", `a\.example.org`, "example.org.", `a\.example.org.example.org.`, nil},
		{"escaped asterisk at", `\@`, "example.org.", `\@.example.org.`, nil},
		{"escaped last dot is relative", `www\.`, "example.org.", `www\..example.org.`, nil},
		{"parent", "org.", "example.org.", "", fqdn.ErrOutside},
		{"elsewhere", "www.example.net.", "example.org.", "", fqdn.ErrOutside},
		{"elsewhere by letters", "myexample.org.", "example.org.", "", fqdn.ErrOutside},
		{"elsewhere by an escaped dot", `a\.example.org.`, "example.org.", "", fqdn.ErrOutside},
		{"elsewhere with an ideographic dot", "www.example.net\uff0e", "example.org.", "", fqdn.ErrOutside},
		{"root", ".", "example.org.", "", fqdn.ErrOutside},
		{"empty", "", "example.org.", "", fqdn.ErrEmpty},
		{"empty label", "www..shop", "example.org.", "", fqdn.ErrLabelEmpty},
		{"255 with the zone", label(63), long, fqdn.Name(label(63)+".") + long, nil},
		{"257 with the zone", "a." + label(63), long, "", fqdn.ErrNameLong},
	} {
		t.Run(tt.test, func(t *testing.T) {
			got, err := fqdn.ParseIn(tt.in, tt.zone)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ParseIn(%q, %q) = %q, %v; want %q, %v", tt.in, tt.zone, got, err, tt.want, tt.err)
			}
		})
	}
}

// An operator who reads an error must find his own spelling in it.
func TestV3_ErrorsQuoteTheName(t *testing.T) {
	for _, in := range []string{"www..org", label(64), `a\300`, name255 + "a"} {
		if _, err := fqdn.Parse(in); err == nil || !strings.Contains(err.Error(), strconv.Quote(in)) {
			t.Errorf("Parse(%q): error %v does not quote it", in, err)
		}
	}
	if _, err := fqdn.ParseIn("WWW.example.net.", "example.org."); !strings.Contains(err.Error(), `"WWW.example.net." is not in "example.org."`) {
		t.Errorf("error %q names neither name nor zone", err)
	}
}

func TestIn(t *testing.T) {
	for _, tt := range []struct {
		n, zone fqdn.Name
		want    bool
	}{
		{"example.org.", "example.org.", true},
		{"www.example.org.", "example.org.", true},
		{"*.example.org.", "example.org.", true},
		{`a\..example.org.`, "example.org.", true},
		{`a\\.example.org.`, "example.org.", true},
		{"org.", "example.org.", false},
		{"myexample.org.", "example.org.", false},
		{`my\.example.org.`, "example.org.", false},
		{`my\\\.example.org.`, "example.org.", false},
		{"example.net.", "example.org.", false},
		{"example.org.", ".", true},
		{".", ".", true},
		{".", "org.", false},
		{"", ".", false},
		{"", "", false},
		{"org.", "", false},
		{"", "org.", false},
	} {
		if got := tt.n.In(tt.zone); got != tt.want {
			t.Errorf("%q.In(%q) = %t, want %t", tt.n, tt.zone, got, tt.want)
		}
	}
}

func TestParent(t *testing.T) {
	for _, tt := range []struct {
		n, want fqdn.Name
		ok      bool
	}{
		{"www.example.org.", "example.org.", true},
		{"org.", ".", true},
		{".", "", false},
		{"", "", false},
		{`a\.b.org.`, "org.", true},
		{`a\\.b.org.`, "b.org.", true},
		{`a\000.b.org.`, "b.org.", true},
		{`\..`, ".", true},
		{"*.org.", "org.", true},
	} {
		if got, ok := tt.n.Parent(); got != tt.want || ok != tt.ok {
			t.Errorf("%q.Parent() = %q, %t; want %q, %t", tt.n, got, ok, tt.want, tt.ok)
		}
	}
}

func TestWildcard(t *testing.T) {
	for n, want := range map[fqdn.Name]fqdn.Name{".": "*.", "example.org.": "*.example.org.", "*.org.": "*.*.org."} {
		if got := n.Wildcard(); got != want || !got.IsWildcard() {
			t.Errorf("%q.Wildcard() = %q, IsWildcard %t; want %q, true", n, got, got.IsWildcard(), want)
		}
		if up, ok := n.Wildcard().Parent(); up != n || !ok {
			t.Errorf("the parent of %q is %q, want %q", n.Wildcard(), up, n)
		}
	}
	// RFC 4592, section 2.1.1: the label is one asterisk and nothing else.
	for _, n := range []fqdn.Name{"", ".", "**.org.", "*a.org.", "a*.org.", "www.*.org.", `\*.org.`} {
		if n.IsWildcard() {
			t.Errorf("%q.IsWildcard() = true, want false", n)
		}
	}
}

func TestIsHostName(t *testing.T) {
	for text, want := range map[string]bool{
		"ns1.example.net": true, "NS-1.2.Example.net.": true, "bücher.example": true, "1.example": true,
		"ns1": false, ".": false, "bad name.example": false, "a_b.example": false, "-a.example": false, "a-.example": false,
		"*.example.org": false, "192.0.2.1": false, `a\.b.example`: false,
	} {
		n, err := fqdn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if n.IsHostName() != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
