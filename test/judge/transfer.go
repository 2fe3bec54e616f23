package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// transferred judges a zone transfer (R18, R19).
func (c *Case) transferred(q *query, messages []*dns.Msg) Verdict {
	var got []dns.RR
	for _, m := range messages {
		got = append(got, m.Answer...)
	}
	if q.qtype != dns.TypeAXFR || c.Transport != "tcp" && c.Transport != "tls" || c.Transfer == nil || c.World.Fault != nil {
		return Verdict{}
	}
	switch c.World.Front {
	case "none", "errors", "log", "metadata", "loadbalance", "nsid", "chaos", "loop", "tsig", "minimal", "cache":
	default:
		return Verdict{}
	}
	zone := dns.CanonicalName(q.name)
	switch c.World.Options.Transfer {
	case "refuse":
		if c.World.ActsFor(zone) && c.hasProxied(zone) && messages[0].Rcode != dns.RcodeRefused {
			return wrong("R19", "transfer refuse", summary(messages[0]), "REFUSED")
		}
		return Verdict{}
	case "origin":
		return c.transferDiff("R19", "transfer origin", c.Transfer, got)
	}
	if len(got) == 0 {
		return Verdict{Closed, "R18", "no transfer where the backend gives one", summary(messages[0]), fmt.Sprintf("%d records", len(c.Transfer))}
	}
	return c.transferDiff("R18", "transfer mapped", c.mappedTransfer(zone), got)
}

func (c *Case) hasProxied(zone string) bool {
	for name, n := range c.World.Names {
		if n.Status == Proxied && dns.IsSubDomain(zone, name) {
			return true
		}
	}
	return false
}

// mappedTransfer is what the transfer should hold, worked out from the
// backend's. Names whose status is unknown are left out.
func (c *Case) mappedTransfer(zone string) []dns.RR {
	var out []dns.RR
	done := map[string]bool{}
	owners := map[string]map[uint16]bool{}
	for _, rr := range c.Transfer {
		name := dns.CanonicalName(rr.Header().Name)
		if owners[name] == nil {
			owners[name] = map[uint16]bool{}
		}
		owners[name][rr.Header().Rrtype] = true
	}
	for _, rr := range c.Transfer {
		name := dns.CanonicalName(rr.Header().Name)
		n := c.World.Find(name)
		t := rr.Header().Rrtype
		if n == nil || n.Status != Proxied || c.glueOwner(name) || t != dns.TypeA && t != dns.TypeAAAA && t != dns.TypeCNAME {
			out = append(out, rr)
			continue
		}
		if done[name] {
			continue
		}
		done[name] = true
		v6 := n.V6
		if n.AAAAOnly && !owners[name][dns.TypeAAAA] {
			v6 = nil
		}
		out = append(append(out, c.mapped(name, n.V4)...), c.mapped(name, v6)...)
		if c.World.Options.ALPN != nil && !owners[name][dns.TypeHTTPS] && len(n.V4)+len(v6) > 0 {
			out = append(out, c.synthesized(name, n.V4, v6))
		}
	}
	for name, n := range c.World.Names {
		if n.Own && n.Status == Proxied && owners[name] == nil {
			out = append(out, c.besideWildcard(name, n, owners)...)
		}
	}
	return out
}

// besideWildcard is what the transfer holds of a name that the backend answers for from a
// wildcard, and that has addresses of its own: a secondary would answer with those of the
// wildcard. It is the name's addresses and copies of the wildcard's other records.
func (c *Case) besideWildcard(name string, n *Name, owners map[string]map[uint16]bool) []dns.RR {
	_, parent, _ := strings.Cut(name, ".")
	wildcard := "*." + parent
	if has := owners[wildcard]; !has[dns.TypeA] && !has[dns.TypeAAAA] && !has[dns.TypeCNAME] {
		return nil
	}
	v6 := n.V6
	if n.AAAAOnly && !owners[wildcard][dns.TypeAAAA] {
		v6 = nil
	}
	out := append(c.mapped(name, n.V4), c.mapped(name, v6)...)
	for _, rr := range c.Transfer {
		t := rr.Header().Rrtype
		switch {
		case dns.CanonicalName(rr.Header().Name) != wildcard:
			continue
		case slices.Contains([]uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeNSEC, dns.TypeRRSIG}, t):
			continue // replaced, or a proof of the wildcard itself
		}
		rr = dns.Copy(rr)
		rr.Header().Name = name
		out = append(out, rr)
	}
	if c.World.Options.ALPN != nil && !owners[wildcard][dns.TypeHTTPS] {
		out = append(out, c.synthesized(name, n.V4, v6))
	}
	return out
}

// transferDiff compares two transfers. The serial of the SOA may differ, and
// names of which nothing is known do not count.
func (c *Case) transferDiff(rule, what string, want, got []dns.RR) Verdict {
	judged := func(rrs []dns.RR) []dns.RR {
		var out []dns.RR
		for _, rr := range rrs {
			n := c.World.Find(rr.Header().Name)
			if rr.Header().Rrtype != dns.TypeSOA && n != nil && n.Status != Unsure && !n.Spectrum {
				out = append(out, rr)
			}
		}
		return out
	}
	missing, extra := diff(judged(want), judged(got), c.cached())
	if len(missing) > 0 {
		return wrong(rule, what+": records missing", fmt.Sprintf("%d records", len(got)), texts(missing))
	}
	if len(extra) > 0 {
		return wrong(rule, what+": records that should not be there", texts(extra), fmt.Sprintf("%d records", len(want)))
	}
	return Verdict{}
}

func texts(rrs []dns.RR) string {
	var out []string
	for _, rr := range rrs {
		out = append(out, strings.Join(strings.Fields(rr.String()), " "))
	}
	return strings.Join(out, "; ")
}
