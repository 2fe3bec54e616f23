package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// nestedMap has zones inside one another, and one that the directive does not act for.
const nestedMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    zones:
      - {name: example.org, proxied: ["*", x.list, {name: plain, proxied: false}]}
      - {name: sub.example.org, proxied: [www, {name: api, proxied: false}]}
      - {name: list.example.org, proxied: [own]}
      - {name: every.example.org, proxied: all}
      - {name: example.net, proxied: [x.in]}
      - {name: in.example.net, proxied: [own]}
      - {name: example.com, proxied: [www]}
      - {name: deep.list.example.org, proxied: [own]}
      - {name: deep.every.example.org, proxied: [own]}
      - {name: v4.example.org, ipv6: false, proxied: [{name: www, ipv4_only: true}, {name: six, ipv6_only: true}]}
`

// gateCase is a question, what the backend is asked for the answer in that order, what
// it replies to each, as [script] reads it, and what is told then.
type gateCase struct {
	why      string
	question string
	dialogue []string // question, reply, question, reply, …
	want     string   // as [toldText] prints it
}

// holdTold holds the answers to these questions to what is wanted.
func holdTold(t *testing.T, text string, tells bool, cases []gateCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.question+" "+c.why, func(t *testing.T) {
			names := testNames(t, text, tells)
			backend := &script{tb: t, replies: make(map[string]string)}
			var asked []string
			for i := 0; i < len(c.dialogue); i += 2 {
				asked = append(asked, c.dialogue[i])
				backend.replies[c.dialogue[i]] = c.dialogue[i+1]
			}
			f := strings.Fields(c.question)
			if slices.Contains(f, "alpn") {
				names.ALPN = []string{"h2"}
			}
			names.Serials = slices.Contains(f, "serials")
			names.RefuseUnlisted = slices.Contains(f, "unlisted")
			backend.stream = slices.Contains(f, "tcp")
			req := new(dns.Msg).SetQuestion(f[0], dns.StringToType[f[1]])
			if slices.Contains(f, "CH") {
				req.Question[0].Qclass = dns.ClassCHAOS
			}
			out := respond(req, names, backend)
			if !slices.Equal(backend.asked, asked) {
				t.Errorf("asked %q\nwant  %q", backend.asked, asked)
			}
			if m := out.Msg(); !slices.Equal(m.Question, req.Question) {
				t.Errorf("the question is %v, want %v", m.Question, req.Question)
			}
			if got := toldText(out); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// toldText prints a response: its rcode and flags, the verdict, and the records in short.
func toldText(out Outcome) string {
	m := out.Msg()
	text := dns.RcodeToString[m.Rcode]
	if m.Truncated {
		text += " tc"
	}
	text += " " + []string{"passed", "substituted", "withheld", "truncated"}[out.Verdict]
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		text += " |"
		for _, rr := range section {
			text += " " + short(rr) + ";"
		}
	}
	return strings.TrimRight(text, " |;")
}

// short prints a record without its TTL and class, and without dots at the end.
func short(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.SOA:
		return rr.Hdr.Name + " SOA"
	case *dns.RRSIG:
		return rr.Hdr.Name + " RRSIG " + dns.TypeToString[rr.TypeCovered]
	case *dns.RFC3597:
		return rr.Hdr.Name + " raw " + dns.TypeToString[rr.Hdr.Rrtype]
	case *dns.TSIG:
		return "TSIG"
	case *dns.OPT:
		text := "OPT"
		for _, o := range rr.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok && ede.ExtraText != "" {
				text += " " + ede.ExtraText
			}
		}
		return text
	}
	h := rr.Header()
	return strings.ReplaceAll(h.Name+" "+dns.TypeToString[h.Rrtype]+" "+strings.TrimPrefix(rr.String(), h.String()), "\"", "")
}

const noData = "|; " + scriptSOA

// R12: glue is the addresses of the name servers of the very cut that a response refers
// to, whatever else is beside them.
func TestR12_WhatIsNoGlue(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"a delegation that is signed", "x.sub.example.net. A", []string{"x.sub.example.net. A",
			"noaa; |; sub.example.net. 60 IN NS ns.sub.example.net.; sub.example.net. 60 IN DS 1 13 2 00; |; ns.sub.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | | sub.example.net. NS ns.sub.example.net.; sub.example.net. DS 1 13 2 00; | ns.sub.example.net. A 198.51.100.1"},
		{"a proof comes first", "x.sub.example.net. A", []string{"x.sub.example.net. A",
			"noaa; |; a.example.net. 60 IN NSEC t.example.net. NS; sub.example.net. 60 IN NS ns.sub.example.net.; |; ns.sub.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | | a.example.net. NSEC t.example.net. NS; sub.example.net. NS ns.sub.example.net.; | ns.sub.example.net. A 198.51.100.1"},
		{"a server of another cut", "x.sub.example.net. A", []string{"x.sub.example.net. A",
			"noaa; |; sub.example.net. 60 IN NS ns.sub.example.net.; other.example.net. 60 IN NS www.sub.example.net.; |; ns.sub.example.net. 60 IN A 198.51.100.1; www.sub.example.net. 60 IN A 10.66.0.1", "www.sub.example.net. AAAA", ""}, "NOERROR substituted | | sub.example.net. NS ns.sub.example.net.; other.example.net. NS www.sub.example.net.; | ns.sub.example.net. A 198.51.100.1; www.sub.example.net. A 192.0.2.1"},
		{"whatever else is there", "x.sub.example.net. A", []string{"x.sub.example.net. A",
			"noaa; |; sub.example.net. 60 IN NS ns.sub.example.net.; |; ns.sub.example.net. 60 IN A 198.51.100.1; ns.sub.example.net. 60 IN HTTPS 1 . ipv4hint=10.66.0.1; ns.sub.example.net. 60 IN TXT hidden; ns.sub.example.net. 60 IN CNAME hidden.example.", "ns.sub.example.net. AAAA", ""}, "NOERROR substituted | | sub.example.net. NS ns.sub.example.net.; | ns.sub.example.net. A 198.51.100.1; ns.sub.example.net. HTTPS 1 . ipv4hint=192.0.2.1"},
		{"no referral but NODATA", "x.sub.example.net. TXT", []string{"x.sub.example.net. TXT",
			"noaa; |; sub.example.net. 60 IN NS ns.sub.example.net.; example.net. 60 IN SOA ns h 1 2 3 4 5; |; ns.sub.example.net. 60 IN A 10.66.0.1", "ns.sub.example.net. AAAA", ""}, "NOERROR substituted | | sub.example.net. NS ns.sub.example.net.; example.net. SOA; | ns.sub.example.net. A 192.0.2.1"},
	})
}

// R23: what an inner question does not say is not known.
func TestR23_WhatIsNotKnown(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"nothing, cut short", "www.example.org. A", []string{"www.example.org. A", "tc"}, "NOERROR tc truncated"},
		{"an answer about another type", "www.example.org. A", []string{"www.example.org. A", "about www.example.org. AAAA IN; www.example.org. 60 IN A 10.66.0.1", "www.example.org. CNAME", noData}, "SERVFAIL withheld"},
		{"an answer about another name", "www.example.org. A", []string{"www.example.org. A", "about x.example.org. A IN; www.example.org. 60 IN A 10.66.0.1", "www.example.org. CNAME", noData}, "SERVFAIL withheld"},
		{"an answer about nothing", "www.example.org. A", []string{"www.example.org. A", "about nothing; www.example.org. 60 IN A 10.66.0.1", "www.example.org. CNAME", noData}, "SERVFAIL withheld"},
		{"an SOA in place of an address", "www.example.org. A", []string{"www.example.org. A", scriptSOA, "www.example.org. CNAME", noData}, "SERVFAIL withheld"},
		{"another answer about another class", "plain.example.org. A", []string{"plain.example.org. A", "about plain.example.org. A CH; plain.example.org. 60 IN A 198.51.100.1"}, "SERVFAIL withheld"},
		{"another answer about another type", "plain.example.org. A", []string{"plain.example.org. A", "about plain.example.org. TXT IN; plain.example.org. 60 IN A 198.51.100.1"}, "SERVFAIL withheld"},
		{"another answer about another name", "plain.example.org. A", []string{"plain.example.org. A", "about x.example.org. A IN; plain.example.org. 60 IN A 198.51.100.1"}, "SERVFAIL withheld"},
		{"another answer about nothing", "plain.example.org. A", []string{"plain.example.org. A", "about nothing; plain.example.org. 60 IN A 198.51.100.1"}, "SERVFAIL withheld"},
		{"in capitals", "Plain.example.org. A", []string{"Plain.example.org. A", "about plain.example.org. A IN; plain.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | plain.example.org. A 198.51.100.1"},
		{"whether it has AAAA", "www.example.net. AAAA", []string{"www.example.net. A", "www.example.net. 60 IN A 10.66.0.1", "www.example.net. AAAA", "SERVFAIL"}, "SERVFAIL withheld"},
		{"whether it has AAAA", "www.example.net. HTTPS alpn", []string{"www.example.net. HTTPS", noData, "www.example.net. A", "www.example.net. 60 IN A 10.66.0.1", "www.example.net. AAAA", "SERVFAIL"}, "SERVFAIL withheld"},
	})
	holdTold(t, testMap, false, []gateCase{
		{"whether it is an alias, cut short", "www.example.org. A", []string{"www.example.org. CNAME", "tc", "www.example.org. A", noData, "www.example.org. AAAA", noData}, "NOERROR tc truncated"},
		{"whether it is an alias, cut short", "www.example.org. TXT", []string{"www.example.org. CNAME", "tc", "www.example.org. TXT", "www.example.org. 60 IN TXT hidden"}, "NOERROR tc truncated"},
		{"SOA of the zone in place of none", "www.example.org. SOA", []string{"www.example.org. CNAME", noData, "www.example.org. SOA", scriptSOA}, "NOERROR passed | example.org. SOA"},
	})
}

// R3: AAAA only if the origin has AAAA.
func TestR3_WhetherTheOriginHasAAAA(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"an address beside an alias", "www.example.net. AAAA", []string{"www.example.net. A", "www.example.net. 60 IN A 10.66.0.1", "www.example.net. AAAA", "www.example.net. 60 IN AAAA 2001:db8:66::1; www.example.net. 60 IN CNAME hidden.example."}, "NOERROR substituted | www.example.net. AAAA 2001:db8::1"},
		{"an alias", "www.example.net. AAAA", []string{"www.example.net. A", "www.example.net. 60 IN A 10.66.0.1", "www.example.net. AAAA", "www.example.net. 60 IN CNAME hidden.example.", "www.example.net. SOA", "|; example.net. 60 IN SOA ns h 1 2 3 4 5"}, "NOERROR substituted | | example.net. SOA"},
	})
}

// R10: nothing is asked that a synthesized record does not depend on.
func TestR10_WhatIsAskedForARecord(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"none is made", "www.example.org. HTTPS", []string{"www.example.org. HTTPS", noData}, "NOERROR passed | | example.org. SOA"},
	})
	holdTold(t, nestedMap, true, []gateCase{
		{"neither family is answered", "six.v4.example.org. HTTPS alpn", []string{"six.v4.example.org. HTTPS", noData, "six.v4.example.org. A", "six.v4.example.org. 60 IN A 10.66.0.1", "six.v4.example.org. AAAA", noData}, "NOERROR substituted | | example.org. SOA"},
		{"AAAA does not matter", "www.v4.example.org. HTTPS alpn", []string{"www.v4.example.org. HTTPS", noData, "www.v4.example.org. A", "www.v4.example.org. 60 IN A 10.66.0.1"}, "NOERROR substituted | www.v4.example.org. HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"},
	})
}

// R7, R8: which zone decides for a name, and what is asked for that.
func TestR8_WhatIsAskedOfZones(t *testing.T) {
	holdTold(t, nestedMap, false, []gateCase{
		{"a mark of its own", "api.sub.example.org. A", []string{"api.sub.example.org. A", "api.sub.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | api.sub.example.org. A 198.51.100.1"},
		{"the deeper zone covers it", "a.every.example.org. A", []string{"a.every.example.org. CNAME", "a.every.example.org. 60 IN CNAME hidden.example."}, "NOERROR substituted | a.every.example.org. A 192.0.2.1"},
		{"the wildcard above covers it", "x.sub.example.org. A", []string{"sub.example.org. SOA", noData, "x.sub.example.org. CNAME", "x.sub.example.org. 60 IN CNAME hidden.example."}, "NOERROR substituted | x.sub.example.org. A 192.0.2.1"},
		{"the list above names it", "x.in.example.net. A", []string{"in.example.net. SOA", "|; example.net. 60 IN SOA ns h 1 2 3 4 5", "x.in.example.net. CNAME", "x.in.example.net. 60 IN CNAME hidden.example."}, "NOERROR substituted | x.in.example.net. A 192.0.2.1"},
		{"nothing above covers it", "y.in.example.net. A", []string{"in.example.net. SOA", "|; example.net. 60 IN SOA ns h 1 2 3 4 5", "y.in.example.net. A", "y.in.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | y.in.example.net. A 198.51.100.1"},
		{"a wildcard two zones above covers it", "x.deep.list.example.org. A", []string{"deep.list.example.org. SOA", noData, "list.example.org. SOA", noData, "x.deep.list.example.org. CNAME", "x.deep.list.example.org. 60 IN CNAME hidden.example."}, "NOERROR substituted | x.deep.list.example.org. A 192.0.2.1"},
		{"all of the zone above, from a wildcard", "x.deep.every.example.org. A", []string{"deep.every.example.org. SOA", noData, "*.every.example.org. CNAME", "*.every.example.org. 60 IN CNAME hidden.example.", "x.deep.every.example.org. CNAME", "x.deep.every.example.org. 60 IN CNAME hidden.example."}, "NOERROR substituted | x.deep.every.example.org. A 192.0.2.1"},
		{"all of the zone above, which has no wildcard", "x.deep.every.example.org. A", []string{"deep.every.example.org. SOA", noData, "*.every.example.org. CNAME", noData, "*.every.example.org. A", noData, "*.every.example.org. AAAA", noData, "every.example.org. SOA", "every.example.org. 60 IN SOA ns h 1 2 3 4 5", "x.deep.every.example.org. A", "x.deep.every.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | x.deep.every.example.org. A 198.51.100.1"},
		{"of a name of another block beside it", "example.net. MX", []string{"example.net. MX", "example.net. 60 IN MX 10 www.example.com.; |; |; www.example.com. 60 IN A 10.66.0.1"}, "NOERROR substituted | example.net. MX 10 www.example.com.; | | www.example.com. A 192.0.2.1; www.example.com. AAAA 2001:db8::1"},
		{"of a name beside it", "example.net. MX", []string{"example.net. MX", "example.net. 60 IN MX 10 plain.example.net.; |; |; plain.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | example.net. MX 10 plain.example.net.; | | plain.example.net. A 198.51.100.1"},
	})
	holdTold(t, nestedMap, true, []gateCase{
		{"nothing above covers it", "y.in.example.net. A", []string{"y.in.example.net. A", "y.in.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | y.in.example.net. A 198.51.100.1"},
		{"the list above names it", "x.in.example.net. A", []string{"x.in.example.net. A and wildcard", "x.in.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | x.in.example.net. A 198.51.100.1"},
		{"of a name of another block beside it", "example.net. MX", []string{"example.net. MX", "example.net. 60 IN MX 10 www.example.com.; |; |; www.example.com. 60 IN A 10.66.0.1"}, "NOERROR passed | example.net. MX 10 www.example.com."},
		{"another block answered", "alias.example.net. A", []string{"alias.example.net. A", "gated www.example.com.; alias.example.net. 60 IN CNAME www.example.com.; www.example.com. 60 IN A 192.0.2.9"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. A 192.0.2.9"},
	})
}

// R8: that a name is not of the wildcard says nothing of any other name.
func TestR8_AtTheEndOfAnAlias(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"not of the wildcard", "alias.example.org. A", []string{"alias.example.org. A", "alias.example.org. 60 IN CNAME own.wild.example.org.; own.wild.example.org. 60 IN A 198.51.100.1; www.example.org. 60 IN A 10.66.0.1",
			"own.wild.example.org. A and wildcard", "own.wild.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | alias.example.org. CNAME own.wild.example.org.; own.wild.example.org. A 198.51.100.1"},
	})
}

// R18: a signature over an SOA whose serial is counted up does not hold.
func TestR18_SignedSerial(t *testing.T) {
	names := testNames(t, transferMap, true)
	names.Serials = true
	names.Snapshot.Resume(map[fqdn.Name]uint32{"example.org.": 5})
	const soa = "example.org. 60 IN SOA ns h 7 1 1 1 1; example.org. 60 IN RRSIG SOA 13 2 60 20300101000000 20200101000000 1 example.org. AAAA; example.org. 60 IN RRSIG NS 13 2 60 20300101000000 20200101000000 1 example.org. AAAA"
	out := respond(new(dns.Msg).SetQuestion("example.org.", dns.TypeSOA), names, &script{tb: t, replies: map[string]string{"example.org. SOA": soa}})
	if got := toldText(out); got != "NOERROR passed | example.org. SOA; example.org. RRSIG NS" || out.Msg().Answer[0].(*dns.SOA).Serial != 12 {
		t.Errorf("got %s\n%v", got, out.Msg())
	}
	zone := recordsOf(t, soa)
	rrs, void, err := Zone(zone, names, askNobody{t})
	if err != nil || len(rrs) != 2 || rrs[0].(*dns.SOA).Serial != 12 || !void {
		t.Errorf("got %v, %v, %v", rrs, void, err)
	}
}

// R9: hints stay only where it is certain whose addresses they are.
func TestR9_WhatIsAskedOfTargets(t *testing.T) {
	const hints = " ipv4hint=10.66.0.1"
	holdTold(t, testMap, true, []gateCase{
		{"something else in reply", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", "svc.example.org. 60 IN HTTPS 1 plain.example.org." + hints, "plain.example.org. A", "x.example.org. 60 IN A 10.66.0.1"}, "NOERROR substituted | svc.example.org. HTTPS 1 plain.example.org."},
		{"behind an alias, foreign", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", "svc.example.org. 60 IN HTTPS 1 alias.example.org." + hints, "alias.example.org. A", "alias.example.org. 60 IN CNAME cdn.example."}, "NOERROR substituted | svc.example.org. HTTPS 1 alias.example.org."},
		{"not of the wildcard", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", "svc.example.org. 60 IN HTTPS 1 own.wild.example.org. ipv4hint=198.51.100.1", "own.wild.example.org. A and wildcard", noData}, "NOERROR passed | svc.example.org. HTTPS 1 own.wild.example.org. ipv4hint=198.51.100.1"},
		{"an alias, not of the wildcard", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", "svc.example.org. 60 IN HTTPS 1 own.wild.example.org. ipv4hint=198.51.100.1", "own.wild.example.org. A and wildcard", "own.wild.example.org. 60 IN CNAME plain.example.org.", "plain.example.org. A", "plain.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | svc.example.org. HTTPS 1 own.wild.example.org. ipv4hint=198.51.100.1"},
	})
	holdTold(t, nestedMap, true, []gateCase{
		{"of another block, which answers by itself", "svc.example.net. HTTPS", []string{"svc.example.net. HTTPS", "svc.example.net. 60 IN HTTPS 1 www.example.com." + hints}, "NOERROR substituted | svc.example.net. HTTPS 1 www.example.com."},
	})
	holdTold(t, nestedMap, false, []gateCase{
		{"of another block, which is not asked", "svc.example.net. HTTPS", []string{"svc.example.net. HTTPS", "svc.example.net. 60 IN HTTPS 1 www.example.com." + hints}, "NOERROR substituted | svc.example.net. HTTPS 1 www.example.com. ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
	})
}

// R1: of an unproxied name, everything leaves as it is, but for what stands at proxied
// names and what only their aliases lead to.
func TestR1_BesideProxiedNames(t *testing.T) {
	const mx = "example.org. 60 IN MX 10 plain.example.org."
	holdTold(t, testMap, true, []gateCase{
		{"signed", "example.org. MX", []string{"example.org. MX", mx + "; |; |; tsig"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | TSIG"},
		{"signed, and something dropped", "example.org. MX", []string{"example.org. MX", mx + "; |; |; six.example.org. 60 IN A 10.66.0.1; tsig"}, "NOERROR passed | example.org. MX 10 plain.example.org."},
		{"signatures of unproxied names", "example.org. MX", []string{"example.org. MX", mx + "; |; |; plain.example.org. 60 IN A 198.51.100.1; plain.example.org. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA; six.example.org. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA; six.example.org. 60 IN RRSIG MX 13 3 60 20300101000000 20200101000000 1 example.org. AAAA"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | plain.example.org. A 198.51.100.1; plain.example.org. RRSIG A; six.example.org. RRSIG MX"},
		{"an alias in the additional section", "example.org. MX", []string{"example.org. MX", mx + "; |; |; flat.example.org. 60 IN CNAME hidden.example.; hidden.example. 60 IN TXT hidden; hidden.example. 60 IN HTTPS 1 . alpn=h2; hidden.example. 60 IN A 10.66.0.1; hidden.example. 60 IN CNAME more.example.; more.example. 60 IN A 10.66.0.2; open.example. 60 IN TXT text; open.example. 60 IN CNAME next.example.; next.example. 60 IN A 198.51.100.1"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | open.example. TXT text; open.example. CNAME next.example.; next.example. A 198.51.100.1"},
		{"an alias in the authority section", "example.org. MX", []string{"example.org. MX", mx + "; |; flat.example.org. 60 IN CNAME hidden.example.; hidden.example. 60 IN A 10.66.0.1; hidden.example. 60 IN TXT hidden; open.example. 60 IN A 198.51.100.1"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | open.example. A 198.51.100.1"},
		{"an alias of the same name, elsewhere", "alias.example.org. MX", []string{"alias.example.org. MX", "alias.example.org. 60 IN CNAME t.example.; t.example. 60 IN MX 10 t.example.; t.example. 60 IN A 198.51.100.1; t.example. 60 IN HTTPS 1 . alpn=h2; flat.example.org. 60 IN CNAME t.example."}, "NOERROR passed | alias.example.org. CNAME t.example.; t.example. MX 10 t.example.; t.example. A 198.51.100.1; t.example. HTTPS 1 . alpn=h2"},
		{"aliases that were asked for", "alias.example.org. CNAME", []string{"alias.example.org. CNAME", "alias.example.org. 60 IN CNAME flat.example.org.; flat.example.org. 60 IN CNAME hidden.example.; hidden.example. 60 IN A 10.66.0.1"}, "NOERROR passed | alias.example.org. CNAME flat.example.org."},
		{"an alias only in the additional section", "alias.example.org. MX", []string{"alias.example.org. MX", "|; |; alias.example.org. 60 IN CNAME www.example.org.; www.example.org. 60 IN A 10.66.0.1"}, "NOERROR passed | | | alias.example.org. CNAME www.example.org."},
		{"an alias only in the additional section", "alias.example.org. MX", []string{"alias.example.org. MX", "alias.example.org. 60 IN MX 10 plain.example.org.; www.example.org. 60 IN A 10.66.0.1; |; |; alias.example.org. 60 IN CNAME www.example.org."}, "NOERROR passed | alias.example.org. MX 10 plain.example.org.; | | alias.example.org. CNAME www.example.org."},
		{"an alias of another name", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 plain.example.org.; www.example.org. 60 IN A 10.66.0.1; other.example. 60 IN CNAME www.example.org."}, "NOERROR passed | plain.example.org. MX 10 plain.example.org.; other.example. CNAME www.example.org."},
		{"mapped addresses", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; www.example.org. 60 IN A 192.0.2.1; www.example.org. 60 IN AAAA 2001:db8::1; www.example.org. 60 IN A 10.66.0.1; www.example.org. 60 IN AAAA 2001:db8:66::1"}, "NOERROR passed | plain.example.org. MX 10 www.example.org.; www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"below a DNAME", "a.www.example.org. TXT", []string{"a.www.example.org. TXT", "www.example.org. 60 IN DNAME example.; a.www.example.org. 60 IN CNAME a.example.; a.example. 60 IN TXT text"}, "NOERROR passed | www.example.org. DNAME example.; a.www.example.org. CNAME a.example.; a.example. TXT text"},
		{"beside DNAMEs", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; six.example.org. 60 IN DNAME hidden.example.; open.example. 60 IN DNAME example."}, "NOERROR passed | plain.example.org. MX 10 www.example.org.; open.example. DNAME example."},
		{"behind an alias, a DNAME", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; flat.example.org. 60 IN CNAME a.example.; a.example. 60 IN DNAME b.example."}, "NOERROR passed | plain.example.org. MX 10 www.example.org."},
		{"what is about names behind an alias", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; flat.example.org. 60 IN CNAME hidden.example.; hidden.example. 60 IN RRSIG TXT 13 3 60 20300101000000 20200101000000 1 example. AAAA; hidden.example. 60 IN DNAME b.example.; |; hidden.example. 60 IN SOA ns h 1 2 3 4 5; hidden.example. 60 IN NS ns.example.; hidden.example. 60 IN NSEC i.example. A; |; hidden.example. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example. AAAA"}, "NOERROR passed | plain.example.org. MX 10 www.example.org."},
		{"a DNAME on the way behind an alias", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; flat.example.org. 60 IN CNAME a.hidden.example.; hidden.example. 60 IN DNAME b.example.; a.hidden.example. 60 IN CNAME a.b.example.; a.b.example. 60 IN TXT hidden"}, "NOERROR passed | plain.example.org. MX 10 www.example.org."},
		{"a DNAME on the way of both", "alias.example.org. MX", []string{"alias.example.org. MX", "alias.example.org. 60 IN CNAME a.red.example.; red.example. 60 IN DNAME blue.example.; a.red.example. 60 IN CNAME a.blue.example.; a.blue.example. 60 IN MX 10 www.example.org.; flat.example.org. 60 IN CNAME b.red.example."}, "NOERROR passed | alias.example.org. CNAME a.red.example.; red.example. DNAME blue.example.; a.red.example. CNAME a.blue.example.; a.blue.example. MX 10 www.example.org."},
		{"OPT and TSIG out of place", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; opt hidden; tsig; |; opt hidden; tsig"}, "NOERROR passed | plain.example.org. MX 10 www.example.org."},
		{"a service", "plain.example.org. SVCB", []string{"plain.example.org. SVCB", "plain.example.org. 60 IN SVCB 1 www.example.org. ipv4hint=10.66.0.1"}, "NOERROR substituted | plain.example.org. SVCB 1 www.example.org. ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
		{"cut short, and signed", "example.org. MX tcp", []string{"example.org. MX", "tc; " + mx + "; |; |; tsig"}, "NOERROR tc passed | example.org. MX 10 plain.example.org.; | | TSIG"},
		{"cut short", "example.org. MX tcp", []string{"example.org. MX", "tc; " + mx}, "NOERROR tc passed | example.org. MX 10 plain.example.org."},
		{"cut short, and something dropped", "example.org. MX tcp", []string{"example.org. MX", "tc; " + mx + "; |; |; six.example.org. 60 IN A 10.66.0.1"}, "SERVFAIL withheld"},
		{"cut short, and something dropped", "example.org. MX", []string{"example.org. MX", "tc; " + mx + "; |; |; six.example.org. 60 IN A 10.66.0.1"}, "NOERROR tc passed | example.org. MX 10 plain.example.org."},
		{"of another class", "www.example.com. A CH", []string{"www.example.com. A", "about www.example.com. A CH; www.example.com. 60 CH TXT text"}, "NOERROR passed | www.example.com. TXT text"},
	})
}

// R23: what stays truncated over TCP is SERVFAIL where a proxied name is in play.
func TestR23_StaysTruncated(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"over TCP", "www.example.org. TXT tcp", []string{"www.example.org. TXT", "tc; www.example.org. 60 IN TXT text"}, "SERVFAIL withheld"},
		{"over UDP", "www.example.org. TXT", []string{"www.example.org. TXT", "tc; www.example.org. 60 IN TXT text"}, "NOERROR tc passed | www.example.org. TXT text"},
	})
}

// A record that is of another kind than its type says cannot be judged.
func TestR23_RawRecords(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"a service", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", "raw svc.example.org. HTTPS"}, "SERVFAIL withheld"},
		{"a signature", "example.org. MX", []string{"example.org. MX", "example.org. 60 IN MX 10 plain.example.org.; raw example.org. RRSIG; six.example.org. 60 IN A 10.66.0.1"}, "SERVFAIL withheld"},
		{"OPT", "example.org. MX", []string{"example.org. MX", "example.org. 60 IN MX 10 plain.example.org.; |; |; raw . OPT; six.example.org. 60 IN A 10.66.0.1"}, "NOERROR passed | example.org. MX 10 plain.example.org."},
		{"an address", "www.example.org. TXT", []string{"www.example.org. TXT", "www.example.org. 60 IN TXT text; |; |; raw www.example.org. A"}, "NOERROR passed | www.example.org. TXT text"},
		{"a name server", "x.sub.example.net. A", []string{"x.sub.example.net. A", "noaa; |; raw sub.example.net. NS; |; ns.sub.example.net. 60 IN A 10.66.0.1"}, "NOERROR passed | | sub.example.net. raw NS"},
		{"an SOA", "x.sub.example.net. MX serials", []string{"x.sub.example.net. MX", "|; raw example.net. SOA"}, "NOERROR passed | | example.net. raw SOA"},
	})
}

// R11: the additional addresses of a name that a record names, whatever its type, are
// the mapped ones; those of any other proxied name are dropped.
func TestR11_WhoseAddresses(t *testing.T) {
	const address = "; |; |; www.example.org. 60 IN A 10.66.0.1"
	holdTold(t, testMap, true, []gateCase{
		{"", "example.org. NS", []string{"example.org. NS", "example.org. 60 IN NS www.example.org." + address}, "NOERROR substituted | example.org. NS www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org." + address}, "NOERROR substituted | plain.example.org. MX 10 www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. SRV", []string{"plain.example.org. SRV", "plain.example.org. 60 IN SRV 0 0 1 www.example.org." + address}, "NOERROR substituted | plain.example.org. SRV 0 0 1 www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. NAPTR", []string{"plain.example.org. NAPTR", `plain.example.org. 60 IN NAPTR 1 1 "a" "x" "" www.example.org.` + address}, "NOERROR substituted | plain.example.org. NAPTR 1 1 a x  www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. PTR", []string{"plain.example.org. PTR", "plain.example.org. 60 IN PTR www.example.org." + address}, "NOERROR substituted | plain.example.org. PTR www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. KX", []string{"plain.example.org. KX", "plain.example.org. 60 IN KX 10 www.example.org." + address}, "NOERROR substituted | plain.example.org. KX 10 www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. AFSDB", []string{"plain.example.org. AFSDB", "plain.example.org. 60 IN AFSDB 1 www.example.org." + address}, "NOERROR substituted | plain.example.org. AFSDB 1 www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. RT", []string{"plain.example.org. RT", "plain.example.org. 60 IN RT 1 www.example.org." + address}, "NOERROR substituted | plain.example.org. RT 1 www.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. SVCB", []string{"plain.example.org. SVCB", "plain.example.org. 60 IN SVCB 1 www.example.org. alpn=h2" + address}, "NOERROR substituted | plain.example.org. SVCB 1 www.example.org. alpn=h2; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"", "plain.example.org. HTTPS", []string{"plain.example.org. HTTPS", "plain.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2" + address}, "NOERROR substituted | plain.example.org. HTTPS 1 www.example.org. alpn=h2; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"of itself", "www.example.org. HTTPS", []string{"www.example.org. HTTPS", "www.example.org. 60 IN HTTPS 1 . alpn=h2" + address}, "NOERROR substituted | www.example.org. HTTPS 1 . alpn=h2; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1"},
		{"named by nothing", "plain.example.org. TXT", []string{"plain.example.org. TXT", "plain.example.org. 60 IN TXT www.example.org." + address}, "NOERROR passed | plain.example.org. TXT www.example.org."},
		{"mapped already", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; |; |; www.example.org. 60 IN A 192.0.2.1"}, "NOERROR passed | plain.example.org. MX 10 www.example.org.; | | www.example.org. A 192.0.2.1"},
		{"mapped already", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; |; |; www.example.org. 60 IN AAAA 2001:db8::1"}, "NOERROR passed | plain.example.org. MX 10 www.example.org.; | | www.example.org. AAAA 2001:db8::1"},
		{"of another directive", "plain.example.org. MX", []string{"plain.example.org. MX", "gated www.example.org.; plain.example.org. 60 IN MX 10 www.example.org.; |; |; www.example.org. 60 IN A 192.0.2.9; www.example.org. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA; www.example.org. 60 IN TXT text; www.example.org. 60 IN HTTPS 1 . ipv4hint=192.0.2.9"}, "NOERROR passed | plain.example.org. MX 10 www.example.org.; | | www.example.org. A 192.0.2.9; www.example.org. RRSIG A; www.example.org. TXT text; www.example.org. HTTPS 1 . ipv4hint=192.0.2.9"},
		{"of another class", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.org.; |; |; www.example.org. 60 CH A 10.66.0.1"}, "NOERROR passed | plain.example.org. MX 10 www.example.org."},
		{"of a zone where AAAA depends on the backend", "plain.example.org. MX", []string{"plain.example.org. MX", "plain.example.org. 60 IN MX 10 www.example.net.; |; |; www.example.net. 60 IN A 10.66.0.1; www.example.net. 60 IN A 10.66.0.2", "www.example.net. AAAA", ""}, "NOERROR substituted | plain.example.org. MX 10 www.example.net.; | | www.example.net. A 192.0.2.1"},
	})
}

// R6, R13: at a proxied name, the type that was asked for.
func TestR13_AtThatNameAlone(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"another name beside it", "www.example.org. TXT", []string{"www.example.org. TXT", "www.example.org. 60 IN TXT text; six.example.org. 60 IN TXT hidden"}, "NOERROR passed | www.example.org. TXT text"},
		{"what is about the zone", "x.example.net. TXT", []string{"x.example.net. TXT", "|; example.net. 60 IN SOA ns h 1 2 3 4 5; h.example.net. 60 IN NSEC3 1 0 0 - 00 A; h.example.net. 60 IN NSEC3PARAM 1 0 0 -; h.example.net. 60 IN DNSKEY 257 3 13 AAAA; h.example.net. 60 IN NSEC i.example.net. A; h.example.net. 60 IN DS 1 13 2 00; h.example.net. 60 IN CDS 1 13 2 00"}, "NOERROR passed | | example.net. SOA; h.example.net. NSEC3 1 0 0 - 00 A; h.example.net. NSEC3PARAM 1 0 0 -; h.example.net. DNSKEY 257 3 13 AAAA; h.example.net. NSEC i.example.net. A; h.example.net. DS 1 13 2 00"},
		{"the zone's SOA, and serials", "www.example.org. TXT serials", []string{"www.example.org. TXT", noData}, "NOERROR passed | | example.org. SOA"},
	})
}

// R7: what another directive answered at the end of a chain.
func TestR7_EndsAtAnotherDirective(t *testing.T) {
	const chain = "gated www.example.com.; alias.example.net. 60 IN CNAME www.example.com.; "
	const signature = "; www.example.com. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.com. AAAA"
	holdTold(t, nestedMap, true, []gateCase{
		{"text", "alias.example.net. TXT", []string{"alias.example.net. TXT", chain + "www.example.com. 60 IN TXT text"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. TXT text"},
		{"text that it did not answer", "alias.example.net. TXT", []string{"alias.example.net. TXT", strings.TrimPrefix(chain, "gated www.example.com.; ") + "www.example.com. 60 IN TXT hidden"}, "SERVFAIL withheld"},
		{"signatures", "alias.example.net. A", []string{"alias.example.net. A", chain + "www.example.com. 60 IN A 192.0.2.9" + signature}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. A 192.0.2.9; www.example.com. RRSIG A"},
		{"more beside it", "alias.example.net. A", []string{"alias.example.net. A", chain + "www.example.com. 60 IN A 192.0.2.9; |; |; plain.example.net. 60 IN A 198.51.100.1; opt text"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. A 192.0.2.9; | | plain.example.net. A 198.51.100.1; OPT"},
		{"a service", "alias.example.net. HTTPS", []string{"alias.example.net. HTTPS", chain + "www.example.com. 60 IN HTTPS 1 . ipv4hint=192.0.2.9"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. HTTPS 1 . ipv4hint=192.0.2.9"},
		{"ANY", "alias.example.net. ANY", []string{"alias.example.net. ANY", chain + "www.example.com. 60 IN A 192.0.2.9; |; |; plain.example.net. 60 IN A 198.51.100.1; opt text"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; | | OPT"},
		{"an alias that it answered", "alias.example.net. TXT", []string{"alias.example.net. TXT", chain + "www.example.com. 60 IN CNAME t.example.; t.example. 60 IN TXT hidden"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. CNAME t.example."},
		{"mapped as it would be here", "alias.example.net. A", []string{"alias.example.net. A", "alias.example.net. 60 IN CNAME www.example.com.; www.example.com. 60 IN A 192.0.2.1", "www.example.com. A", "www.example.com. 60 IN A 192.0.2.1"}, "NOERROR substituted | alias.example.net. CNAME www.example.com.; www.example.com. A 192.0.2.1"},
	})
}

// The gate alone, were it asked to let a proxied name's own address or alias out: it
// is closed, whoever asked and for whatever type.
func TestOneRule_TheGateAlone(t *testing.T) {
	for text, want := range map[string]string{
		"www.example.org. 60 IN A 10.66.0.1":                                                       "SERVFAIL withheld",
		"www.example.org. 60 IN AAAA 2001:db8:66::1":                                               "SERVFAIL withheld",
		"www.example.org. 60 IN CNAME hidden.example.":                                             "SERVFAIL withheld",
		"www.example.org. 60 IN A 192.0.2.1":                                                       "NOERROR passed | www.example.org. A 192.0.2.1",
		"www.example.org. 60 IN TXT text":                                                          "NOERROR passed | www.example.org. TXT text",
		"www.example.org. 60 IN SVCB 1 . alpn=h2 ipv4hint=10.66.0.1":                               "NOERROR substituted | www.example.org. SVCB 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
		"www.example.org. 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA": "NOERROR passed",
	} {
		rr := recordsOf(t, text)
		names := testNames(t, testMap, true)
		q := question{"www.example.org.", "www.example.org.", rr[0].Header().Rrtype}
		req := new(dns.Msg).SetQuestion(q.name, q.qtype)
		c := &conversation{req: req, asked: q.owner, names: *names, x: &script{tb: t}}
		reply := new(dns.Msg).SetReply(req)
		reply.Answer = rr
		for kind, want := range map[kind]string{proxied: want, elsewhere: want, undecided: "SERVFAIL withheld"} {
			if kind == undecided && rr[0].Header().Rrtype == dns.TypeRRSIG {
				want = "NOERROR passed"
			}
			if kind != proxied && rr[0].Header().Rrtype == dns.TypeSVCB {
				want = "NOERROR substituted | www.example.org. SVCB 1 . alpn=h2"
			}
			if got := toldText(c.pass(q, standing{kind, names.Lookup(q.owner)}, &Reply{Msg: reply})); got != want {
				t.Errorf("%s, kind %d: got %s, want %s", text, kind, got, want)
			}
		}
	}
}

// R28: ANY at an alias of a proxied name: the alias and what leads to it.
func TestR28_NothingBehindTheAlias(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"by DNAME", "a.red.example.org. ANY", []string{"a.red.example.org. ANY", "red.example.org. 60 IN DNAME example.net.; a.red.example.org. 60 IN CNAME a.example.net.; other.example.org. 60 IN DNAME example.; red.example.org. 60 IN TXT text; |; |; plain.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | red.example.org. DNAME example.net.; a.red.example.org. CNAME a.example.net."},
		{"in whatever order", "alias.example.org. ANY", []string{"alias.example.org. ANY", "between.example. 60 IN CNAME www.example.org.; alias.example.org. 60 IN CNAME between.example.; www.example.org. 60 IN TXT hidden"}, "NOERROR passed | alias.example.org. CNAME between.example."},
		{"of an unproxied name", "alias.example.org. ANY", []string{"alias.example.org. ANY", "alias.example.org. 60 IN CNAME plain.example.org.; plain.example.org. 60 IN A 198.51.100.1; |; |; other.example.org. 60 IN A 198.51.100.2"}, "NOERROR passed | alias.example.org. CNAME plain.example.org.; plain.example.org. A 198.51.100.1; | | other.example.org. A 198.51.100.2"},
	})
}

// R28: the same where this directive does not act for the name in question, and another
// one answered for the name that it leads to.
func TestR28_OfAnotherDirective(t *testing.T) {
	const chain = "alias.example. 60 IN CNAME www.example.com.; www.example.com. 60 IN TXT text; |; |; x.example. 60 IN A 198.51.100.1"
	holdTold(t, nestedMap, true, []gateCase{
		{"which answered", "alias.example. ANY", []string{"alias.example. ANY", "gated www.example.com.; " + chain}, "NOERROR passed | alias.example. CNAME www.example.com."},
		{"which did not", "alias.example. ANY", []string{"alias.example. ANY", chain}, "NOERROR passed | alias.example. CNAME www.example.com.; www.example.com. TXT text; | | x.example. A 198.51.100.1"},
		{"of an unproxied name", "alias.example. ANY", []string{"alias.example. ANY", "gated plain.example.com.; " + strings.ReplaceAll(chain, "www.", "plain.")}, "NOERROR passed | alias.example. CNAME plain.example.com.; plain.example.com. TXT text; | | x.example. A 198.51.100.1"},
	})
}

// R30: the text of an error leaves only where no proxied name is in play.
func TestR30_TextsOfErrors(t *testing.T) {
	const mx = "example.org. 60 IN MX 10 plain.example.org."
	holdTold(t, testMap, true, []gateCase{
		{"of an unproxied name", "example.org. MX", []string{"example.org. MX", mx + "; |; |; tsig; opt text"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | TSIG; OPT text"},
		{"something dropped", "example.org. MX", []string{"example.org. MX", mx + "; |; |; six.example.org. 60 IN A 10.66.0.1; opt hidden"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | OPT"},
		{"an alias beside it, of another directive", "example.org. MX", []string{"example.org. MX", "gated www.example.org.; " + mx + "; |; |; www.example.org. 60 IN CNAME x.example.; opt hidden"}, "NOERROR passed | example.org. MX 10 plain.example.org.; | | www.example.org. CNAME x.example.; OPT"},
		{"of a proxied name", "www.example.org. TXT", []string{"www.example.org. TXT", "www.example.org. 60 IN TXT text; |; |; opt hidden"}, "NOERROR passed | www.example.org. TXT text; | | OPT"},
		{"none, and signed", "www.example.org. TXT", []string{"www.example.org. TXT", "www.example.org. 60 IN TXT text; |; |; opt; tsig"}, "NOERROR passed | www.example.org. TXT text; | | OPT; TSIG"},
		{"one, and signed", "www.example.org. TXT", []string{"www.example.org. TXT", "www.example.org. 60 IN TXT text; |; |; opt hidden; tsig"}, "NOERROR passed | www.example.org. TXT text; | | OPT"},
	})
}

// R21: header and question of a response to another opcode, OPT, and TSIG if nothing
// else was in it.
func TestR21_Bare(t *testing.T) {
	req := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeSOA)
	req.Opcode = dns.OpcodeNotify
	address := recordsOf(t, "www.example.org. 60 IN A 10.66.0.1")
	tsig := &dns.TSIG{Hdr: dns.RR_Header{Name: "key.", Rrtype: dns.TypeTSIG}}
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: []dns.EDNS0{&dns.EDNS0_EDE{ExtraText: "hidden"}}}
	for _, c := range []struct {
		why  string
		m    *dns.Msg
		want string
	}{
		{"nothing", &dns.Msg{}, "NOERROR passed"},
		{"OPT and TSIG", &dns.Msg{Extra: []dns.RR{opt, tsig}}, "NOERROR passed | | | OPT; TSIG"},
		{"an answer", &dns.Msg{Answer: address, Extra: []dns.RR{opt, tsig}}, "NOERROR passed | | | OPT"},
		{"authority", &dns.Msg{Ns: address, Extra: []dns.RR{opt, tsig}}, "NOERROR passed | | | OPT"},
		{"an additional record", &dns.Msg{Extra: append([]dns.RR{opt, tsig}, address...)}, "NOERROR passed | | | OPT"},
	} {
		before := len(c.m.Extra)
		if got := toldText(Outcome{Released: Bare(req, c.m)}); strings.TrimRight(got, " |") != strings.TrimRight(c.want, " |") {
			t.Errorf("%s: got %s, want %s", c.why, got, c.want)
		}
		if len(c.m.Extra) != before {
			t.Errorf("%s: the response was written to", c.why)
		}
	}
}

// R1: the common response about an unproxied name passes by the first glance, and any
// other is left as it is, uncopied, if all of it may leave.
func TestR1_ByTheFirstGlance(t *testing.T) {
	q := question{"plain.example.org.", "plain.example.org.", dns.TypeA}
	for text, want := range map[string]bool{
		"A 198.51.100.1": true, "TXT text": true, "MX 10 www": true, "RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA": true,
		"CNAME www": false, "HTTPS 1 www": false, "SVCB 1 www": false, "SOA ns h 1 2 3 4 5": false,
	} {
		if got := plain(q, &dns.Msg{Answer: recordsOf(t, "plain.example.org. 60 IN "+text)}, false); got != want {
			t.Errorf("an answer of %s: got %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"NS ns": true, "DS 1 13 2 00": true, "NSEC example.org. A": true, "NSEC3 1 0 0 - 00 A": true, "SOA ns h 1 2 3 4 5": true,
		"RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA": true, "A 198.51.100.1": false, "CNAME www": false,
	} {
		m := &dns.Msg{Ns: recordsOf(t, "example.org. 60 IN "+text)}
		if got := plain(q, m, false); got != want {
			t.Errorf("an authority section of %s: got %v", text, got)
		}
		if got := plain(q, m, true); got != (want && !strings.HasPrefix(text, "SOA")) {
			t.Errorf("with serials, an authority section of %s: got %v", text, got)
		}
	}
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	if !plain(q, &dns.Msg{Extra: []dns.RR{opt}}, false) || plain(q, &dns.Msg{Extra: recordsOf(t, "plain.example.org. 60 IN A 198.51.100.1")}, false) {
		t.Error("of the additional section, OPT alone passes")
	}

	g := new(gate)
	rrs := recordsOf(t, "plain.example.org. 60 IN A 198.51.100.1; plain.example.org. 60 IN A 198.51.100.2")
	passing, ok := g.section(rrs, func(dns.RR, fqdn.Name) ruling { return ruling{fate: passed} })
	if valid := g.valid(passing); !ok || g.changed || &passing[0] != &rrs[0] || &valid[0] != &rrs[0] {
		t.Errorf("want the section itself, got %v, %v", passing, valid)
	}
}
