package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// service judges an HTTPS or SVCB record (R9): if its effective target is a
// proxied name or an alias of one, its hints are that name's mapped addresses.
func (s *screener) service(rr dns.RR, owner fqdn.Name) judgement {
	svcb := svcbOf(rr)
	if svcb == nil {
		return judgement{bar: true} // the type says one thing, the record is another
	}
	if !hasHint(svcb.Value) {
		return judgement{}
	}
	target := svcb.Target
	if target == "." {
		target = rr.Header().Name // RFC 9460, section 2.5.2
	}
	to := s.c.settle(target, fqdn.Canonical(target))
	if to.stays(&s.c.names, owner) {
		return judgement{}
	}
	s.shown = to.d
	s.void = append(s.void, rrset{owner, rr.Header().Rrtype})
	return judgement{replace: true, with: []dns.RR{withHints(rr, to.d, s.c.answersIPv6(to.name, to.owner, to.d))}}
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

// answersIPv6 reports whether AAAA of a proxied owner is answered with its mapped
// addresses: always, or where the zone says ipv6: false only if the backend has one.
func (c *conversation) answersIPv6(name string, owner fqdn.Name, d mapset.Decision) bool {
	return !d.NeedsAAAA() || has(c.ask(name, dns.TypeAAAA, d).Msg, owner, dns.TypeAAAA)
}

// synthesize answers HTTPS for a proxied owner that has no such record (R10).
func (c *conversation) synthesize(q question, d mapset.Decision, rep *Reply) Outcome {
	v4, v6 := d.IPs(mapset.IPv4), d.IPs(mapset.IPv6)
	if len(v6) > 0 && !c.answersIPv6(q.name, q.owner, d) {
		v6 = nil
	}
	if len(v4) == 0 && len(v6) == 0 {
		return c.nodata(q, d, rep)
	}
	rr := &dns.HTTPS{SVCB: dns.SVCB{
		Hdr:      dns.RR_Header{Name: q.name, Rrtype: dns.TypeHTTPS, Class: dns.ClassINET, Ttl: c.names.TTL},
		Priority: 1,
		Target:   ".",
		Value:    []dns.SVCBKeyValue{&dns.SVCBAlpn{Alpn: c.names.ALPN}},
	}}
	if len(v4) > 0 {
		rr.Value = append(rr.Value, &dns.SVCBIPv4Hint{Hint: v4})
	}
	if len(v6) > 0 {
		rr.Value = append(rr.Value, &dns.SVCBIPv6Hint{Hint: v6})
	}
	m := c.reply(rep)
	m.Answer = []dns.RR{rr}
	return Outcome{Msg: m, Verdict: Substituted, Decision: d}
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
