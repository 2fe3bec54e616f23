package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Released is a response that passed the gate. The zero Released is no response.
// Only this file makes one, and ReleaseTransfer for the messages of a transfer.
type Released struct{ msg *dns.Msg }

// Msg returns the message to write to the client, nil if there is none.
func (r Released) Msg() *dns.Msg { return r.msg }

// fate is what becomes of a record at the gate.
type fate uint8

// The fates. The zero fate is that no rule was found: the response is withheld.
const (
	withheld fate = iota // no rule lets the record out, and the answer is wrong without it
	dropped              // no rule lets the record out, and the answer is right without it
	passed               // a rule lets the record out as it is
	replaced             // a rule lets other records out in its place, or none
)

// ruling is the fate of a record. By the zero ruling, the response is withheld.
type ruling struct {
	fate fate
	with []dns.RR // in place of a replaced record
}

// release lets a message out of whose records the map made all (R2, R7, R10), or that
// has none (R3, R19, R23, R25, R29): there is nothing of a backend in it to be judged.
func release(m *dns.Msg) Released { return Released{m} }

// pass lets the backend's reply to the question out as far as the rules of the
// package comment allow. q is the question, and s the standing of its name.
func (c *conversation) pass(q question, s standing, rep *Reply) Outcome {
	m := rep.Msg
	if m == nil {
		return c.nothing(s.d, rep)
	}
	if !answersTo(m, q, c.req) {
		return c.withhold(s.d, ReasonQuestion)
	}
	if m.Question[0] != c.req.Question[0] { // asked for an alias, or of another type
		cp := *m
		cp.Question = c.req.Question
		m = &cp
	}
	if aliases(m.Answer, m.Ns, m.Extra) > maxAliases {
		return c.withhold(s.d, ReasonLoop)
	}
	g := &gate{c: c, q: q, s: s, rep: rep, shown: s.d, cut: cutOf(q, m), addrsLeft: maxMapped}
	g.survey(m)
	answer, ok := g.section(m.Answer, g.inAnswer)
	if !ok {
		if c.names.shutsAny(m.Answer) {
			return c.withhold(g.shown, ReasonClosed)
		}
		return c.withhold(g.shown, ReasonAnswer)
	}
	ns, ok := g.section(m.Ns, g.inAuthority)
	if !ok {
		return c.withhold(g.shown, ReasonAuthority)
	}
	extra, ok := g.section(m.Extra, g.inAdditional)
	if !ok {
		return c.withhold(g.shown, ReasonAdditional)
	}
	extra, _ = g.section(extra, func(rr dns.RR, _ fqdn.Name) ruling {
		if rr.Header().Rrtype == dns.TypeOPT {
			return g.opt(rr)
		}
		return ruling{fate: passed}
	})
	if q.qtype == dns.TypeANY && g.reaches && m.Rcode != dns.RcodeSuccess && len(answer) > 0 {
		cp := *m // R28: the rcode is that of what is behind the alias
		cp.Rcode, m = dns.RcodeSuccess, &cp
	}
	if m.Truncated && (s.kind != unproxied || g.changed) && !c.x.Datagram() {
		return c.undecided(g.shown, truncated) // R23
	}
	if !g.changed {
		return Outcome{Released: Released{m}, Decision: g.shown}
	}
	cp := *m
	cp.Answer, cp.Ns, cp.Extra = g.valid(answer), g.valid(ns), without(g.valid(extra), dns.TypeTSIG)
	out := Outcome{Released: Released{&cp}, Decision: g.shown}
	if g.substituted {
		out.Verdict = Substituted
	}
	return out
}

// passPlain is [conversation.pass] for the common reply about an unproxied name, and
// reports false for any other.
func passPlain(q question, req *dns.Msg, d mapset.Decision, rep *Reply, serials bool) (Outcome, bool) {
	if rep.Msg == nil || rep.Chased || !answersTo(rep.Msg, q, req) || !plain(q, rep.Msg, serials) {
		return Outcome{}, false
	}
	return Outcome{Released: Released{rep.Msg}, Decision: d}, true
}

// join lets the aliases of unproxied names out that lead to another name, and then
// what was let out for that one (R7).
func (c *conversation) join(p Presence, chain []dns.RR, last Released) Released {
	m := replyTo(c.req, p)
	m.Answer = chain
	if last.msg == nil {
		m.Rcode = dns.RcodeServerFailure
		return Released{m}
	}
	m.Rcode, m.Truncated = last.msg.Rcode, last.msg.Truncated // RFC 6604, section 3: that of the last name
	m.Answer = append(chain, last.msg.Answer...)
	m.Ns = last.msg.Ns
	m.Extra = without(last.msg.Extra, dns.TypeOPT)
	return Released{m}
}

// Bare lets a response to what is no query out (R21): its header and question, OPT and,
// if nothing else was in it, TSIG.
func Bare(req, m *dns.Msg) Released {
	cp := *m
	cp.Question, cp.Answer, cp.Ns, cp.Extra, cp.Truncated = req.Question, nil, nil, nil, false
	for _, rr := range m.Extra {
		switch rr := rr.(type) {
		case *dns.OPT:
			cp.Extra = append(cp.Extra, withoutText(rr))
		case *dns.TSIG:
			if len(m.Answer)+len(m.Ns) == 0 {
				cp.Extra = append(cp.Extra, rr)
			}
		}
	}
	if len(cp.Extra) < len(m.Extra) {
		cp.Extra = without(cp.Extra, dns.TypeTSIG)
	}
	return Released{&cp}
}

// gate is what is known while the records of one message are judged.
type gate struct {
	c     *conversation
	q     question
	s     standing // of the owner in question
	rep   *Reply
	shown mapset.Decision // to the operator: of the last owner substituted
	cut   fqdn.Name       // of a referral, or ""

	chain     fqdn.Set // owners that the aliases of unproxied names lead to, and the owner in question
	hidden    fqdn.Set // owners that the alias of a proxied name leads to
	reaches   bool     // the chain ends at a name that is not certainly unproxied
	targets   fqdn.Set // see named
	addrsLeft int      // how many mapped addresses may still be added; see substitute
	done      fqdn.Set // owners whose additional addresses are in place
	void      []rrset  // whose signatures no longer hold

	changed     bool // something is dropped or replaced
	substituted bool // something is replaced by data of the map
}

type rrset struct {
	owner fqdn.Name
	rtype uint16
}

// maxAliases is how many aliases a message may hold: to follow them takes the square of
// that.
const maxAliases = 64

func aliases(sections ...[]dns.RR) (n int) {
	for _, section := range sections {
		for _, rr := range section {
			if rr.Header().Rrtype == dns.TypeCNAME {
				n++
			}
		}
	}
	return n
}

// survey notes where the aliases of a message lead: those of the answer section from
// the name in question, and any of proxied names.
func (g *gate) survey(m *dns.Msg) {
	g.chain, g.hidden = fqdn.NewSet(g.q.owner), make(fqdn.Set)
	var aliases []*dns.CNAME
	answers := 0 // how many of them stand in the answer section
	for i, section := range [3][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if alias, ok := rr.(*dns.CNAME); ok {
				aliases = append(aliases, alias)
			}
		}
		if i == 0 {
			answers = len(aliases)
		}
	}
	for grown := len(aliases) > 0; grown; {
		grown = false
		for i, alias := range aliases {
			owner, to := fqdn.Canonical(alias.Hdr.Name), fqdn.Canonical(alias.Target)
			_, on := g.chain[owner]
			_, behind := g.hidden[owner]
			set := g.hidden
			switch open := g.of(owner).kind == unproxied; {
			case on && open && i < answers:
				set = g.chain
				g.reaches = g.reaches || g.of(to).kind != unproxied || g.rep.gated(to) && g.c.names.Snapshot.Lookup(to).Proxied()
			case open && !behind:
				continue // it hides nothing
			}
			if _, known := set[to]; !known {
				set[to] = struct{}{}
				grown = true
			}
		}
	}
}

// section judges each record of a section. It returns rrs itself if every one of them
// may leave as it is, and false if the response is withheld.
func (g *gate) section(rrs []dns.RR, judge func(dns.RR, fqdn.Name) ruling) ([]dns.RR, bool) {
	var out []dns.RR // nil as long as every record may stay
	for i, rr := range rrs {
		r := judge(rr, fqdn.Canonical(rr.Header().Name))
		switch r.fate {
		case passed:
			if out != nil {
				out = append(out, rr)
			}
			continue
		case dropped, replaced:
		default:
			return nil, false
		}
		if out == nil {
			out = append(make([]dns.RR, 0, len(rrs)+len(r.with)), rrs[:i]...)
		}
		out = append(out, r.with...)
		g.changed = true
	}
	if out == nil {
		return rrs, true
	}
	return out, true
}

// valid drops the signatures of RRsets that were changed.
func (g *gate) valid(rrs []dns.RR) []dns.RR {
	if len(g.void) == 0 {
		return rrs
	}
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		sig, ok := rr.(*dns.RRSIG)
		return ok && slices.Contains(g.void, rrset{fqdn.Canonical(sig.Hdr.Name), sig.TypeCovered})
	})
}
