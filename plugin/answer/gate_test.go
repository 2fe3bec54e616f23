package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
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
      - {name: v4.example.org, ipv6: false, proxied: [{name: www, ipv4_only: true}]}
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
			req := new(dns.Msg).SetQuestion(f[0], dns.StringToType[f[1]])
			if slices.Contains(f, "CH") {
				req.Question[0].Qclass = dns.ClassCHAOS
			}
			out := respond(req, names, backend)
			if !slices.Equal(backend.asked, asked) {
				t.Errorf("asked %q\nwant  %q", backend.asked, asked)
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
	case *dns.OPT:
		text := "OPT"
		for _, o := range rr.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok {
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

// R10: nothing is asked that a synthesized record does not hang on.
func TestR10_WhatIsAskedForARecord(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"none is made", "www.example.org. HTTPS", []string{"www.example.org. HTTPS", noData}, "NOERROR passed | | example.org. SOA"},
	})
	holdTold(t, nestedMap, true, []gateCase{
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
		{"of a name beside it", "example.net. MX", []string{"example.net. MX", "example.net. 60 IN MX 10 plain.example.net.; |; |; plain.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | example.net. MX 10 plain.example.net.; | | plain.example.net. A 198.51.100.1"},
	})
	holdTold(t, nestedMap, true, []gateCase{
		{"nothing above covers it", "y.in.example.net. A", []string{"y.in.example.net. A", "y.in.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | y.in.example.net. A 198.51.100.1"},
		{"the list above names it", "x.in.example.net. A", []string{"x.in.example.net. A and wildcard", "x.in.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | x.in.example.net. A 198.51.100.1"},
		{"another block answered", "alias.example.net. A", []string{"alias.example.net. A", "gated www.example.com.; alias.example.net. 60 IN CNAME www.example.com.; www.example.com. 60 IN A 192.0.2.9"}, "NOERROR passed | alias.example.net. CNAME www.example.com.; www.example.com. A 192.0.2.9"},
	})
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
