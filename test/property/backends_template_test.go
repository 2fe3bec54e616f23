package property

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestProperty_Template(t *testing.T) {
	all := []kind{kindHost, kindHost6, kindAlias, kindText, kindMail, kindService, kindWildHost, kindWildAlias, kindWildText}
	worlds(t, *propertyZones/4, backing{kinds: all, lax: true, shallow: true}, func(_ *testing.T, w *world) func([]string) string { return w.fromTemplates })
}

// fromTemplates is the backend that has a template for each RRset. A wildcard's
// are for one label.
func (w *world) fromTemplates(zones []string) string {
	var b strings.Builder
	deepestFirst := func(a, b string) int { return len(b) - len(a) } // the templates of a zone match names below it
	for _, apex := range slices.SortedFunc(slices.Values(zones), deepestFirst) {
		z := w.zoneOf(apex)
		for _, wild := range []bool{false, true} {
			for _, owner := range z.owners() {
				if strings.HasPrefix(owner, "*.") == wild {
					w.templatesAt(&b, z, owner)
				}
			}
		}
		fmt.Fprintf(&b, "    template ANY ANY %s {\n        rcode NXDOMAIN\n        authority %s\n    }\n", apex, templateText(z.rrs[0]))
	}
	return b.String()
}

func (w *world) templatesAt(b *strings.Builder, z *zone, owner string) {
	match := strings.ReplaceAll(owner, ".", "[.]")
	if below, wild := strings.CutPrefix(match, "*"); wild {
		match = "[^.]+" + below
	}
	for _, set := range rrsets(z.at[owner]) {
		t := dns.TypeToString[set[0].Header().Rrtype]
		if t == "CNAME" {
			t = "ANY"
		}
		fmt.Fprintf(b, "    template IN %s %s {\n        match ^%s$\n        fallthrough\n", t, z.apex, match)
		for _, rr := range set {
			rdata := strings.TrimPrefix(rr.String(), rr.Header().String())
			answer := fmt.Sprintf("{{ .Name }} %d IN %s %s", rr.Header().Ttl, dns.TypeToString[rr.Header().Rrtype], rdata)
			fmt.Fprintf(b, "        answer %s\n", strconv.Quote(answer))
			for _, more := range z.beside(rr) {
				fmt.Fprintf(b, "        additional %s\n", templateText(more))
			}
		}
		fmt.Fprint(b, "    }\n")
	}
	fmt.Fprintf(b, "    template ANY ANY %s {\n        match ^%s$\n        authority %s\n        fallthrough\n    }\n", z.apex, match, templateText(z.rrs[0]))
}

func templateText(rr dns.RR) string { return strconv.Quote(strings.ReplaceAll(rr.String(), "\t", " ")) }

// beside returns what an operator may put beside a record: the addresses of its
// target, or the alias there.
func (z *zone) beside(rr dns.RR) []dns.RR {
	target := ""
	switch rr := rr.(type) {
	case *dns.MX:
		target = rr.Mx
	case *dns.SRV:
		target = rr.Target
	}
	var out []dns.RR
	for _, rr := range z.at[dns.CanonicalName(target)] {
		switch rr.(type) {
		case *dns.A, *dns.AAAA, *dns.CNAME:
			out = append(out, rr)
		}
	}
	return out
}
