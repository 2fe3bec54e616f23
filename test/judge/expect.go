package judge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// want is what the rules demand of the response to one question, as far as the
// judge can know it.
type want struct {
	unknown  bool // nothing is demanded beyond what holds for every response
	rule     string
	rcodes   []int
	answer   []dns.RR
	also     []dns.RR // may be in the answer, need not
	soaFor   string   // the SOA of a zone around this name is demanded
	bare     bool     // R2: nothing in authority, nothing but OPT in additional
	sections bool     // authority and additional are the backend's, with substitutes
	ns       []dns.RR
	extra    []dns.RR
	aa       []bool // how AA may be; nil: either way
	deep     bool   // so many aliases that the server may give up (SERVFAIL)
}

// unknownWant demands nothing.
var unknownWant = want{unknown: true}

func (c *Case) ask(name string, qtype uint16) *dns.Msg {
	return c.Backend.Ask(dns.CanonicalName(name), qtype)
}

// sayable returns what the backend says, nil if it fails: then nobody knows
// what it would have said.
func sayable(m *dns.Msg) *dns.Msg {
	if m == nil || m.Rcode == dns.RcodeServerFailure {
		return nil
	}
	return m
}

// expect works out what is to be answered.
func (c *Case) expect(name string, qtype uint16) want {
	n := c.World.Find(name)
	if n == nil || n.Status == Unsure {
		return unknownWant
	}
	if n.Status == Proxied {
		return c.expectProxied(n, name, qtype)
	}
	m := sayable(c.ask(name, qtype))
	if m == nil || c.World.Backend == "etcd" {
		return unknownWant
	}
	w := want{rule: "R1", rcodes: []int{m.Rcode}, sections: true, ns: m.Ns, extra: m.Extra, aa: []bool{m.Authoritative}}
	if qtype == dns.TypeCNAME {
		w.answer = m.Answer
		return w
	}
	chain, end := aliases(m.Answer, name)
	for i, step := range chain {
		at := c.World.Find(step.target)
		if at == nil || at.Status == Unsure {
			return unknownWant
		}
		if at.Status == Proxied && qtype == dns.TypeANY {
			return onlyAlias(chain[:i+1])
		}
		if at.Status == Proxied {
			return c.afterAlias(chain[:i+1], n, at, step.target, qtype)
		}
	}
	w.answer = m.Answer
	w.deep = len(chain) >= 7
	if len(chain) > 0 && len(chain) < 7 && !holds(m.Answer, end, qtype) && m.Rcode == dns.RcodeSuccess {
		w.deep = true // the backend gave up or cannot see the end
	}
	return w
}

// onlyAlias is R28: the alias that was asked for, and nothing behind it. That
// further aliases are behind it, too, is one way to read it.
func onlyAlias(chain []alias) want {
	w := want{rule: "R28", rcodes: []int{dns.RcodeSuccess, dns.RcodeNameError}, answer: chain[0].records}
	for _, step := range chain {
		w.also = append(w.also, step.records...)
	}
	w.deep = len(chain) >= 7
	return w
}

// afterAlias is R7: the chain up to the proxied owner, then what is said of it.
// Where another server block has that owner, the backend may not see its end.
func (c *Case) afterAlias(chain []alias, from, n *Name, target string, qtype uint16) want {
	w := c.expectProxied(n, target, qtype)
	if w.unknown {
		return w
	}
	var head []dns.RR
	for _, step := range chain {
		head = append(head, step.records...)
	}
	w.answer = append(head, w.answer...)
	w.rule = "R7"
	w.bare, w.sections, w.aa = false, false, nil
	w.deep = len(chain) >= 7 || n.Elsewhere != from.Elsewhere
	return w
}

// alias is one step of a chain: the CNAME, with the DNAME that it comes from.
type alias struct {
	records []dns.RR
	target  string
}

// aliases follows the chain from the name through the records; it stops at
// twenty steps or where it has been before.
func aliases(rrs []dns.RR, name string) (chain []alias, end string) {
	seen := map[string]bool{}
	for at := dns.CanonicalName(name); len(chain) < 30 && !seen[at]; {
		seen[at] = true
		var step alias
		for _, rr := range rrs {
			if d, ok := rr.(*dns.DNAME); ok && dns.IsSubDomain(d.Hdr.Name, at) && !strings.EqualFold(d.Hdr.Name, at) {
				step.records = append(step.records, rr)
			}
			if cname, ok := rr.(*dns.CNAME); ok && strings.EqualFold(cname.Hdr.Name, at) && step.target == "" {
				step.records, step.target = append(step.records, rr), dns.CanonicalName(cname.Target)
			}
		}
		if step.target == "" {
			return chain, at
		}
		chain, at, end = append(chain, step), step.target, step.target
	}
	return chain, end
}

// holds says whether the records have one of the type at the name.
func holds(rrs []dns.RR, name string, qtype uint16) bool {
	return slices.ContainsFunc(rrs, func(rr dns.RR) bool {
		return strings.EqualFold(rr.Header().Name, name) && rr.Header().Rrtype == qtype
	})
}

// expectProxied is what is said of a proxied owner.
func (c *Case) expectProxied(n *Name, asked string, qtype uint16) want {
	a, aaaa, cname, m := c.ask(n.Name, dns.TypeA), c.ask(n.Name, dns.TypeAAAA), c.ask(n.Name, dns.TypeCNAME), c.ask(n.Name, qtype)
	if a == nil || aaaa == nil || cname == nil || m == nil {
		return unknownWant
	}
	if isReferral(a) {
		return want{rule: "R12", rcodes: []int{m.Rcode}, answer: m.Answer, sections: true, ns: m.Ns, extra: m.Extra}
	}
	isAlias := holds(cname.Answer, n.Name, dns.TypeCNAME) || holds(a.Answer, n.Name, dns.TypeCNAME)
	hasAAAA := holds(aaaa.Answer, n.Name, dns.TypeAAAA)
	exists := isAlias || hasAAAA || holds(a.Answer, n.Name, dns.TypeA) || n.Spectrum
	if !exists && (failed(a) || failed(aaaa)) {
		return unknownWant // R23 without faults: the backend cannot say (an alias of itself)
	}
	v4, v6 := n.V4, n.V6
	if n.AAAAOnly && !hasAAAA && !n.Spectrum {
		v6 = nil
	}
	var aa []bool
	for _, said := range []*dns.Msg{a, aaaa, cname, m} {
		if !failed(said) {
			aa = append(aa, said.Authoritative)
		}
	}
	if n.Spectrum || isAlias && failed(a) {
		aa = nil
	}
	if c.World.Backend == "etcd" && (!exists || n.AAAAOnly || qtype != dns.TypeA && qtype != dns.TypeAAAA) {
		return unknownWant // etcd says of other types what no zone would say
	}
	noData := want{rule: "R6", rcodes: []int{dns.RcodeSuccess}, soaFor: n.Name}
	switch qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeANY:
		if !exists {
			if qtype == dns.TypeANY {
				return unknownWant // whether it counts as proxied without an address is not said
			}
			w := want{rule: "R4", rcodes: []int{m.Rcode}, answer: m.Answer}
			if hasSOA(m, n.Name) {
				w.soaFor = n.Name
			}
			return w
		}
		rule, addrs := "R2", v4
		switch {
		case qtype == dns.TypeANY:
			rule = "R14"
			if len(addrs) == 0 {
				addrs = v6
			}
		case isAlias:
			rule = "R5"
		}
		if qtype == dns.TypeAAAA {
			addrs = v6
		}
		if n.Spectrum {
			rule = "R24"
		}
		if len(addrs) == 0 {
			noData.rule = "R3"
			return noData
		}
		return want{rule: rule, rcodes: noData.rcodes, answer: c.mapped(asked, addrs), bare: true, aa: aa}
	case dns.TypeRRSIG, dns.TypeNSEC:
		return unknownWant
	case dns.TypeHTTPS:
		if len(at(m.Answer, n.Name, qtype)) == 0 && exists && c.World.Options.ALPN != nil && len(v4)+len(v6) > 0 {
			if len(n.Beside[qtype]) > 0 {
				break
			}
			return want{rule: "R10", rcodes: noData.rcodes, answer: []dns.RR{c.synthesized(asked, v4, v6)}}
		}
	}
	if isAlias {
		beside := n.Beside[qtype]
		if len(beside) == 0 {
			return noData
		}
		return want{rule: "R6", rcodes: noData.rcodes, answer: beside}
	}
	if sayable(m) == nil {
		return unknownWant
	}
	w := want{rule: "R13", rcodes: []int{m.Rcode}, answer: m.Answer, aa: []bool{m.Authoritative}}
	if len(m.Answer) == 0 && hasSOA(m, n.Name) {
		w.soaFor = n.Name
	}
	if n.Spectrum {
		w.aa = nil
		if m.Rcode == dns.RcodeNameError {
			noData.rule = "R24"
			return noData
		}
	}
	return w
}

func failed(m *dns.Msg) bool {
	return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
}

func isReferral(m *dns.Msg) bool {
	return len(m.Answer) == 0 && !m.Authoritative && m.Rcode == dns.RcodeSuccess &&
		slices.ContainsFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS }) &&
		!slices.ContainsFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
}

// at returns the records of the type at the name.
func at(rrs []dns.RR, name string, qtype uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		if strings.EqualFold(rr.Header().Name, name) && rr.Header().Rrtype == qtype {
			out = append(out, rr)
		}
	}
	return out
}

// mapped makes the records of mapped addresses at a name.
func (c *Case) mapped(name string, addrs []netip.Addr) []dns.RR {
	var out []dns.RR
	for _, a := range addrs {
		h := dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: c.World.Options.TTL}
		if a.Is4() {
			out = append(out, &dns.A{Hdr: h, A: a.AsSlice()})
			continue
		}
		h.Rrtype = dns.TypeAAAA
		out = append(out, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
	}
	return out
}

// synthesized is the HTTPS record of R10.
func (c *Case) synthesized(name string, v4, v6 []netip.Addr) dns.RR {
	rr := &dns.HTTPS{}
	rr.Hdr = dns.RR_Header{Name: name, Rrtype: dns.TypeHTTPS, Class: dns.ClassINET, Ttl: c.World.Options.TTL}
	rr.Priority, rr.Target = 1, "."
	rr.Value = append(rr.Value, &dns.SVCBAlpn{Alpn: c.World.Options.ALPN})
	var four dns.SVCBIPv4Hint
	for _, a := range v4 {
		four.Hint = append(four.Hint, a.AsSlice())
	}
	var six dns.SVCBIPv6Hint
	for _, a := range v6 {
		six.Hint = append(six.Hint, a.AsSlice())
	}
	if len(v4) > 0 {
		rr.Value = append(rr.Value, &four)
	}
	if len(v6) > 0 {
		rr.Value = append(rr.Value, &six)
	}
	return rr
}
