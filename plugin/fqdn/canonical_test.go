package fqdn_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want fqdn.Name
	}{
		{"www.example.org.", "www.example.org."},
		{"wWw.eXaMpLe.OrG.", "www.example.org."},
		{"WWW.example.org", "www.example.org."},
		{".", "."},
		{"*.example.org.", "*.example.org."},
		{`\042.example.org.`, "*.example.org."},
		{`a\.b.example.org.`, `a\.b.example.org.`},
		{`A\046\066.example.org.`, `a\.b.example.org.`},
		{`o'brien.example.org.`, `o\'brien.example.org.`},
		{`o\'brien.example.org.`, `o\'brien.example.org.`},
		{`ü.example.org.`, `\195\188.example.org.`},
		{`a\`, `a\.`},
	} {
		if got := fqdn.Canonical(tt.in); got != tt.want {
			t.Errorf("Canonical(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A name that a question or a zone file holds and a name that a document holds
// must meet: Canonical is Parse wherever Parse accepts ASCII.
func TestCanonicalIsParse(t *testing.T) {
	for _, tt := range parseTable {
		if !ascii(tt.in) {
			continue
		}
		got := fqdn.Canonical(tt.in)
		switch n, err := fqdn.Parse(tt.in); {
		case err == nil && got != n:
			t.Errorf("%s: Canonical(%q) = %q, Parse says %q", tt.test, tt.in, got, n)
		case err != nil && !errors.Is(err, fqdn.ErrBlank): // a slip in a document only
			if n, err := fqdn.Parse(string(got)); err == nil && n == got {
				t.Errorf("%s: Canonical(%q) = %q, the same as the legal name", tt.test, tt.in, got)
			}
		}
	}
}

// What leaves through the wire and comes back in any case is the name that was
// parsed, for every octet a label can hold.
func TestCanonicalOffTheWire(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for octet := range 256 {
		for _, octets := range [][]byte{{byte(octet)}, {'a', byte(octet), 'Z'}, {byte(octet), byte(rnd.IntN(256)), byte(rnd.IntN(256))}} {
			text := present(octets, rnd) + ".example.org."
			want, err := fqdn.Parse(text)
			if err != nil {
				t.Fatalf("Parse(%q): %v", text, err)
			}
			if got := fqdn.Canonical(shuffleCase(overTheWire(t, text), rnd)); got != want {
				t.Errorf("octets %q, written %q: Canonical off the wire is %q, Parse says %q", octets, text, got, want)
			}
		}
	}
}

// present writes octets as a label in one of the ways RFC 1035, section 5.1
// allows for each.
func present(octets []byte, rnd *rand.Rand) string {
	var b strings.Builder
	for _, c := range octets {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		switch way := rnd.IntN(3); {
		case way == 0 && letter:
			b.WriteByte(c)
		case way == 1 && c > ' ' && c < 0x7f && (c < '0' || c > '9'):
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
		}
	}
	return b.String()
}

// overTheWire packs and unpacks a name as a message does.
func overTheWire(t testing.TB, s string) string {
	t.Helper()
	var buf [300]byte
	n, err := dns.PackDomainName(s, buf[:], 0, nil, false)
	if err != nil {
		t.Fatalf("pack %q: %v", s, err)
	}
	s, _, err = dns.UnpackDomainName(buf[:n], 0)
	if err != nil {
		t.Fatalf("unpack %q: %v", s, err)
	}
	return s
}

// shuffleCase spells letters as a resolver with 0x20 mixing does. Digits stand
// for octets in an escape and have no case.
func shuffleCase(s string, rnd *rand.Rand) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' && rnd.IntN(2) == 0 {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) < 0
}

// FuzzCanonical holds the promises of Canonical on any text: it is Parse on
// legal ASCII names and idempotent there, and it agrees with the DNS library about
// which two spellings are one name.
func FuzzCanonical(f *testing.F) {
	for _, tt := range parseTable {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := fqdn.Canonical(s)
		n, err := fqdn.Parse(s)
		if err == nil {
			if again := fqdn.Canonical(string(got)); again != got {
				t.Fatalf("Canonical(%q) = %q, and of that %q", s, got, again)
			}
			if wire := overTheWire(t, string(n)); wire != string(n) {
				t.Fatalf("Parse(%q) = %q, off the wire %q", s, n, wire)
			}
			if up, ok := n.Parent(); ok && !(n.In(up) && n.In(n) && !up.In(n)) {
				t.Fatalf("%q does not lie below its parent %q", n, up)
			}
		}
		if !ascii(s) {
			return
		}
		if err == nil && got != n {
			t.Fatalf("Canonical(%q) = %q, Parse says %q", s, got, n)
		}
		if err != nil {
			if n, other := fqdn.Parse(string(got)); other == nil && n == got && !errors.Is(err, fqdn.ErrBlank) {
				t.Fatalf("Canonical(%q) = %q, a legal name, though Parse refused it", s, got)
			}
			return
		}
		if wire := overTheWire(t, dns.Fqdn(s)); fqdn.Canonical(wire) != n {
			t.Fatalf("Parse(%q) = %q, off the wire Canonical(%q) = %q", s, n, wire, fqdn.Canonical(wire))
		}
	})
}

// A question in lower case costs nothing, one with mixed case its one copy.
func TestCanonicalAllocations(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
	}{
		{"www.example.org.", 0},
		{`a\.b\000.example.org.`, 0},
		{name255, 0},
		{".", 0},
		{"wWw.eXaMpLe.oRg.a-name-of-more-than-thirty-two-octets.", 1},
		{`A\.b.example.org.`, 1},
	} {
		if got := testing.AllocsPerRun(100, func() { sink = fqdn.Canonical(tt.in) }); got != tt.want {
			t.Errorf("Canonical(%q) allocates %v times, want %v", tt.in, got, tt.want)
		}
	}
}

var sink fqdn.Name

func BenchmarkCanonical(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"lower", "host-4711.customer.example.org."},
		{"mixed", "hOsT-4711.cUstomeR.exAMple.oRg."},
		{"escape", `_a\.b.customer.example.org.`},
		{"255", name255},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = fqdn.Canonical(bb.in)
			}
		})
	}
}

func BenchmarkParent(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		n, ok := fqdn.Name("host-4711.customer.example.org."), true
		for ok {
			n, ok = n.Parent()
		}
	}
}
