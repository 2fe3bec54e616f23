package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// meaning compares a response to a plain question with what the rules demand.
func (c *Case) meaning(q *query, messages []*dns.Msg) Verdict {
	if q.opcode != dns.OpcodeQuery || q.malformed != "" || q.class != dns.ClassINET || c.Backend == nil {
		return Verdict{}
	}
	m := messages[0]
	if c.World.Options.Unlisted && c.unlisted(q.name) {
		return c.refused(q, m)
	}
	if q.transfer {
		return c.transferred(q, messages)
	}
	if c.World.Front == "autopath" {
		return Verdict{} // it asks and answers with other names
	}
	if len(m.Question) != 1 || m.Question[0] != q.msg.Question[0] {
		return wrong("form", "the question section is not the client's", fmt.Sprint(m.Question), fmt.Sprint(q.msg.Question))
	}
	if c.frontAnswers(q) {
		return Verdict{}
	}
	w := c.expect(q.name, q.qtype)
	if w.unknown {
		return Verdict{}
	}
	if f := c.World.Fault; f != nil && c.inPlay(f, q) {
		return c.underFault(f, q, m, w)
	}
	return c.compare(q, m, w)
}

// unlisted says whether the name is in a zone that the server block serves and
// the map does not know.
func (c *Case) unlisted(name string) bool {
	return c.World.Closest(name, func(z Zone) bool { return z.Declared }) == nil && c.World.Closest(name, func(z Zone) bool { return z.Served }) != nil
}

// refused judges R29 with "unlisted refuse".
func (c *Case) refused(q *query, m *dns.Msg) Verdict {
	if c.frontAnswers(q) || c.World.Front == "autopath" {
		return Verdict{}
	}
	if rrs := records(m); m.Rcode != dns.RcodeServerFailure || len(rrs) > 0 {
		return wrong("R29", "unlisted refuse, asked for "+dns.Type(q.qtype).String(), summary(m), "SERVFAIL and no record")
	}
	if q.msg.IsEdns0() == nil || slices.Contains([]string{"cache", "stale", "many"}, c.World.Front) {
		return Verdict{} // the plugin cache keeps no error
	}
	if opt := m.IsEdns0(); opt == nil || !slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool { return o.Option() == dns.EDNS0EDE }) {
		return wrong("R29", "unlisted refuse without an EDE", m.String(), "an EDE")
	}
	return Verdict{}
}

// frontAnswers says whether the plugin in front may have made this answer, or
// changed what it means.
func (c *Case) frontAnswers(q *query) bool {
	switch c.World.Front {
	case "any":
		return q.qtype == dns.TypeANY
	case "dns64":
		return q.qtype == dns.TypeAAAA
	case "dnssec":
		return q.do || q.qtype == dns.TypeDNSKEY || q.qtype == dns.TypeANY
	case "acl":
		return q.qtype == dns.TypeCAA
	case "rewrite":
		return strings.HasPrefix(strings.ToLower(q.name), "rw.")
	case "local":
		return strings.HasPrefix(strings.ToLower(q.name), "localhost.")
	}
	return false
}

// inPlay says whether the fault concerns a question that this answer may hang
// on: about the name, the names that it leads to, the zone's apex.
func (c *Case) inPlay(f *Fault, q *query) bool {
	if f.Names == nil {
		return true
	}
	names := []string{dns.CanonicalName(q.name)}
	for _, at := range dns.Split(names[0]) {
		if f.Names[names[0][at:]] {
			return true // who looks for the zone asks each name above for an SOA
		}
	}
	for i := 0; i < len(names) && i < 64; i++ {
		if f.Names[names[i]] {
			return true
		}
		for _, qtype := range []uint16{q.qtype, dns.TypeA, dns.TypeCNAME} {
			m := c.ask(names[i], qtype)
			if m == nil {
				return true
			}
			for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
				for _, name := range append(targets(rr), rr.Header().Name) {
					if name = dns.CanonicalName(name); !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}
		}
	}
	return false
}

// targets are the names that a record leads to.
func targets(rr dns.RR) []string {
	switch rr := rr.(type) {
	case *dns.CNAME:
		return []string{rr.Target}
	case *dns.DNAME:
		return []string{rr.Target}
	case *dns.MX:
		return []string{rr.Mx}
	case *dns.SRV:
		return []string{rr.Target}
	case *dns.NS:
		return []string{rr.Ns}
	}
	if s := asSVCB(rr); s != nil {
		return []string{s.Target}
	}
	return nil
}

// lies are the faults of a backend that asserts what is not so: what follows
// from it is the backend's word (R4), so that only leaks count.
func lies(kind string) bool {
	for _, p := range []string{"nxdomain", "wrong", "others", "second", "garbage"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}

// underFault judges an answer that a failing question may have to do with: what
// is undecided is closed, and never said not to exist (R23).
func (c *Case) underFault(f *Fault, q *query, m *dns.Msg, w want) Verdict {
	if lies(f.Kind) || w.rule == "R1" {
		return Verdict{} // what is not known, or the backend's own answer
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError || m.Truncated {
		return Verdict{} // closed, or the backend's own failure passed on
	}
	if f.Kind == "slow" || f.Kind == "ede" || f.Kind == "optopts" {
		return Verdict{}
	}
	if w.soaFor != "" && len(w.answer) == 0 && len(m.Answer) == 0 && c.servedSOA(w.soaFor) && !hasSOA(m, w.soaFor) && c.World.Front != "minimal" {
		return wrong("R27", "a negative answer without the zone's SOA where a question failed, inner fault "+f.Kind+", asked for "+dns.Type(q.qtype).String(), summary(m), "SERVFAIL, or an SOA")
	}
	positive := len(w.answer) > 0 && slices.Contains(w.rcodes, dns.RcodeSuccess) && !slices.Contains(w.rcodes, dns.RcodeNameError) && !w.deep
	if !positive {
		return Verdict{}
	}
	place := fmt.Sprintf("asked for %s, inner fault %s", dns.Type(q.qtype), f.Kind)
	if m.Rcode == dns.RcodeNameError {
		return wrong("R23", "NXDOMAIN where a question failed: "+place, summary(m), "SERVFAIL, or TC over UDP")
	}
	if !holdsAnswer(m, w) {
		return wrong("R23", "NODATA where a question failed: "+place, summary(m), "SERVFAIL, or TC over UDP, or "+dns.Type(q.qtype).String())
	}
	return Verdict{}
}

// holdsAnswer says whether the last record's owner that is wanted is answered.
func holdsAnswer(m *dns.Msg, w want) bool {
	last := w.answer[len(w.answer)-1].Header()
	return holds(m.Answer, last.Name, last.Rrtype)
}

// compare judges a response that no fault has to do with.
func (c *Case) compare(q *query, m *dns.Msg, w want) Verdict {
	ask := "asked for " + dns.Type(q.qtype).String()
	wanted := wantedText(w)
	if m.Truncated {
		if q.qtype != dns.TypeANY && !(q.do && c.World.Signed) && size(w) < q.size-100 {
			return Verdict{Closed, "R22", "TC although the answer would fit, " + ask, summary(m), wanted}
		}
		return Verdict{}
	}
	if !slices.Contains(w.rcodes, m.Rcode) {
		if failed(m) {
			if w.deep || q.qtype == dns.TypeNS && slices.Contains([]string{"cache", "stale", "many"}, c.World.Front) {
				return Verdict{} // file asks the server for NS alias by alias, and cache keeps where that was too deep
			}
			return Verdict{Closed, w.rule, dns.RcodeToString[m.Rcode] + " where nothing failed, " + ask, summary(m), wanted}
		}
		if c.World.Front == "dnssec" || w.deep {
			return Verdict{}
		}
		return wrong(w.rule, "rcode "+dns.RcodeToString[m.Rcode]+", "+ask, summary(m), wanted)
	}
	missing, extra := diff(w.answer, m.Answer, c.cached())
	if w.also != nil {
		_, extra = diff(w.also, m.Answer, c.cached())
	}
	if (len(missing) > 0 || len(extra) > 0) && !w.deep {
		place := "records missing from the answer"
		if len(missing) == 0 {
			place = "records added to the answer"
		} else if len(extra) > 0 {
			place = "other records in the answer"
		}
		return wrong(w.rule, place+", "+ask, summary(m), wanted)
	}
	if w.bare && !c.shuffled() && !sameOrder(w.answer, m.Answer) {
		return wrong("R22", "the addresses are not in the map's order, "+ask, summary(m), wanted)
	}
	if w.soaFor != "" && len(w.answer) == 0 && c.servedSOA(w.soaFor) && !hasSOA(m, w.soaFor) {
		return wrong("R27", "a negative answer without the zone's SOA, "+ask, summary(m), wanted+" and an SOA")
	}
	if w.bare && (len(notSignature(m.Ns)) > 0 || len(notSignature(m.Extra)) > 0) {
		return wrong("R2", "records beside the mapped addresses, "+ask, summary(m), wanted)
	}
	if w.bare && len(w.answer) > 0 && len(m.Answer) > 0 && !strings.HasPrefix(m.Answer[0].Header().Name, q.name) && c.World.Front == "none" {
		return wrong("R2", "the owner is not spelled as asked", m.Answer[0].String(), q.name)
	}
	if w.aa != nil && !slices.Contains(w.aa, m.Authoritative) && c.World.Front != "dns64" {
		return wrong(w.rule, "AA is not the backend's, "+ask, summary(m), fmt.Sprint(w.aa))
	}
	if w.deep {
		return Verdict{}
	}
	if v := c.hints(q, m, w); v.Kind != OK {
		return v
	}
	if w.sections && c.World.Front != "minimal" && c.World.Front != "many" {
		return c.compareSections(q, m, w)
	}
	return Verdict{}
}

func (c *Case) shuffled() bool { return c.World.Front == "loadbalance" || c.World.Front == "many" }

// sameOrder says whether the records that are wanted come in their order.
func sameOrder(want, got []dns.RR) bool {
	got = notSignature(got)
	for i, rr := range want {
		if i >= len(got) || key(rr, true) != key(got[i], true) {
			return false
		}
	}
	return true
}

func size(w want) int {
	m := dns.Msg{Answer: w.answer, Ns: w.ns, Extra: w.extra}
	return m.Len() + 100
}

func wantedText(w want) string {
	var b strings.Builder
	for i, r := range w.rcodes {
		if i > 0 {
			b.WriteString(" or ")
		}
		b.WriteString(dns.RcodeToString[r])
	}
	for _, rr := range w.answer {
		b.WriteString("; " + strings.Join(strings.Fields(rr.String()), " "))
	}
	return b.String()
}

func hasSOA(m *dns.Msg, name string) bool {
	return slices.ContainsFunc(m.Ns, func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSOA && dns.IsSubDomain(strings.ToLower(rr.Header().Name), strings.ToLower(name))
	})
}

// servedSOA says whether the backend has an SOA for the zone of the name.
func (c *Case) servedSOA(name string) bool {
	z := c.World.Closest(name, func(z Zone) bool { return z.Served })
	if z == nil {
		return false
	}
	m := c.ask(z.Name, dns.TypeSOA)
	return m != nil && holds(m.Answer, z.Name, dns.TypeSOA)
}

func notSignature(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		t := rr.Header().Rrtype
		return t == dns.TypeRRSIG || t == dns.TypeOPT || t == dns.TypeTSIG
	})
}
