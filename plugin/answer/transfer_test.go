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
func transferred(tb testing.TB, rrs []dns.RR, names *Names, x Exchange) string {
	tb.Helper()
	out, _, err := Zone(rrs, names, x)
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

// recordsOf reads records, separated by ";".
func recordsOf(tb testing.TB, text string) []dns.RR {
	tb.Helper()
	var out []dns.RR
	for part := range strings.SplitSeq(text, ";") {
		rr, err := dns.NewRR(strings.TrimSpace(part))
		if err != nil {
			tb.Fatalf("%q: %v", part, err)
		}
		if rr != nil {
			out = append(out, rr)
		}
	}
	return out
}

// R18: of a transfer that did not come through [Zone], a record leaves only if the map
// has nothing to put in its place, whatever zone it says it is of.
func TestR18_ReleaseTransfer(t *testing.T) {
	names := testNames(t, nestedMap, true)
	hinted := &dns.RFC3597{Hdr: dns.RR_Header{Name: "plain.example.org.", Rrtype: dns.TypeHTTPS, Class: dns.ClassINET}}
	for _, c := range []struct {
		why                           string
		answer, authority, additional string
		more                          []dns.RR // in the answer section
		leaves                        bool
	}{
		{"nothing", "", "", "", nil, true},
		{"SOA of a proxied name", "www.sub.example.org. 60 IN SOA ns. h. 1 2 3 4 5", "", "", nil, true},
		{"unproxied", "plain.example.org. 60 IN A 198.51.100.1; api.sub.example.org. 60 IN TXT text", "", "", nil, false}, // the wildcard above may cover it
		{"unproxied in a zone of its own", "plain.example.net. 60 IN A 198.51.100.1", "", "", nil, true},
		{"unproxied by all zones above", "y.in.example.net. 60 IN A 198.51.100.1", "", "", nil, true},
		{"in no zone of the map", "www.example. 60 IN A 198.51.100.1", "", "", nil, true},
		{"proxied", "www.sub.example.org. 60 IN A 10.66.0.1", "", "", nil, false},
		{"proxied, of any type", "www.sub.example.org. 60 IN TXT hidden", "", "", nil, false},
		{"the list above names it", "x.in.example.net. 60 IN A 10.66.0.1", "", "", nil, false},
		{"the second of two", "plain.example.net. 60 IN A 198.51.100.1; www.sub.example.org. 60 IN A 10.66.0.1", "", "", nil, false},
		{"a service without hints", "plain.example.net. 60 IN HTTPS 1 www.sub.example.org. alpn=h2; plain.example.net. 60 IN SVCB 1 www.sub.example.org. alpn=h2", "", "", nil, true},
		{"a service with hints", "plain.example.net. 60 IN HTTPS 1 www.sub.example.org. ipv4hint=10.66.0.1", "", "", nil, false},
		{"a binding with hints", "plain.example.net. 60 IN SVCB 1 www.sub.example.org. ipv6hint=2001:db8:66::1", "", "", nil, false},
		{"a service that cannot be read", "", "", "", []dns.RR{hinted}, false},
		{"judged", "", "", "", []dns.RR{judged{zoneRecords("www.sub A 192.0.2.1")[1]}}, true},
		{"of a zone that the directive does not act for", "www.example.com. 60 IN A 198.51.100.1", "", "", nil, true},
		{"an address in the authority section", "", "plain.example.net. 60 IN A 198.51.100.1", "", nil, false},
		{"that there is no such zone", "", "example.net. 60 IN SOA ns. h. 1 2 3 4 5; plain.example.net. 60 IN NSEC z.example.net. TXT", "", nil, true},
		{"what stands at a proxied name", "", "www.sub.example.org. 60 IN NSEC z.example.org. A", "", nil, false},
		{"in the additional section", "", "", "plain.example.net. 60 IN A 198.51.100.1", nil, false},
		{"OPT and TSIG", "", "", "opt tsig", nil, true},
	} {
		t.Run(c.why, func(t *testing.T) {
			m := &dns.Msg{Answer: append(recordsOf(t, c.answer), c.more...), Ns: recordsOf(t, c.authority)}
			if c.additional == "opt tsig" {
				m.Extra = []dns.RR{&dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}, &dns.TSIG{Hdr: dns.RR_Header{Name: "key.", Rrtype: dns.TypeTSIG}}}
			} else {
				m.Extra = recordsOf(t, c.additional)
			}
			out, ok := ReleaseTransfer(m, "example.edu.", names)
			if ok != c.leaves {
				t.Fatalf("want it to leave: %v, got %v", c.leaves, out.Msg())
			}
			if ok && (len(out.Msg().Answer) != len(m.Answer) || len(out.Msg().Extra) != len(m.Extra)) {
				t.Errorf("want all of\n%v\ngot\n%v", m, out.Msg())
			}
			for _, rr := range m.Answer {
				if _, ok := rr.(judged); ok && slices.ContainsFunc(out.Msg().Answer, func(rr dns.RR) bool { _, is := rr.(judged); return is }) {
					t.Errorf("want the record without its mark, got %v", out.Msg())
				}
			}
		})
	}
}

// R18: of a zone that may hold proxied names nothing leaves that was not judged as a whole,
// though it be unproxied: a transfer with that alone would lack what the map adds (R24).
func TestR18_PartOfATransfer(t *testing.T) {
	names := testNames(t, nestedMap, true)
	const soa = "example.net. 60 IN SOA ns. h. 1 2 3 4 5"
	for _, c := range []struct {
		apex              fqdn.Name
		answer, authority string
		leaves            bool
	}{
		{"example.net.", soa, "", true}, // it is up to date
		{"example.net.", soa + "; plain.example.net. 60 IN TXT text; " + soa, "", false},
		{"plain.example.net.", "plain.example.net. 60 IN CNAME plain.example.", "", false},
		{"plain.example.net.", "", soa, true},
		{"example.com.", "www.example.com. 60 IN A 198.51.100.1", "", true},
	} {
		if out, ok := ReleaseTransfer(&dns.Msg{Answer: recordsOf(t, c.answer), Ns: recordsOf(t, c.authority)}, c.apex, names); ok != c.leaves {
			t.Errorf("of %s %q %q: want it to leave: %v, got %v", c.apex, c.answer, c.authority, c.leaves, out.Msg())
		}
	}
}

// R12, R15: what leaves in place of each record of a zone.
func TestR18_InPlace(t *testing.T) {
	for _, c := range []struct{ why, zone, want string }{
		{"glue, at and below the cut", "cut NS ns.cut\ncut NS cut\nns.cut A 198.51.100.1\ncut AAAA 2001:db8:5::1\nwww.cut A 10.66.0.1",
			"cut.example.org. NS ns.cut.example.org.; cut.example.org. NS cut.example.org.; ns.cut.example.org. A 198.51.100.1; cut.example.org. AAAA 2001:db8:5::1; www.cut.example.org. A 192.0.2.1; www.cut.example.org. AAAA 2001:db8::1"},
		{"an alias is no glue", "cut NS ns.cut\nns.cut CNAME hidden.example.", "cut.example.org. NS ns.cut.example.org.; ns.cut.example.org. A 192.0.2.1; ns.cut.example.org. AAAA 2001:db8::1"},
		{"of a deeper cut", "cut NS ns.cut\nx.cut NS ns.x.cut\nns.x.cut A 198.51.100.1", "cut.example.org. NS ns.cut.example.org.; x.cut.example.org. NS ns.x.cut.example.org.; ns.x.cut.example.org. A 198.51.100.1"},
		{"a server of the zone itself", "@ NS ns\nns A 10.66.0.1", "example.org. NS ns.example.org.; ns.example.org. A 192.0.2.1; ns.example.org. AAAA 2001:db8::1"},
		{"of another cut", "cut NS ns.two\ntwo NS ns.one\nns.two A 10.66.0.1", "cut.example.org. NS ns.two.example.org.; two.example.org. NS ns.one.example.org.; ns.two.example.org. A 192.0.2.1; ns.two.example.org. AAAA 2001:db8::1"},
		{"signatures", "www A 10.66.0.1\nwww RRSIG A 13 3 60 20300101000000 20200101000000 1 @ AAAA\nwww RRSIG AAAA 13 3 60 20300101000000 20200101000000 1 @ AAAA\nwww RRSIG TXT 13 3 60 20300101000000 20200101000000 1 @ AAAA\nwww TXT x", "www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1; www.example.org. RRSIG TXT; www.example.org. TXT x"},
		{"a service without hints", "www A 10.66.0.1\nsvc HTTPS 1 www alpn=h2", "www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1; svc.example.org. HTTPS 1 www.example.org. alpn=h2"},
		{"a service of an unproxied name", "plain A 198.51.100.1\nplain HTTPS 1 . ipv4hint=198.51.100.1\nsvc SVCB 1 plain ipv4hint=198.51.100.1", "plain.example.org. A 198.51.100.1; plain.example.org. HTTPS 1 . ipv4hint=198.51.100.1; svc.example.org. SVCB 1 plain.example.org. ipv4hint=198.51.100.1"},
		{"a service of a name that this block cannot ask about", "svc SVCB 1 www.example.com. ipv4hint=10.66.0.1", "svc.example.org. SVCB 1 www.example.com."},
		{"a signature over hints", "svc HTTPS 1 www ipv4hint=10.66.0.1\nsvc RRSIG HTTPS 13 3 60 20300101000000 20200101000000 1 @ AAAA\nplain RRSIG HTTPS 13 3 60 20300101000000 20200101000000 1 @ AAAA", "svc.example.org. HTTPS 1 www.example.org. ipv4hint=192.0.2.1 ipv6hint=2001:db8::1; plain.example.org. RRSIG HTTPS"},
	} {
		t.Run(c.why, func(t *testing.T) {
			names := testNames(t, transferMap, true)
			out, _, err := Zone(zoneRecords(c.zone), names, askNobody{t})
			if err != nil {
				t.Fatal(err)
			}
			var text []string
			for _, rr := range out[1 : len(out)-1] {
				text = append(text, short(rr.(judged).RR))
			}
			if got := strings.Join(text, "; "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// transferMap has names below zone cuts, and a zone that the directive does not act for.
const transferMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www, ns, cut, ns.cut, www.cut, ns.x.cut, ns.two]}, {name: example.com, proxied: [www]}]}
`

// A record that says that it is a service and is none does not leave.
func TestR18_RawRecord(t *testing.T) {
	raw := &dns.RFC3597{Hdr: dns.RR_Header{Name: "www.example.org.", Rrtype: dns.TypeHTTPS, Class: dns.ClassINET}}
	rrs := slices.Insert(zoneRecords("plain A 198.51.100.1"), 1, dns.RR(raw))
	if text := transferred(t, rrs, testNames(t, testMap, true), askNobody{t}); strings.Contains(text, "www") {
		t.Errorf("it leaves:\n%s", text)
	}
}

// R9 in transfers (R18): that the zone does not have a target is certain only where the
// backend tells of its zones.
func TestR9_DeniedTargetInTransfer(t *testing.T) {
	for _, c := range []struct {
		tells bool
		want  string
	}{
		{true, `svc.example.org. 3600 IN HTTPS 1 nowhere.example.org. ipv4hint="198.51.100.1"`},
		{false, "svc.example.org. 3600 IN HTTPS 1 nowhere.example.org.\n"},
	} {
		names := testNames(t, testMap, c.tells)
		text := transferred(t, zoneRecords("svc HTTPS 1 nowhere ipv4hint=198.51.100.1\nhere HTTPS 1 plain ipv4hint=198.51.100.1\nplain A 198.51.100.1"), names, askNobody{t})
		if here := `HTTPS 1 plain.example.org. ipv4hint="198.51.100.1"`; !strings.Contains(text, c.want) || !strings.Contains(text, here) {
			t.Errorf("tells %v: want %q and %q, got\n%s", c.tells, c.want, here, text)
		}
	}
}
