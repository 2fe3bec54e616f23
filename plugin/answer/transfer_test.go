package answer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// zoneRecords reads records, one a line, relative to example.org. What cannot be
// read is left out.
func zoneRecords(text string) []dns.RR {
	var out []dns.RR
	for line := range strings.Lines("@ 60 IN SOA ns h 7 1 1 1 1\n" + text) {
		rr, err := dns.NewRR("$ORIGIN example.org.\n" + line)
		if err == nil && rr != nil {
			out = append(out, rr)
		}
	}
	return append(out, out[0])
}

// askNobody is a backend for zones without names elsewhere.
type askNobody struct{ tb testing.TB }

func (askNobody) Datagram() bool { return false }

func (b askNobody) Ask(a Ask) Reply {
	b.tb.Helper()
	b.tb.Fatalf("asked %v", a)
	return Reply{}
}

// transferred returns what is transferred of records, one a line.
func transferred(tb testing.TB, rrs []dns.RR, names *Names, b Backend) string {
	tb.Helper()
	out, _, err := Zone(rrs, names, b)
	if err != nil {
		tb.Fatal(err)
	}
	return recordText(out)
}

func recordText(rrs []dns.RR) string {
	var text strings.Builder
	for _, rr := range rrs {
		text.WriteString(strings.ReplaceAll(rr.String(), "\t", " ") + "\n")
	}
	return text.String()
}

// The records are the backend's own: none is written to.
func TestR18_RecordsAreNotWritten(t *testing.T) {
	names := testNames(t, testMap, true)
	names.Serials = true
	rrs := zoneRecords("www A 10.66.0.1\nwww RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA\n" +
		"svc HTTPS 1 www mandatory=ipv4hint ipv4hint=10.66.0.1\n*.wild A 10.66.0.2\n*.wild HTTPS 1 . ipv4hint=10.66.0.2\nflat CNAME hidden.example.")
	kept := slices.Clone(rrs)
	before := recordText(rrs)
	text := transferred(t, rrs, names, askNobody{t})
	if after := recordText(rrs); after != before || !slices.Equal(kept, rrs) {
		t.Errorf("want the records as they were\n%s\ngot\n%s", before, after)
	}
	if strings.Contains(text, "hidden") || strings.Contains(text, "svc.example.org. 3600 IN HTTPS 1 www.example.org. mandatory=\"ipv4hint\" ipv4hint=\"10.66.0.1\"") {
		t.Errorf("origin data leaves:\n%s", text)
	}
}

// A transfer has to start with an SOA, and need not end with one.
func TestR18_SOA(t *testing.T) {
	names := testNames(t, testMap, true)
	for name, rrs := range map[string][]dns.RR{"nothing": nil, "something else": zoneRecords("www A 10.66.0.1")[1:]} {
		if out, _, err := Zone(rrs, names, askNobody{t}); !errors.Is(err, ErrNoSOA) {
			t.Errorf("%s: want %v, got %v, %v", name, ErrNoSOA, out, err)
		}
	}
	rrs := zoneRecords("www A 10.66.0.1")
	open := transferred(t, rrs[:2], names, askNobody{t})
	closed := transferred(t, rrs, names, askNobody{t})
	if first, _, _ := strings.Cut(open, "\n"); open+first+"\n" != closed {
		t.Errorf("want the same but for the SOA at the end, got\n%s\nand\n%s", open, closed)
	}
	if alone := transferred(t, rrs[:1], names, askNobody{t}); strings.Count(alone, "SOA") != 1 {
		t.Errorf("want the SOA alone, got\n%s", alone)
	}
}

// A mark may be as long as a name can be: no name fits below it.
func TestR18_LongestName(t *testing.T) {
	long := strings.Repeat("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghija.", 4)[6:]
	long = long[len(long)-(253-len("wild.example.org")):] // 255 octets on the wire
	long = strings.TrimPrefix(long, ".")
	names := testNames(t, strings.Replace(testMap, "{name: api.wild,", fmt.Sprintf("{name: %swild,", long), 1), true)
	out, _, err := Zone(zoneRecords("*.wild A 10.66.0.2"), names, askNobody{t})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(recordText(out), long) {
		t.Errorf("want a copy for the mark, got\n%s", recordText(out))
	}
	if _, err := (&dns.Msg{Answer: out}).Pack(); err != nil {
		t.Errorf("%v:\n%s", err, recordText(out))
	}
}

// What the backend is asked about names of other zones: whether a wildcard made
// them, and whether they have AAAA.
func TestR18_HintsElsewhere(t *testing.T) {
	s := &script{tb: t, replies: map[string]string{"www.example.net. AAAA": "", "six.example.net. AAAA": "six.example.net. 60 IN AAAA 2001:db8:66::1"}}
	got := transferred(t, zoneRecords("a HTTPS 1 www.example.net. ipv4hint=10.66.0.1 ipv6hint=2001:db8:66::1\nb HTTPS 1 six.example.net. ipv4hint=10.66.0.1"), testNames(t, testMap, true), s)
	for _, want := range []string{"HTTPS 1 www.example.net. ipv4hint=\"192.0.2.1\"\n", "HTTPS 1 six.example.net. ipv4hint=\"192.0.2.1\" ipv6hint=\"2001:db8::1\"\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestR18_Hinted(t *testing.T) {
	rrs := zoneRecords("a HTTPS 1 www.example.net. ipv4hint=10.66.0.1\nb HTTPS 1 other.example.net. alpn=h2\nc SVCB 1 alias ipv6hint=2001:db8:66::1\n" +
		"alias CNAME next\nnext CNAME far.example.edu.\nd HTTPS 1 . ipv4hint=10.66.0.1\ne HTTPS 1 loop ipv4hint=10.66.0.1\nloop CNAME loop\n" +
		"f HTTPS 1 x.wild ipv4hint=10.66.0.1\n*.wild CNAME wild.example.edu.\ng HTTPS 1 x.red ipv4hint=10.66.0.1\nred DNAME blue.example.edu.")
	got := Hinted(rrs, "example.org.")
	want := fqdn.NewSet("www.example.net.", "far.example.edu.", "wild.example.edu.", "x.blue.example.edu.")
	if len(got) != len(want) {
		t.Errorf("want %v, got %v", want, got)
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("want %s in %v", name, got)
		}
	}
}

// Whatever a zone holds, its transfer can be packed and has no address of a proxied
// name but glue.
func FuzzZone(f *testing.F) {
	for _, text := range []string{
		"www A 10.66.0.1\nflat CNAME hidden.example.\nalias CNAME www",
		"*.wild A 10.66.0.2\n*.wild TXT text\na.b.wild TXT x\n*.api.wild A 10.66.0.3",
		"svc HTTPS 1 . mandatory=alpn,ipv4hint alpn=h2 ipv4hint=10.66.0.4\n_x._tcp SVCB 1 six ipv6hint=2001:db8:66::1",
		"child NS ns.child\nns.child A 10.66.0.5\nred DNAME blue.example.\nwww.red A 10.66.0.6",
		"www RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA\nwww NSEC x A\n@ NS ns\n@ DNSKEY 257 3 13 AAAA",
		"loop CNAME loop\nx HTTPS 1 loop ipv4hint=10.66.0.1\n. A 10.66.0.7\nwww.example.com. A 10.66.0.8\nwWw A 10.66.0.9",
		"* A 10.66.0.1\n*.* A 10.66.0.2\nx.* A 10.66.0.3\n*.app A 10.66.0.4",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		names := testNames(t, testMap, true)
		rrs := zoneRecords(text)
		cut := func(name fqdn.Name) bool {
			return slices.ContainsFunc(rrs, func(rr dns.RR) bool {
				owner := fqdn.Canonical(rr.Header().Name)
				return rr.Header().Rrtype == dns.TypeNS && owner != "example.org." && name.In(owner)
			})
		}
		out, _, err := Zone(rrs, names, nowhere{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rr := range out {
			if _, err := (&dns.Msg{Answer: []dns.RR{rr}}).Pack(); err != nil {
				if _, before := (&dns.Msg{Answer: rrs}).Pack(); before == nil {
					t.Fatalf("%v: %s", err, rr)
				}
			}
			owner := fqdn.Canonical(rr.Header().Name)
			if !isAddress(rr.Header().Rrtype) || cut(owner) || !names.Snapshot.LookupFrom(owner, owner).Proxied() || owner.IsWildcard() {
				continue
			}
			if slices.ContainsFunc(rrs, func(theirs dns.RR) bool { return dns.IsDuplicate(theirs, rr) && rr.Header().Ttl == theirs.Header().Ttl }) {
				t.Fatalf("origin data leaves: %s in\n%s", rr, recordText(out))
			}
		}
	})
}

// nowhere is a backend that has no other zones.
type nowhere struct{}

func (nowhere) Datagram() bool { return false }

func (nowhere) Ask(a Ask) Reply {
	return Reply{Msg: new(dns.Msg).SetRcode(new(dns.Msg).SetQuestion(a.Name, a.Type), dns.RcodeRefused)}
}
