package answer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// attackMap is of what an attacker tried: the zones below example.com are of another
// server block, and the map does not know example.net.
const attackMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    zones:
      - {name: example.org, proxied: [www, six, ns.sub, ns.other, ns]}
      - {name: example.com, proxied: ["*"]}
      - {name: deep.example.com, proxied: [own, {name: four, ipv4_only: true}, {name: api, proxied: false}]}
      - {name: far.deep.example.com, proxied: [own]}
      - {name: wild.example.com, proxied: [{name: "*", ipv4_only: true}]}
      - {name: open.example, proxied: [own]}
      - {name: deep.open.example, proxied: [own]}
      - {name: six.example, ipv6: false, proxied: [own]}
`

// R12: what is no referral has no glue: the addresses of proxied name servers in it are
// mapped, and dropped where nothing names them.
func TestR12_WhatIsNoReferral(t *testing.T) {
	const (
		ns     = "sub.example.org. 60 IN NS ns.sub.example.org."
		told   = "sub.example.org. NS ns.sub.example.org."
		glue   = "; |; ns.sub.example.org. 60 IN A 10.66.0.1"
		mapped = "; | ns.sub.example.org. A 192.0.2.1; ns.sub.example.org. AAAA 2001:db8::1"
		alias  = "alias.example.org. 60 IN CNAME between.example.org.; between.example.org. 60 IN CNAME x.sub.example.org."
		aliasT = "alias.example.org. CNAME between.example.org.; between.example.org. CNAME x.sub.example.org."
		kept   = "; | ns.sub.example.org. A 10.66.0.1"
		a      = "x.sub.example.org. A"
	)
	holdTold(t, attackMap, true, []gateCase{
		{"a referral", a, []string{a, "noaa; |; " + ns + glue}, "NOERROR passed | | " + told + kept},
		{"a referral at the cut", "sub.example.org. A", []string{"sub.example.org. A", "noaa; |; " + ns + glue}, "NOERROR passed | | " + told + kept},
		{"authoritative", a, []string{a, "|; " + ns + glue}, "NOERROR substituted | | " + told + mapped},
		{"NXDOMAIN", a, []string{a, "noaa; NXDOMAIN; |; " + ns + glue}, "NXDOMAIN substituted | | " + told + mapped},
		{"SERVFAIL", a, []string{a, "noaa; SERVFAIL; |; " + ns + glue}, "SERVFAIL substituted | | " + told + mapped},
		{"REFUSED", a, []string{a, "noaa; REFUSED; |; " + ns + glue}, "REFUSED substituted | | " + told + mapped},
		{"of class CH", a, []string{a, "noaa; |; " + strings.Replace(ns, "IN", "CH", 1) + glue}, "NOERROR substituted | | " + told + mapped},
		{"of the root", a, []string{a, "noaa; |; . 60 IN NS ns.sub.example.org." + glue}, "NOERROR substituted | | . NS ns.sub.example.org." + mapped},
		{"of another name", "x.example.org. A", []string{"x.example.org. A", "noaa; |; " + ns + glue}, "NOERROR substituted | | " + told + mapped},
		{"of a name beside it", "xsub.example.org. A", []string{"xsub.example.org. A", "noaa; |; " + ns + glue}, "NOERROR substituted | | " + told + mapped},
		{"of the name that aliases lead to", "alias.example.org. A", []string{"alias.example.org. A", "noaa; " + alias + "; |; " + ns + glue}, "NOERROR passed | " + aliasT + "; | " + told + kept},
		{"of the name that signed aliases lead to", "alias.example.org. A", []string{"alias.example.org. A", "noaa; " + alias + "; alias.example.org. 60 IN RRSIG CNAME 13 3 60 20300101000000 20200101000000 1 example.org. AAAA; |; " + ns + glue}, "NOERROR passed | " + aliasT + "; alias.example.org. RRSIG CNAME; | " + told + kept},
		{"of another name than aliases lead to", "alias.example.org. A", []string{"alias.example.org. A", "noaa; " + alias + "; |; " + strings.ReplaceAll(ns+glue, "sub.", "other.")},
			"NOERROR substituted | " + aliasT + "; | " + strings.ReplaceAll(told+mapped, "sub.", "other.")},
		{"answered below the cut", a, []string{a, "noaa; x.sub.example.org. 60 IN A 198.51.100.1; |; " + ns + glue}, "NOERROR substituted | x.sub.example.org. A 198.51.100.1; | " + told + mapped},
		{"answered at the cut", a, []string{a, "noaa; Sub.example.org. 60 IN TXT text; |; " + ns + glue}, "NOERROR substituted | Sub.example.org. TXT text; | " + told + mapped},
		{"answered at the end of aliases", "alias.example.org. A", []string{"alias.example.org. A", "noaa; " + alias + "; x.sub.example.org. 60 IN A 198.51.100.1; |; " + ns + glue}, "NOERROR substituted | " + aliasT + "; x.sub.example.org. A 198.51.100.1; | " + told + mapped},
		{"a server of another cut, named by nothing", a, []string{a, "noaa; NXDOMAIN; |; sub.example.org. 60 IN NS ns.example." + glue}, "NXDOMAIN passed | | sub.example.org. NS ns.example."},
		{"no server of the cut, above it", a, []string{a, "noaa; |; sub.example.org. 60 IN NS ns.example.org.; |; ns.example.org. 60 IN A 10.66.0.1"}, "NOERROR substituted | | sub.example.org. NS ns.example.org.; | ns.example.org. A 192.0.2.1; ns.example.org. AAAA 2001:db8::1"},
	})
	holdTold(t, strings.Replace(attackMap, "[www, ", "[x.sub, ", 1), true, []gateCase{ // in answer to a proxied name
		{"a referral", a, []string{a, "noaa; |; " + ns + glue}, "NOERROR passed | | " + told + kept},
		{"authoritative", a, []string{a, "|; " + ns + glue}, "NOERROR substituted | | " + told + mapped},
		{"NXDOMAIN", a, []string{a, "noaa; NXDOMAIN; |; " + ns + glue}, "NXDOMAIN substituted | | " + told + mapped},
		{"of class CH", a, []string{a, "noaa; |; " + strings.Replace(ns, "IN", "CH", 1) + glue}, "NOERROR substituted | | " + told + mapped},
		{"named by nothing", a, []string{a, "noaa; NXDOMAIN; |; sub.example.org. 60 IN NS ns.example." + glue}, "NXDOMAIN passed | | sub.example.org. NS ns.example."},
	})
}

// R7, R8, R9, R11: a name in a deeper declared zone of another server block, below a
// proxied wildcard. A backend that does not tell is asked for the zone; of one that
// tells, another block is not asked, and the wildcard covers the name.
func TestR8_OutsideBelowAWildcard(t *testing.T) {
	const (
		question = "alias.example.org. A"
		soa      = "deep.example.com. SOA"
		hasIt    = "deep.example.com. 60 IN SOA ns h 1 2 3 4 5"
		hasNot   = "|; example.com. 60 IN SOA ns h 1 2 3 4 5"
		chain    = "alias.example.org. 60 IN CNAME x.deep.example.com."
		address  = "x.deep.example.com. 60 IN A 10.66.0.1"
		mapped   = "x.deep.example.com. A 192.0.2.1"
		mx       = "example.org. 60 IN MX 10 x.deep.example.com."
		https    = "svc.example.org. 60 IN HTTPS 1 x.deep.example.com. alpn=h2 ipv4hint=10.66.0.1"
		service  = "; |; |; x.deep.example.com. 60 IN HTTPS 1 . alpn=h2 ipv4hint=10.66.0.1"
	)
	holdTold(t, attackMap, false, []gateCase{
		{"by an alias", question, []string{question, chain + "; " + address, soa, hasNot, "x.deep.example.com. CNAME", noData, "x.deep.example.com. A", address},
			"NOERROR substituted | alias.example.org. CNAME x.deep.example.com.; " + mapped},
		{"by an alias, and the backend has the zone", question, []string{question, chain + "; x.deep.example.com. 60 IN A 198.51.100.1", soa, hasIt, soa, hasIt, soa, hasIt, soa, hasIt, soa, hasIt},
			"NOERROR passed | alias.example.org. CNAME x.deep.example.com.; x.deep.example.com. A 198.51.100.1"},
		{"an exception, and nothing is asked", question, []string{question, strings.ReplaceAll(chain+"; x.deep.example.com. 60 IN A 198.51.100.1", "x.", "api.")}, "NOERROR passed | alias.example.org. CNAME api.deep.example.com.; api.deep.example.com. A 198.51.100.1"},
		{"by an alias, and nobody knows", question, []string{question, chain + "; " + address, soa, "SERVFAIL; " + hasIt, "x.deep.example.com. CNAME", noData, "x.deep.example.com. A", address},
			"NOERROR substituted | alias.example.org. CNAME x.deep.example.com.; " + mapped},
		{"beside it", "example.org. MX", []string{"example.org. MX", mx + "; |; |; " + address, soa, hasNot}, "NOERROR substituted | example.org. MX 10 x.deep.example.com.; | | " + mapped + "; x.deep.example.com. AAAA 2001:db8::1"},
		{"beside it, and the backend has the zone", "example.org. MX", []string{"example.org. MX", mx + "; |; |; x.deep.example.com. 60 IN A 198.51.100.1", soa, hasIt, soa, hasIt}, "NOERROR passed | example.org. MX 10 x.deep.example.com.; | | x.deep.example.com. A 198.51.100.1"},
		{"its service", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", https, soa, hasNot}, "NOERROR substituted | svc.example.org. HTTPS 1 x.deep.example.com. alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
		{"its service, and the backend has the zone", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", https, soa, hasIt}, "NOERROR substituted | svc.example.org. HTTPS 1 x.deep.example.com. alpn=h2"},
		{"a service of its own beside it", "example.org. MX", []string{"example.org. MX", mx + service, soa, hasNot}, "NOERROR substituted | example.org. MX 10 x.deep.example.com.; | | x.deep.example.com. HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
	})
	holdTold(t, attackMap, true, []gateCase{
		{"by an alias", question, []string{question, chain + "; " + address, "x.deep.example.com. A", address}, "NOERROR substituted | alias.example.org. CNAME x.deep.example.com.; " + mapped},
		{"by an alias, two zones deeper", question, []string{question, strings.ReplaceAll(chain+"; "+address, "x.", "x.far."), "x.far.deep.example.com. A", "x.far.deep.example.com. 60 IN A 10.66.0.1"}, "NOERROR substituted | alias.example.org. CNAME x.far.deep.example.com.; x.far.deep.example.com. A 192.0.2.1"},
		{"by an alias, as text", "alias.example.org. TXT", []string{"alias.example.org. TXT", chain + "; x.deep.example.com. 60 IN TXT hidden"}, "SERVFAIL withheld"},
		{"an exception", question, []string{question, strings.ReplaceAll(chain+"; x.deep.example.com. 60 IN A 198.51.100.1", "x.", "api.")}, "NOERROR passed | alias.example.org. CNAME api.deep.example.com.; api.deep.example.com. A 198.51.100.1"},
		{"nothing above covers it", question, []string{question, strings.ReplaceAll(chain+"; x.deep.example.com. 60 IN A 198.51.100.1", "example.com.", "open.example.")}, "NOERROR passed | alias.example.org. CNAME x.deep.open.example.; x.deep.open.example. A 198.51.100.1"},
		{"beside it", "example.org. MX", []string{"example.org. MX", mx + "; |; |; " + address}, "NOERROR passed | example.org. MX 10 x.deep.example.com."},
		{"beside it, two zones deeper", "example.org. MX", []string{"example.org. MX", strings.ReplaceAll(mx+"; |; |; "+address, "x.", "x.far.")}, "NOERROR passed | example.org. MX 10 x.far.deep.example.com."},
		{"beside it, proxied in its own zone", "example.org. MX", []string{"example.org. MX", strings.ReplaceAll(mx+"; |; |; x.deep.example.com. 60 IN AAAA 2001:db8::1; x.deep.example.com. 60 IN A 192.0.2.1; x.deep.example.com. 60 IN A 10.66.0.1", "x.", "four.")}, "NOERROR passed | example.org. MX 10 four.deep.example.com.; | | four.deep.example.com. A 192.0.2.1"},
		{"beside it, proxied by the wildcard of its own zone", "example.org. MX", []string{"example.org. MX", strings.ReplaceAll(mx+"; |; |; x.deep.example.com. 60 IN AAAA 2001:db8::1; x.deep.example.com. 60 IN A 192.0.2.1; x.deep.example.com. 60 IN A 10.66.0.1", ".deep.", ".wild.")}, "NOERROR passed | example.org. MX 10 x.wild.example.com.; | | x.wild.example.com. A 192.0.2.1"},
		{"beside it, an exception", "example.org. MX", []string{"example.org. MX", strings.ReplaceAll(mx+"; |; |; x.deep.example.com. 60 IN A 198.51.100.1", "x.", "api.")}, "NOERROR passed | example.org. MX 10 api.deep.example.com.; | | api.deep.example.com. A 198.51.100.1"},
		{"its service", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", https}, "NOERROR substituted | svc.example.org. HTTPS 1 x.deep.example.com. alpn=h2"},
		{"a service of its own beside it", "example.org. MX", []string{"example.org. MX", mx + service}, "NOERROR substituted | example.org. MX 10 x.deep.example.com.; | | x.deep.example.com. HTTPS 1 . alpn=h2"},
		{"asked for by its name", "x.deep.example.com. A", []string{"x.deep.example.com. A", "x.deep.example.com. 60 IN A 198.51.100.1; |; |; y.deep.example.com. 60 IN A 198.51.100.2"}, "NOERROR passed | x.deep.example.com. A 198.51.100.1; | | y.deep.example.com. A 198.51.100.2"},
	})
}

// R8: where it is not certain that the backend has the deeper zone, the wildcard above
// covers its names.
func TestR8_NoCertainty(t *testing.T) {
	const soa = "sub.example.org. 60 IN SOA ns h 1 2 3 4 5"
	const question = "x.sub.example.org. A"
	mapped := func(why, reply string) gateCase {
		return gateCase{why, question, []string{"sub.example.org. SOA", reply, "x.sub.example.org. CNAME", "x.sub.example.org. 60 IN CNAME hidden.example."}, "NOERROR substituted | x.sub.example.org. A 192.0.2.1"}
	}
	holdTold(t, nestedMap, false, []gateCase{
		{"certain", question, []string{"sub.example.org. SOA", soa, question, "x.sub.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | x.sub.example.org. A 198.51.100.1"},
		mapped("SERVFAIL", "SERVFAIL; "+soa),
		mapped("REFUSED", "REFUSED; "+soa),
		mapped("NXDOMAIN", "NXDOMAIN; "+soa),
		mapped("cut short", "tc; "+soa),
		mapped("class CH", strings.Replace(soa, "IN", "CH", 1)),
		mapped("beside an alias", soa+"; sub.example.org. 60 IN CNAME hidden.example."),
		mapped("another opcode", "notify; "+soa),
		mapped("about another name", "about example.org. SOA IN; "+soa),
		mapped("of the zone above", scriptSOA),
		mapped("in the authority section", "|; "+soa),
	})
	// It is not remembered either.
	for why, reply := range map[string]string{"SERVFAIL": "SERVFAIL; " + soa, "REFUSED": "REFUSED", "NXDOMAIN": "NXDOMAIN; " + soa, "cut short": "tc; " + soa,
		"beside an alias": soa + "; sub.example.org. 60 IN CNAME hidden.example.", "another opcode": "notify; " + soa, "nothing, cut short": "tc"} {
		names := testNames(t, nestedMap, false)
		names.Backend = Remembering(t, names.Backend)
		backend := &script{tb: t, replies: map[string]string{"sub.example.org. SOA": reply, "x.sub.example.org. CNAME": noData, "y.sub.example.org. A": "y.sub.example.org. 60 IN A 198.51.100.1",
			"x.sub.example.org. A": "x.sub.example.org. 60 IN A 10.66.0.1"}}
		if got := toldText(respond(new(dns.Msg).SetQuestion("x.sub.example.org.", dns.TypeA), names, backend)); got != "NOERROR substituted | x.sub.example.org. A 192.0.2.1" {
			t.Errorf("%s: got %s", why, got)
		}
		backend.replies["sub.example.org. SOA"] = soa
		if got := toldText(respond(new(dns.Msg).SetQuestion("y.sub.example.org.", dns.TypeA), names, backend)); got != "NOERROR passed | y.sub.example.org. A 198.51.100.1" {
			t.Errorf("%s, and then certain: got %s", why, got)
		}
	}
}

// R8: what is certain is asked once, for as long as names are remembered.
func TestR8_CertaintyIsRemembered(t *testing.T) {
	const soa = "sub.example.org. 60 IN SOA ns h 1 2 3 4 5"
	for reply, has := range map[string]bool{soa: true, noData: false, "NXDOMAIN; " + noData: false} {
		for _, remembers := range []bool{true, false} {
			names := testNames(t, nestedMap, false)
			if remembers {
				names.Backend = Remembering(t, names.Backend)
			}
			backend := &script{tb: t, replies: map[string]string{"sub.example.org. SOA": reply}}
			times := 0
			for _, name := range []string{"x.sub.example.org.", "y.sub.example.org."} {
				backend.replies[name+" CNAME"], backend.replies[name+" A"] = noData, name+" 60 IN A 198.51.100.1"
				out := respond(new(dns.Msg).SetQuestion(name, dns.TypeA), names, backend)
				if (out.Verdict == Passed) != has || len(out.Msg().Answer) != 1 {
					t.Errorf("%s: got %s", reply, toldText(out))
				}
			}
			for _, asked := range backend.asked {
				if asked == "sub.example.org. SOA" {
					times++
				}
			}
			if want := map[bool]int{true: 1, false: 2}[remembers]; times != want {
				t.Errorf("%s: asked %d times, want %d", reply, times, want)
			}
		}
	}
}

// R23: the SOA of a zone above the name in question is an answer if it is one of success.
func TestR23_SOAOfTheZone(t *testing.T) {
	const question, alias = "www.example.org. SOA", "www.example.org. CNAME"
	holdTold(t, testMap, true, []gateCase{
		{"success", question, []string{question, scriptSOA}, "NOERROR passed | example.org. SOA"},
		{"SERVFAIL", question, []string{question, "SERVFAIL; " + scriptSOA, alias, noData}, "SERVFAIL withheld"},
		{"REFUSED", question, []string{question, "REFUSED; " + scriptSOA, alias, noData}, "SERVFAIL withheld"},
		{"of another zone", question, []string{question, "example.net. 60 IN SOA ns h 1 2 3 4 5", alias, noData}, "SERVFAIL withheld"},
		{"something else", question, []string{question, "x.example.org. 60 IN TXT text", alias, noData}, "SERVFAIL withheld"},
	})
}

// R29: with unlisted refuse, nothing of a zone that the map does not know leaves in
// responses about other names, nor by a transfer.
func TestR29_OfNamesBeside(t *testing.T) {
	const (
		question = "alias.example.org. A"
		chain    = "alias.example.org. 60 IN CNAME x.example.net.; x.example.net. 60 IN A 198.51.100.1"
		mx       = "example.org. 60 IN MX 10 x.example.net.; |; |; x.example.net. 60 IN A 198.51.100.1; x.example.net. 60 IN TXT text; x.example.net. 60 IN HTTPS 1 . ipv4hint=198.51.100.1"
		https    = "svc.example.org. 60 IN HTTPS 1 x.example.net. alpn=h2 ipv4hint=198.51.100.1"
	)
	for _, tells := range []bool{true, false} {
		holdTold(t, attackMap, tells, []gateCase{
			{"left alone", question, []string{question, chain}, "NOERROR passed | alias.example.org. CNAME x.example.net.; x.example.net. A 198.51.100.1"},
			{"at the end of an alias", question + " unlisted", []string{question, chain}, "SERVFAIL withheld"},
			{"at the end of an alias, text", "alias.example.org. TXT unlisted", []string{"alias.example.org. TXT", strings.Replace(chain, "A 198.51.100.1", "TXT text", 1)}, "SERVFAIL withheld"},
			{"of another name", "plain.example.org. A unlisted", []string{"plain.example.org. A", "plain.example.org. 60 IN A 198.51.100.2; x.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | plain.example.org. A 198.51.100.2"},
			{"additional, left alone", "example.org. MX", []string{"example.org. MX", mx}, "NOERROR passed | example.org. MX 10 x.example.net.; | | x.example.net. A 198.51.100.1; x.example.net. TXT text; x.example.net. HTTPS 1 . ipv4hint=198.51.100.1"},
			{"additional", "example.org. MX unlisted", []string{"example.org. MX", mx}, "NOERROR substituted | example.org. MX 10 x.example.net.; | | x.example.net. HTTPS 1 ."},
			{"authority", "plain.example.org. A unlisted", []string{"plain.example.org. A", "plain.example.org. 60 IN A 198.51.100.2; |; x.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | plain.example.org. A 198.51.100.2"},
			{"a service", "svc.example.org. HTTPS unlisted", []string{"svc.example.org. HTTPS", https}, "NOERROR substituted | svc.example.org. HTTPS 1 x.example.net. alpn=h2"},
			{"asked for", "x.example.net. A unlisted", nil, "SERVFAIL withheld"},
		})
	}
	holdTold(t, attackMap, true, []gateCase{
		{"a service, left alone", "svc.example.org. HTTPS", []string{"svc.example.org. HTTPS", https, "x.example.net. A", "x.example.net. 60 IN A 198.51.100.1"}, "NOERROR passed | svc.example.org. HTTPS 1 x.example.net. alpn=h2 ipv4hint=198.51.100.1"},
	})
	names := testNames(t, attackMap, true)
	for _, refuse := range []bool{false, true} {
		names.RefuseUnlisted = refuse
		if names.Refuses("example.net.") != refuse || names.Refuses("example.org.") || names.Refuses("example.info.") {
			t.Errorf("refuse %v: want the transfer of the unlisted zone alone refused", refuse)
		}
	}
}

// R9: a target in a zone of another server block: what the map says of it holds where
// the backend does not tell; else the hints are dropped.
func TestR9_OfAnotherBlock(t *testing.T) {
	of := func(target string) string {
		return "svc.example.org. 60 IN HTTPS 1 " + target + " alpn=h2 ipv4hint=10.66.0.1"
	}
	const question = "svc.example.org. HTTPS"
	holdTold(t, attackMap, false, []gateCase{
		{"proxied", question, []string{question, of("x.example.com.")}, "NOERROR substituted | svc.example.org. HTTPS 1 x.example.com. alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
		{"not proxied", question, []string{question, of("x.open.example.")}, "NOERROR substituted | svc.example.org. HTTPS 1 x.open.example. alpn=h2"},
		{"foreign", question, []string{question, of("x.foreign.example.")}, "NOERROR passed | svc.example.org. HTTPS 1 x.foreign.example. alpn=h2 ipv4hint=10.66.0.1"},
		{"asked for by whom the directive does not act for", "svc.example.com. HTTPS", []string{"svc.example.com. HTTPS", "svc.example.com. 60 IN HTTPS 1 x.example.com. alpn=h2 ipv4hint=10.66.0.1"}, "NOERROR substituted | svc.example.com. HTTPS 1 x.example.com. alpn=h2"},
		{"not proxied, and nothing is asked of its AAAA", question, []string{question, of("x.six.example.")}, "NOERROR substituted | svc.example.org. HTTPS 1 x.six.example. alpn=h2"},
		{"behind an alias", question, []string{question, of("alias.example.org."), "alias.example.org. CNAME", "alias.example.org. 60 IN CNAME x.example.com."}, "NOERROR substituted | svc.example.org. HTTPS 1 alias.example.org. alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
	})
	holdTold(t, attackMap, true, []gateCase{
		{"proxied", question, []string{question, of("x.example.com.")}, "NOERROR substituted | svc.example.org. HTTPS 1 x.example.com. alpn=h2"},
		{"not proxied", question, []string{question, of("x.open.example.")}, "NOERROR substituted | svc.example.org. HTTPS 1 x.open.example. alpn=h2"},
		{"behind an alias", question, []string{question, of("alias.example.org."), "alias.example.org. A", "alias.example.org. 60 IN CNAME x.example.com."}, "NOERROR substituted | svc.example.org. HTTPS 1 alias.example.org. alpn=h2"},
		{"asked for by whom the directive does not act for", "svc.example.com. HTTPS", []string{"svc.example.com. HTTPS", "svc.example.com. 60 IN HTTPS 1 x.example.com. alpn=h2 ipv4hint=10.66.0.1"}, "NOERROR substituted | svc.example.com. HTTPS 1 x.example.com. alpn=h2"},
	})
}

// R9: only a backend that tells of its zones denies a target with certainty. Another one
// that names a target, and then denies it, is wrong about one of them.
func TestR9_DeniedTarget(t *testing.T) {
	const question = "svc.example.org. HTTPS"
	const service = "svc.example.org. 60 IN HTTPS 1 nowhere.example.org. alpn=h2 ipv4hint=198.51.100.1"
	const denied = "NXDOMAIN;|;" + scriptSOA
	holdTold(t, attackMap, true, []gateCase{
		{"told", question, []string{question, service, "nowhere.example.org. A", denied}, "NOERROR passed | svc.example.org. HTTPS 1 nowhere.example.org. alpn=h2 ipv4hint=198.51.100.1"},
	})
	const dropped = "NOERROR substituted | svc.example.org. HTTPS 1 nowhere.example.org. alpn=h2"
	holdTold(t, attackMap, false, []gateCase{
		{"asked for its alias", question, []string{question, service, "nowhere.example.org. CNAME", denied}, dropped},
		{"asked for its address", question, []string{question, service, "nowhere.example.org. CNAME", "|;" + scriptSOA, "nowhere.example.org. A", denied}, dropped},
	})
}

// counting is a backend that answers one question from a script, and any other alike.
type counting struct {
	*script
	any   string // reply to any other question, about NAME
	count int
}

func (c *counting) Ask(a Ask) Reply {
	c.count++
	question := a.Name + " " + dns.TypeToString[a.Type]
	if _, ok := c.replies[question]; !ok {
		c.replies[question] = strings.ReplaceAll(c.any, "NAME", a.Name)
	}
	return c.script.Ask(a)
}

// R23: one query does not lead to any number of questions: what is not asked any more
// is undecided.
func TestR23_MaxQuestions(t *testing.T) {
	for _, c := range []struct {
		name string
		own  int // questions that are not counted: the client's own, passed on
	}{{"svc.example.org.", 1}, {"www.example.org.", 0}} {
		var records []string
		for i := range 200 {
			records = append(records, fmt.Sprintf("%s 60 IN HTTPS 1 t%d.example.org. ipv4hint=198.51.100.1", c.name, i))
		}
		backend := &counting{script: &script{tb: t, replies: map[string]string{c.name + " HTTPS": strings.Join(records, ";")}}, any: "NAME 60 IN A 198.51.100.1"}
		out := respond(new(dns.Msg).SetQuestion(c.name, dns.TypeHTTPS), testNames(t, testMap, true), backend)
		if backend.count != maxQuestions+c.own {
			t.Errorf("%s: %d questions, want %d", c.name, backend.count, maxQuestions+c.own)
		}
		if len(out.Msg().Answer) != 200 {
			t.Fatalf("%s: got\n%v", c.name, out.Msg())
		}
		for i, rr := range out.Msg().Answer {
			if got, want := hasHint(svcbOf(rr).Value), i < backend.count-1; got != want {
				t.Errorf("%s: record %d has hints: %v, want %v", c.name, i, got, want)
			}
		}
	}
}

// R23: more aliases than are followed in one message, wherever they are.
func TestR23_MaxAliases(t *testing.T) {
	chain := func(n int, end string) string {
		var records []string
		for i := range n {
			records = append(records, fmt.Sprintf("a%d.example.org. 60 IN CNAME a%d.example.org.", i, i+1))
		}
		return strings.Join(records, "; ") + strings.ReplaceAll(end, "LAST", fmt.Sprintf("a%d.example.org.", n))
	}
	others := func(n int) string {
		return strings.ReplaceAll(chain(n, ""), "a0.", "b.")
	}
	for _, c := range []struct {
		why, question, reply string
		want                 string // the beginning of what is told
	}{
		{"64", "a0.example.org. A", chain(64, "; LAST 60 IN A 198.51.100.1"), "NOERROR passed | a0.example.org. CNAME a1.example.org."},
		{"65", "a0.example.org. A", chain(65, "; LAST 60 IN A 198.51.100.1"), "SERVFAIL withheld"},
		{"64, then a proxied name", "a0.example.org. A", chain(63, "; LAST 60 IN CNAME www.example.org."), "NOERROR substituted | a0.example.org. CNAME a1.example.org."},
		{"65, then a proxied name", "a0.example.org. A", chain(64, "; LAST 60 IN CNAME www.example.org."), "SERVFAIL withheld"},
		{"64, asked for as such", "a0.example.org. CNAME", chain(64, ""), "NOERROR passed | a0.example.org. CNAME a1.example.org."},
		{"65, asked for as such", "a0.example.org. CNAME", chain(65, ""), "SERVFAIL withheld"},
		{"64 of ANY", "a0.example.org. ANY", chain(64, ""), "NOERROR passed | a0.example.org. CNAME a1.example.org."},
		{"65 of ANY", "a0.example.org. ANY", chain(65, ""), "SERVFAIL withheld"},
		{"64 in the authority section", "x.example.org. MX", "|; " + others(64), "NOERROR passed | | b.example.org. CNAME a1.example.org."},
		{"65 in the authority section", "x.example.org. MX", "|; " + others(65), "SERVFAIL withheld"},
		{"64 in the additional section", "x.example.org. MX", "|; |; " + others(64), "NOERROR passed | | | b.example.org. CNAME a1.example.org."},
		{"65 in the additional section", "x.example.org. MX", "|; |; " + others(65), "SERVFAIL withheld"},
		{"65 in all", "x.example.org. MX", "|; " + others(60) + "; |; " + others(5), "SERVFAIL withheld"},
		{"65, of a proxied name", "www.example.org. TXT", "www.example.org. 60 IN TXT text; |; |; " + others(65), "SERVFAIL withheld"},
	} {
		backend := &script{tb: t, replies: map[string]string{c.question: c.reply, "www.example.org. A": "www.example.org. 60 IN A 10.66.0.1"}}
		name, qtype, _ := strings.Cut(c.question, " ")
		out := respond(new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]), testNames(t, testMap, true), backend)
		if got := toldText(out); !strings.HasPrefix(got, c.want) || out.Verdict == Withheld && out.Reason != ReasonLoop {
			t.Errorf("%s: got %s for %q, want %s", c.why, got, out.Reason, c.want)
		}
	}
}

// R11: the addresses of any number of names are not made.
func TestR11_MaxMapped(t *testing.T) {
	for _, n := range []int{maxMapped / 2, maxMapped/2 + 1, maxMapped} {
		var mx, a []string
		for i := range n {
			mx = append(mx, fmt.Sprintf("example.org. 60 IN MX 10 t%d.every.example.org.", i))
			a = append(a, fmt.Sprintf("t%d.every.example.org. 60 IN A 10.66.0.1; t%d.every.example.org. 60 IN A 10.66.0.2", i, i))
		}
		backend := &script{tb: t, replies: map[string]string{"example.org. MX": strings.Join(mx, "; ") + "; |; |; " + strings.Join(a, "; ")}}
		m := respond(new(dns.Msg).SetQuestion("example.org.", dns.TypeMX), testNames(t, strings.Replace(nestedMap, `"*", x.list`, "x.list", 1), true), backend).Msg()
		if len(m.Answer) != n || len(m.Extra) != maxMapped {
			t.Errorf("of %d names: %d answers and %d addresses, want %d", n, len(m.Answer), len(m.Extra), maxMapped)
		}
		for _, rr := range m.Extra {
			if strings.Contains(rr.String(), "10.66.") {
				t.Errorf("of %d names: %v", n, rr)
			}
		}
	}
}

// R11: the addresses of the map are there once, whatever the order of the backend's.
func TestR11_Once(t *testing.T) {
	holdTold(t, testMap, true, []gateCase{
		{"in turn", "example.org. MX", []string{"example.org. MX", "example.org. 60 IN MX 10 www.example.org.; example.org. 60 IN MX 20 six.example.org.; |; |; www.example.org. 60 IN A 10.66.0.1; six.example.org. 60 IN AAAA 2001:db8:66::1; www.example.org. 60 IN A 10.66.0.2; six.example.org. 60 IN A 10.66.0.3; www.example.org. 60 IN AAAA 2001:db8:66::1"},
			"NOERROR substituted | example.org. MX 10 www.example.org.; example.org. MX 20 six.example.org.; | | www.example.org. A 192.0.2.1; www.example.org. AAAA 2001:db8::1; six.example.org. A 192.0.2.1; six.example.org. AAAA 2001:db8::1"},
	})
}

// delegating is a backend that tells, with a name server below a zone cut in memory.
type delegating struct{ telling }

func (delegating) IsGlue(name fqdn.Name) bool { return name == "ns.sub.example.org." }

// R12: the address of a name server below a cut is glue wherever it is added, in a
// response about a proxied name too; whatever else stands there is none.
func TestR12_GlueOfTheBackend(t *testing.T) {
	for reply, want := range map[string]string{
		"|; |; ns.sub.example.org. 60 IN A 198.51.100.1; ns.example.org. 60 IN A 10.66.0.1":        " | | | ns.sub.example.org. A 198.51.100.1",
		"|; |; ns.sub.example.org. 60 IN CNAME hidden.example.; hidden.example. 60 IN A 10.66.0.1": "",
		"|; ns.sub.example.org. 60 IN A 10.66.0.1":                                                 "",
	} {
		names := testNames(t, attackMap, true)
		names.Backend = Forgetful{delegating{}}
		backend := &script{tb: t, replies: map[string]string{"www.example.org. TXT": reply}}
		if got := toldText(respond(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeTXT), names, backend)); got != "NOERROR passed"+want {
			t.Errorf("%s: got %s", reply, got)
		}
	}
}

// R28: what needs no change is not copied.
func TestR28_Uncopied(t *testing.T) {
	backend := &keeping{script: &script{tb: t, replies: map[string]string{"alias.example.org. ANY": "alias.example.org. 60 IN CNAME www.example.org."}}}
	out := respond(new(dns.Msg).SetQuestion("alias.example.org.", dns.TypeANY), testNames(t, testMap, true), backend)
	if out.Msg() != backend.given[0] {
		t.Errorf("want the message itself, got\n%v", out.Msg())
	}
}

// R28: the rcode is that of the alias, not of what is behind it.
func TestR28_RcodeOfTheAlias(t *testing.T) {
	const question, alias = "alias.example.org. ANY", "alias.example.org. 60 IN CNAME www.example.org."
	holdTold(t, testMap, true, []gateCase{
		{"SERVFAIL", question, []string{question, "SERVFAIL; " + alias}, "NOERROR passed | alias.example.org. CNAME www.example.org."},
		{"NXDOMAIN", question, []string{question, "NXDOMAIN; " + alias + "; |; example.net. 60 IN SOA ns h 1 2 3 4 5"}, "NOERROR passed | alias.example.org. CNAME www.example.org."},
		{"of an unproxied name", question, []string{question, "NXDOMAIN; alias.example.org. 60 IN CNAME plain.example.org."}, "NXDOMAIN passed | alias.example.org. CNAME plain.example.org."},
		{"asked for as CNAME", "alias.example.org. CNAME", []string{"alias.example.org. CNAME", "NXDOMAIN; " + alias}, "NXDOMAIN passed | alias.example.org. CNAME www.example.org."},
		{"without an alias", question, []string{question, "SERVFAIL"}, "SERVFAIL passed"},
	})
}

// R30: the text of an error about an alias of a proxied name may be about what is behind
// that one.
func TestR30_AtAnAlias(t *testing.T) {
	const question = "alias.example.org. CNAME"
	holdTold(t, testMap, true, []gateCase{
		{"of a proxied name", question, []string{question, "alias.example.org. 60 IN CNAME www.example.org.; |; |; opt hidden"}, "NOERROR passed | alias.example.org. CNAME www.example.org.; | | OPT"},
		{"of a proxied name, by way of another", question, []string{question, "alias.example.org. 60 IN CNAME b.example.org.; b.example.org. 60 IN CNAME www.example.org.; |; |; opt hidden"}, "NOERROR passed | alias.example.org. CNAME b.example.org.; b.example.org. CNAME www.example.org.; | | OPT"},
		{"of an unproxied name", question, []string{question, "alias.example.org. 60 IN CNAME plain.example.org.; |; |; opt text"}, "NOERROR passed | alias.example.org. CNAME plain.example.org.; | | OPT text"},
	})
}

// R2, R6, R13: of names that nothing in the response names, nothing is added to what is
// said of a proxied name: they may be those that its alias leads to.
func TestR13_NothingBesideAProxiedName(t *testing.T) {
	const question, text = "www.example.org. TXT", "www.example.org. 60 IN TXT text"
	holdTold(t, testMap, true, []gateCase{
		{"an address", question, []string{question, text + "; |; |; other.example. 60 IN A 10.66.0.1"}, "NOERROR passed | www.example.org. TXT text"},
		{"text", question, []string{question, text + "; |; |; other.example. 60 IN TXT hidden; other.example. 60 IN HTTPS 1 . alpn=h2; other.example. 60 IN NS hidden.example.; other.example. 60 IN RRSIG TXT 13 2 60 20300101000000 20200101000000 1 example. AAAA"}, "NOERROR passed | www.example.org. TXT text"},
		{"an address in the authority section", question, []string{question, text + "; |; other.example. 60 IN A 10.66.0.1; other.example. 60 IN AAAA 2001:db8:66::1; other.example. 60 IN CNAME hidden.example."}, "NOERROR passed | www.example.org. TXT text"},
		{"of a name that does not exist", "gone.example.org. A", []string{"gone.example.org. A", "NXDOMAIN; |; " + scriptSOA + "; other.example. 60 IN A 10.66.0.1; |; other.example. 60 IN A 10.66.0.1"}, "NXDOMAIN passed | | example.org. SOA"},
		{"an unproxied name that is named", "www.example.org. MX", []string{"www.example.org. MX", "www.example.org. 60 IN MX 10 plain.example.org.; |; |; plain.example.org. 60 IN TXT text; plain.example.org. 60 IN A 198.51.100.1"}, "NOERROR passed | www.example.org. MX 10 plain.example.org.; | | plain.example.org. TXT text; plain.example.org. A 198.51.100.1"},
		{"beside an unproxied name", "plain.example.org. TXT", []string{"plain.example.org. TXT", "plain.example.org. 60 IN TXT text; |; other.example. 60 IN A 198.51.100.1; |; other.example. 60 IN A 198.51.100.2"}, "NOERROR passed | plain.example.org. TXT text; | other.example. A 198.51.100.1; | other.example. A 198.51.100.2"},
	})
}
