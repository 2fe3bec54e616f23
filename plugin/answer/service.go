package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// service judges an HTTPS or SVCB record (R9): if its effective target is a
// proxied name or an alias of one, its hints are that name's mapped addresses. They
// stay where the target is certainly neither, and are dropped where that is undecided.
func (g *gate) service(rr dns.RR, owner fqdn.Name) ruling {
	svcb := svcbOf(rr)
	if svcb == nil {
		return ruling{fate: withheld} // the type says one thing, the record is another
	}
	if g.rep.gated(owner) {
		return ruling{fate: passed}
	}
	if !hasHint(svcb.Value) {
		return ruling{fate: passed}
	}
	var to target
	if svcb.Target == "." { // RFC 9460, section 2.5.2
		to = target{name: rr.Header().Name, owner: owner, standing: g.of(owner)}
	} else {
		to = g.c.follow(svcb.Target, fqdn.Canonical(svcb.Target), g.rep.Msg, false)
	}
	with, ipv6 := rr, false
	switch to.kind {
	case unproxied:
		return ruling{fate: passed}
	case proxied:
		f, _ := g.c.answersIPv6(to.name, to.owner, to.d)
		ipv6 = f == present
		with = withHints(rr, to.d, ipv6)
		g.shown, g.substituted = to.d, true
	default:
		with = withHints(rr, mapset.Decision{}, false)
		g.substituted = true
	}
	g.void = append(g.void, rrset{owner, rr.Header().Rrtype})
	return ruling{fate: replaced, with: []dns.RR{with}}
}

// withHints returns a copy of an HTTPS or SVCB record with both hints equal to
// the mapped addresses of its target. A hint that has none is dropped, and with
// it from the keys that a client must understand.
func withHints(rr dns.RR, d mapset.Decision, ipv6 bool) dns.RR {
	cp := dns.Copy(rr)
	svcb := svcbOf(cp)
	var mandatory *dns.SVCBMandatory
	params := make([]dns.SVCBKeyValue, 0, len(svcb.Value)+1)
	for _, p := range svcb.Value {
		switch p := p.(type) {
		case *dns.SVCBIPv4Hint, *dns.SVCBIPv6Hint:
		case *dns.SVCBMandatory:
			mandatory = p
		default:
			params = append(params, p)
		}
	}
	dropped := make(map[dns.SVCBKey]bool)
	if ips := d.IPs(mapset.IPv4); len(ips) > 0 {
		params = append(params, &dns.SVCBIPv4Hint{Hint: ips})
	} else {
		dropped[dns.SVCB_IPV4HINT] = true
	}
	if ips := d.IPs(mapset.IPv6); len(ips) > 0 && ipv6 {
		params = append(params, &dns.SVCBIPv6Hint{Hint: ips})
	} else {
		dropped[dns.SVCB_IPV6HINT] = true
	}
	if mandatory != nil {
		mandatory.Code = slices.DeleteFunc(mandatory.Code, func(k dns.SVCBKey) bool { return dropped[k] })
		if len(mandatory.Code) > 0 {
			params = append(params, mandatory)
		}
	}
	svcb.Value = params
	return cp
}

// answersIPv6 is present if AAAA of a proxied owner is answered with its mapped
// addresses: always, or where the zone says ipv6: false only if the backend has one.
// It returns the reply that says so, if the backend was asked.
func (c *conversation) answersIPv6(name string, owner fqdn.Name, d mapset.Decision) (finding, Reply) {
	if !d.NeedsAAAA() {
		return present, Reply{}
	}
	rep := c.ask(name, dns.TypeAAAA, false)
	if has(rep.Msg, owner, dns.TypeAAAA) {
		return present, rep
	}
	if f := findingOf(&rep, owner, dns.TypeAAAA); f != alias {
		return f, rep
	}
	return empty, rep // R3: whether the target has one is not waited for
}

// synthesizes reports whether the map makes an HTTPS record for a proxied name that
// has none.
func (c *conversation) synthesizes(q question) bool {
	return q.qtype == dns.TypeHTTPS && len(c.names.ALPN) > 0
}

// synthesize answers HTTPS for a proxied owner that has no such record (R10).
func (c *conversation) synthesize(q question, d mapset.Decision, ex *existence) Outcome {
	ipv6 := d.Answers(mapset.IPv6)
	if ipv6 && d.NeedsAAAA() {
		f := empty
		if ex.found != alias {
			f, _ = c.answersIPv6(q.name, q.owner, d)
		}
		if !f.known() {
			return c.undecided(d, f)
		}
		ipv6 = f == present
	}
	rr := c.names.synthesized(q.name, d, ipv6)
	if rr == nil {
		return c.nodata(q, d, ex)
	}
	m := replyTo(c.req, ex.presence)
	m.Answer = []dns.RR{rr}
	return Outcome{Released: release(m), Verdict: Substituted, Decision: d}
}

// synthesized returns the HTTPS record of a proxied name that has none, with hints
// equal to its A and AAAA answers; nil if it has neither, or none is to be made.
func (n *Names) synthesized(name string, d mapset.Decision, ipv6 bool) dns.RR {
	if len(n.ALPN) == 0 || !d.Answers(mapset.IPv4) && !ipv6 {
		return nil
	}
	rr := &dns.HTTPS{SVCB: dns.SVCB{
		Hdr:      dns.RR_Header{Name: name, Rrtype: dns.TypeHTTPS, Class: dns.ClassINET, Ttl: n.TTL},
		Priority: 1,
		Target:   ".",
		Value:    []dns.SVCBKeyValue{&dns.SVCBAlpn{Alpn: n.ALPN}},
	}}
	if v4 := d.IPs(mapset.IPv4); len(v4) > 0 {
		rr.Value = append(rr.Value, &dns.SVCBIPv4Hint{Hint: v4})
	}
	if v6 := d.IPs(mapset.IPv6); len(v6) > 0 && ipv6 {
		rr.Value = append(rr.Value, &dns.SVCBIPv6Hint{Hint: v6})
	}
	return rr
}

func svcbOf(rr dns.RR) *dns.SVCB {
	switch rr := rr.(type) {
	case *dns.SVCB:
		return rr
	case *dns.HTTPS:
		return &rr.SVCB
	}
	return nil
}

func hasHint(params []dns.SVCBKeyValue) bool {
	return slices.ContainsFunc(params, func(p dns.SVCBKeyValue) bool {
		return p.Key() == dns.SVCB_IPV4HINT || p.Key() == dns.SVCB_IPV6HINT
	})
}
