package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// key is a record as text for comparison: without case, without hints (they
// are judged by themselves), without the TTL where a cache may have changed it.
func key(rr dns.RR, lax bool) string {
	rr = dns.Copy(rr)
	if lax {
		rr.Header().Ttl = 0
	}
	if s := asSVCB(rr); s != nil {
		s.Value = slices.DeleteFunc(s.Value, func(kv dns.SVCBKeyValue) bool {
			k := kv.Key()
			return k == dns.SVCB_IPV4HINT || k == dns.SVCB_IPV6HINT || k == dns.SVCB_MANDATORY
		})
	}
	return strings.ToLower(strings.Join(strings.Fields(rr.String()), " "))
}

// diff compares two sets of records. Signatures and OPT are left out.
func diff(want, got []dns.RR, lax bool) (missing, extra []dns.RR) {
	have := map[string]int{}
	for _, rr := range notSignature(got) {
		have[key(rr, lax)]++
	}
	wanted := map[string]bool{}
	for _, rr := range notSignature(want) {
		k := key(rr, lax)
		if wanted[k] {
			continue
		}
		wanted[k] = true
		if have[k] == 0 {
			missing = append(missing, rr)
		}
	}
	for _, rr := range notSignature(got) {
		if !wanted[key(rr, lax)] {
			extra = append(extra, rr)
		}
	}
	return missing, extra
}

// compareSections compares authority and additional with the backend's, in
// which proxied owners have their substitutes (R11, R12).
func (c *Case) compareSections(q *query, m *dns.Msg, w want) Verdict {
	ask := ", asked for " + dns.Type(q.qtype).String()
	got := m.Ns
	if q.do && c.World.Signed { // the control is asked without DO
		got = slices.DeleteFunc(slices.Clone(m.Ns), func(rr dns.RR) bool {
			t := rr.Header().Rrtype
			return t == dns.TypeNSEC || t == dns.TypeDS
		})
	}
	if missing, extra := diff(w.ns, got, c.cached()); len(missing)+len(extra) > 0 {
		return wrong(w.rule, "the authority section is not the backend's"+ask, summary(m), fmt.Sprint(w.ns))
	}
	required, allowed := c.substituted(w)
	lax := c.cached() || q.qtype == dns.TypeDS // for DS, CoreDNS picks the block without regard to views
	missing, _ := diff(required, m.Extra, lax)
	_, extra := diff(allowed, m.Extra, lax)
	if len(missing) > 0 && c.Transport == "udp" && q.size < 1300 {
		missing = nil // additional records may be left out for want of space
	}
	rule := w.rule
	if len(required) != len(notSignature(w.extra)) || len(allowed) > len(required) {
		rule = "R11"
	}
	if len(missing)+len(extra) > 0 {
		return wrong(rule, "the additional section is not the backend's with substitutes"+ask, summary(m), fmt.Sprint(required))
	}
	return Verdict{}
}

// substituted returns what additional must hold, and what it may hold.
func (c *Case) substituted(w want) (required, allowed []dns.RR) {
	for _, rr := range notSignature(w.extra) {
		n := c.World.Find(rr.Header().Name)
		t := rr.Header().Rrtype
		if n == nil || n.Status != Proxied || t != dns.TypeA && t != dns.TypeAAAA {
			if n != nil && n.Status == Unsure {
				allowed = append(allowed, rr)
				continue
			}
			required, allowed = append(required, rr), append(allowed, rr)
			continue
		}
		if c.glueOwner(n.Name) && isDelegated(w.ns, n.Name) {
			required, allowed = append(required, rr), append(allowed, rr)
			continue
		}
		if t == dns.TypeA {
			required = append(required, c.mapped(n.Name, n.V4)...)
		} else if !n.AAAAOnly {
			required = append(required, c.mapped(n.Name, n.V6)...)
		}
		allowed = append(allowed, c.mapped(n.Name, n.V4)...)
		allowed = append(allowed, c.mapped(n.Name, n.V6)...)
	}
	return required, allowed
}

// isDelegated says whether the records delegate a zone around the name to it.
func isDelegated(rrs []dns.RR, name string) bool {
	return slices.ContainsFunc(rrs, func(rr dns.RR) bool {
		ns, ok := rr.(*dns.NS)
		return ok && strings.EqualFold(ns.Ns, name) && dns.IsSubDomain(ns.Hdr.Name, name)
	})
}

// hints judges the hints of HTTPS and SVCB records in the answer against those
// that the backend has (R9).
func (c *Case) hints(q *query, m *dns.Msg, w want) Verdict {
	for _, rr := range m.Answer {
		got := asSVCB(rr)
		if got == nil {
			continue
		}
		for _, backend := range w.answer {
			was := asSVCB(backend)
			if was == nil || key(backend, true) != key(rr, true) {
				continue
			}
			if v := c.hintsOf(q, rr, got, backend, was, w.rule == "R10"); v.Kind != OK {
				return v
			}
		}
	}
	return Verdict{}
}

func (c *Case) hintsOf(q *query, rr dns.RR, got *dns.SVCB, backend dns.RR, was *dns.SVCB, synthesized bool) Verdict {
	target := was.Target
	if target == "." {
		target = was.Hdr.Name
	}
	n := c.World.Find(target)
	if n == nil || n.Status == Unsure {
		return Verdict{}
	}
	if n.Status == Unproxied {
		if chain, _ := aliases(c.answerOf(target), target); len(chain) > 0 {
			for _, step := range chain {
				if n = c.World.Find(step.target); n == nil || n.Status != Unproxied {
					break
				}
			}
			if n == nil || n.Status == Unsure {
				return Verdict{}
			}
		}
	}
	place := "hints of a target that is " + map[Status]string{Proxied: "proxied", Unproxied: "not proxied"}[n.Status]
	if n.Elsewhere {
		return Verdict{} // mapped, dropped, or kept where that is certain: never secret
	}
	hasHints := hintText(was) != ""
	gotHints := hintText(got)
	wantHints := hintText(was)
	if n.Status == Proxied {
		exists := holds(c.answerOf(n.Name), n.Name, dns.TypeA) || holds(c.answerOf(n.Name), n.Name, dns.TypeCNAME) || holds(c.answers(n.Name, dns.TypeAAAA), n.Name, dns.TypeAAAA)
		v6 := n.V6
		if n.AAAAOnly && !holds(c.answers(n.Name, dns.TypeAAAA), n.Name, dns.TypeAAAA) {
			v6 = nil
		}
		wantHints = ""
		if hasHints {
			wantHints = hintText(asSVCB(c.synthesized(n.Name, n.V4, v6)))
		}
		if !exists && !n.Spectrum && gotHints == "" {
			return Verdict{} // a mark without a name: nothing says what its addresses are
		}
	}
	if gotHints != wantHints {
		return wrong("R9", place+", asked for "+dns.Type(q.qtype).String(), rr.String(), backend.String()+" with hints "+wantHints)
	}
	for _, kv := range got.Value {
		if mand, ok := kv.(*dns.SVCBMandatory); ok {
			for _, k := range mand.Code {
				if !slices.ContainsFunc(got.Value, func(kv dns.SVCBKeyValue) bool { return kv.Key() == k }) {
					return wrong("R9", "a mandatory key that is not in the record", rr.String(), "it is dropped from mandatory")
				}
			}
		}
	}
	return Verdict{}
}

func (c *Case) answerOf(name string) []dns.RR { return c.answers(name, dns.TypeA) }

func (c *Case) answers(name string, qtype uint16) []dns.RR {
	if m := c.ask(name, qtype); m != nil {
		return m.Answer
	}
	return nil
}

func hintText(s *dns.SVCB) string {
	var out []string
	for _, kv := range s.Value {
		if k := kv.Key(); k == dns.SVCB_IPV4HINT || k == dns.SVCB_IPV6HINT {
			out = append(out, k.String()+"="+kv.String())
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
