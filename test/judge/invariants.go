package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// invariants judges what holds of every record at a proxied owner, whatever was
// asked and whatever the backend did.
func (c *Case) invariants(q *query, messages []*dns.Msg) Verdict {
	if q.transfer && c.World.Options.Transfer != "mapped" {
		return Verdict{}
	}
	for _, m := range messages {
		for section, rrs := range map[string][]dns.RR{"answer": m.Answer, "authority": m.Ns, "additional": m.Extra} {
			for _, rr := range rrs {
				n := c.World.Find(rr.Header().Name)
				if n != nil && n.Status == Proxied {
					if v := c.atProxied(q, m, section, n, rr); v.Kind != OK {
						return v
					}
				}
				if v := c.hintsMapped(section, rr); v.Kind != OK {
					return v
				}
			}
		}
	}
	return Verdict{}
}

func (c *Case) atProxied(q *query, m *dns.Msg, section string, n *Name, rr dns.RR) Verdict {
	at := fmt.Sprintf(" at a proxied owner in the %s section, asked for %s", section, dns.Type(q.qtype))
	switch rr := rr.(type) {
	case *dns.CNAME:
		if c.World.Front == "autopath" || c.World.Front == "rewrite" {
			return Verdict{} // these make aliases up themselves
		}
		return Verdict{Leak, "R5", "CNAME" + at, rr.String(), "no CNAME leaves"}
	case *dns.A:
		return c.address(q, m, n.V4, rr, rr.A.String(), at)
	case *dns.AAAA:
		if c.World.Front == "dns64" {
			return Verdict{}
		}
		return c.address(q, m, n.V6, rr, rr.AAAA.String(), at)
	case *dns.RRSIG:
		switch rr.TypeCovered {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			if c.World.Front != "dnssec" && !c.glueOwner(n.Name) {
				return wrong("R15", "a signature over "+dns.Type(rr.TypeCovered).String()+at, rr.String(), "it is dropped")
			}
		}
	}
	return Verdict{}
}

func (c *Case) glueOwner(name string) bool {
	return slices.ContainsFunc(c.World.Secrets, func(s Secret) bool { return s.Glue == name })
}

func (c *Case) address(q *query, m *dns.Msg, mapped []netip.Addr, rr dns.RR, text, at string) Verdict {
	addr, _ := netip.ParseAddr(text)
	if slices.Contains(mapped, addr.Unmap()) {
		if ttl := rr.Header().Ttl; ttl != c.World.Options.TTL && !c.cached() && q.qtype != dns.TypeDS { // CoreDNS picks the block for DS without regard to views
			return wrong("R2", "the TTL of a substituted record"+at, fmt.Sprint(ttl), fmt.Sprint(c.World.Options.TTL))
		}
		return Verdict{}
	}
	if c.glueOwner(strings.ToLower(rr.Header().Name)) {
		return Verdict{} // whether it may stand here was judged as a leak
	}
	return wrong("R2", "an address that is not mapped"+at, rr.String(), fmt.Sprint(mapped))
}

// cached says whether TTLs are not comparable: a plugin in front may have
// changed them, or another directive may have answered.
func (c *Case) cached() bool {
	if c.World.Options.OtherTTL != 0 {
		return true // which of two is for each name's directive; only the answers' records are compared
	}
	switch c.World.Front {
	case "cache", "stale", "many", "rewrite":
		return true
	}
	return false
}

// hintsMapped judges hints whose effective target is a proxied name.
func (c *Case) hintsMapped(section string, rr dns.RR) Verdict {
	svcb := asSVCB(rr)
	if svcb == nil {
		return Verdict{}
	}
	target := svcb.Target
	if target == "." {
		target = svcb.Hdr.Name
	}
	n := c.World.Find(target)
	if n == nil || n.Status != Proxied {
		return Verdict{}
	}
	for _, kv := range svcb.Value {
		var got []netip.Addr
		want := n.V4
		switch kv := kv.(type) {
		case *dns.SVCBIPv4Hint:
			for _, ip := range kv.Hint {
				a, _ := netip.AddrFromSlice(ip.To4())
				got = append(got, a)
			}
		case *dns.SVCBIPv6Hint:
			want = n.V6
			for _, ip := range kv.Hint {
				a, _ := netip.AddrFromSlice(ip.To16())
				got = append(got, a)
			}
		default:
			continue
		}
		if !slices.Equal(got, want) {
			return wrong("R9", "hints of a proxied target in the "+section+" section", rr.String(), fmt.Sprint(want))
		}
	}
	return Verdict{}
}

// asSVCB returns the record as SVCB if it is one or an HTTPS record, else nil.
func asSVCB(rr dns.RR) *dns.SVCB {
	switch rr := rr.(type) {
	case *dns.HTTPS:
		return &rr.SVCB
	case *dns.SVCB:
		return rr
	}
	return nil
}
