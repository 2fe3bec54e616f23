package property

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// leaked returns the tokens in a response that may not leave.
func (w *world) leaked(response []byte, may map[token]bool) []token {
	forbidden := func(b []byte) []token {
		return slices.DeleteFunc(tokensIn(b), func(v token) bool { return may[v] || v == 0 || v > w.last })
	}
	if len(forbidden(response)) == 0 {
		return nil
	}
	// Of what looks like a token, some is in signatures and keys, and an NSEC
	// names the next owner whatever it is.
	m := new(dns.Msg)
	if err := m.Unpack(response); err != nil {
		return forbidden(response)
	}
	var nsecs []byte
	m.Compress = true
	for _, section := range []*[]dns.RR{&m.Answer, &m.Ns, &m.Extra} {
		*section = slices.DeleteFunc(*section, func(rr dns.RR) bool {
			switch rr.(type) {
			case *dns.NSEC:
				nsecs = append(nsecs, rr.String()...)
				return true
			case *dns.RRSIG, *dns.DNSKEY, *dns.DS:
				return true
			}
			return false
		})
	}
	packed, err := m.Pack()
	if err != nil {
		return forbidden(response)
	}
	inNSEC := slices.DeleteFunc(forbidden(nsecs), w.isOwner)
	return append(forbidden(packed), inNSEC...)
}

// isOwner reports whether a token is a label of an owner.
func (w *world) isOwner(v token) bool {
	for _, z := range w.zones {
		for owner := range z.exists {
			if slices.Contains(tokensIn([]byte(owner)), v) {
				return true
			}
		}
	}
	return false
}

// touches reports whether a backend's response, or what its aliases lead to, has
// anything of a proxied name in it.
func (w *world) touches(m *dns.Msg) bool {
	if len(m.Question) == 1 && w.hidden(dns.CanonicalName(m.Question[0].Name)) {
		return true
	}
	if slices.ContainsFunc(m.Answer, w.leadsOutside) {
		return true
	}
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		if w.touchesRecord(rr) {
			return true
		}
	}
	return false
}

// leadsOutside reports whether a record leads to a name that the map has proxied,
// whoever acts for it.
func (w *world) leadsOutside(rr dns.RR) bool {
	target := ""
	switch rr := rr.(type) {
	case *dns.CNAME:
		target = rr.Target
	case *dns.SRV:
		target = rr.Target
	}
	target = dns.CanonicalName(target)
	if z := w.zoneOf(target); z != nil && z.signed && !w.acting(target) && w.underMark(target) {
		return true // of a signed zone it is not seen what stands by itself: the wildcard's mark counts
	}
	f, _ := w.flags(target)
	return f.proxied
}

func (w *world) touchesRecord(rr dns.RR) bool {
	owner := dns.CanonicalName(rr.Header().Name)
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA:
		return w.proxied(owner)
	case *dns.CNAME:
		return w.proxied(owner) || w.hidden(dns.CanonicalName(rr.Target))
	case *dns.DNAME:
		return w.proxied(owner) // the alias made of it is answer enough
	case *dns.SVCB, *dns.HTTPS:
		return w.touchesHints(owner, effective(svcbIn(rr), owner))
	case *dns.RRSIG:
		return w.proxied(owner) && slices.Contains(aliasTypes, rr.TypeCovered)
	}
	return false
}

// touchesHints reports whether the hints of a record at owner for a target are not to
// be as the backend has them: those of a proxied name, and to be safe those of one in
// a zone that the directive does not act for or that the owner's server block cannot
// ask about.
// Whether a wildcard's mark covers a name that is elsewhere is not known.
func (w *world) touchesHints(owner, target string) bool {
	home := w.block(owner)
	for range 8 {
		if w.mapZone(target) != nil && w.block(target) != home {
			return true
		}
		if f, _ := w.flags(target); f.proxied || w.hidden(target) || w.underMark(target) {
			return true
		}
		if w.covered(target) || !w.acting(target) && w.mapZone(target) != nil {
			return true
		}
		if z := w.zoneOf(target); z != nil && z.cutAbove(target) != "" {
			return true // what a referral hides
		}
		next, aliased := w.aliasOf(target)
		if !aliased {
			return len(next) > maxName || w.lost(target) || w.denied(target)
		}
		if target = next; w.zoneOf(target) == nil || w.block(target) != home || !w.acting(target) {
			return true // where nobody can be asked
		}
	}
	return true // deeper than is followed
}

// lost reports whether a look-up of a target may fail: it is in a zone that an
// addressmap acts for, and in none that a backend has.
func (w *world) lost(target string) bool { return w.acting(target) && w.zoneOf(target) == nil }

// denied reports whether the backend has no such name as the target that it has itself
// named, and does not tell its wildcards: then it cannot be believed in either.
func (w *world) denied(target string) bool {
	z := w.zoneOf(target)
	return !w.backing.tells && z != nil && z.source(target) == "" && !z.exists[target]
}

// loops reports whether the aliases of a name never end, or only where a redirection
// into itself has made it too long. What servers make of that differs, and with NSD
// from one time to another.
func (w *world) loops(name string) bool {
	seen := make(map[string]bool)
	for !seen[name] {
		seen[name] = true
		next, aliased := w.aliasOf(name)
		if !aliased {
			return len(next) > maxName
		}
		name = next
	}
	return true
}

// underMark reports whether there is a wildcard above the name that is marked.
func (w *world) underMark(name string) bool {
	z := w.mapZone(name)
	for n := name; z != nil && n != z.apex; {
		n = parent(n)
		if _, marked := z.marks["*."+n]; marked {
			return true
		}
	}
	return false
}

// mayCover reports whether the mark of a wildcard may be that of a name which
// aliases in a response lead to.
func (w *world) mayCover(m *dns.Msg) bool {
	return slices.ContainsFunc(m.Answer, func(rr dns.RR) bool {
		alias, ok := rr.(*dns.CNAME)
		return ok && w.underMark(dns.CanonicalName(alias.Target))
	})
}

// comparable prints a response so that those of two servers compare equal:
// records in order, without what changes by itself.
func (w *world) comparable(m *dns.Msg) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s aa=%v ra=%v ad=%v\n", dns.RcodeToString[m.Rcode], m.Authoritative, m.RecursionAvailable, m.AuthenticatedData)
	for i, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		var lines []string
		for _, rr := range section {
			if isMisplaced(rr, m) {
				continue
			}
			lines = append(lines, w.comparableRecord(rr))
		}
		slices.Sort(lines)
		fmt.Fprintf(&b, "%d: %s\n", i, strings.Join(lines, "\n   "))
	}
	return b.String()
}

// isMisplaced recognises the signature of an alias made from a wildcard: file
// puts it at the wildcard, where it signs nothing that is in the response.
func isMisplaced(rr dns.RR, m *dns.Msg) bool {
	sig, ok := rr.(*dns.RRSIG)
	return ok && sig.TypeCovered == dns.TypeCNAME && strings.HasPrefix(sig.Hdr.Name, "*.") && len(server.RRset(m.Answer, sig.Hdr.Name, dns.TypeCNAME)) == 0
}

func (w *world) comparableRecord(rr dns.RR) string {
	rr = dns.Copy(rr)
	if w.shape.front == "cache" && rr.Header().Rrtype != dns.TypeOPT {
		rr.Header().Ttl = 0
		rr.Header().Name = dns.CanonicalName(rr.Header().Name) // as whoever asked first spelled it
	}
	switch rr := rr.(type) {
	case *dns.SOA:
		rr.Serial = 0
	case *dns.RRSIG:
		if rr.TypeCovered == dns.TypeSOA || w.shape.front == "dnssec" {
			rr.Signature, rr.Inception, rr.Expiration = "", 0, 0
		}
	}
	return rr.String()
}

// wanted returns the addresses that answer an A, AAAA or ANY question which
// leads to a proxied name that the backend has, and that name.
func (w *world) wanted(q query) (name string, addrs []string, ok bool) {
	if q.qtype != dns.TypeA && q.qtype != dns.TypeAAAA && q.qtype != dns.TypeANY {
		return "", nil, false
	}
	name = dns.CanonicalName(q.name)
	if block := w.block(q.name); !w.backing.tells && block >= 0 && len(w.shape.acting[block]) == 0 {
		return "", nil, false // no directive sees what the backend follows by itself
	}
	for range 8 {
		target, aliased := w.aliasOf(name)
		if w.proxied(name) {
			if w.apps[name] == nil && !w.exactly(name) {
				return "", nil, false
			}
			f := ipv4
			if q.qtype == dns.TypeAAAA || q.qtype == dns.TypeANY && len(w.addressesOf(name, ipv4)) == 0 {
				f = ipv6
			}
			return name, w.addressesOf(name, f), true
		}
		if !aliased || q.qtype == dns.TypeANY || w.backing.hides || w.backing.shallow && w.isDeep(name) {
			break
		}
		if z := w.zoneOf(name); w.refers(w.block(q.name), target) || z != nil && z.cutAbove(target) != "" && !w.proxied(target) {
			break // a referral
		}
		name = target
	}
	return "", nil, false
}

// refers reports whether a server block has a zone above that of a name, and
// another block that one: the answer of the first is a referral to the second.
func (w *world) refers(block int, name string) bool {
	return block != w.block(name) && slices.ContainsFunc(w.shape.blocks[block], func(apex string) bool { return dns.IsSubDomain(apex, name) })
}

// isDeep reports whether a name is more than one label below the wildcard that
// covers it.
func (w *world) isDeep(name string) bool {
	z := w.zoneOf(name)
	return z != nil && z.at[name] == nil && dns.CountLabel(name) > dns.CountLabel(z.source(name))
}

// exactly reports whether the backend has an address or alias for a name, as far
// as the model knows the backend: one that does not tell wildcards may have them
// otherwise.
func (w *world) exactly(name string) bool {
	_, aliased := w.aliasOf(name)
	z := w.zoneOf(name)
	if !w.backing.tells && (z == nil || z.at[name] == nil) {
		return false
	}
	return aliased || w.holds(name, aliasTypes...)
}

// unlike says what is wrong with the answer to a question that leads to a
// proxied name.
func (w *world) unlike(m *dns.Msg, name string, addrs []string) string {
	var got []string
	for _, rr := range m.Answer {
		owner := dns.CanonicalName(rr.Header().Name)
		switch rr := rr.(type) {
		case *dns.A:
			got = append(got, rr.A.String())
		case *dns.AAAA:
			got = append(got, rr.AAAA.String())
		case *dns.CNAME, *dns.DNAME:
			if owner == name && rr.Header().Rrtype == dns.TypeCNAME {
				return "an alias at the proxied name"
			}
			continue
		case *dns.RRSIG:
			continue
		default:
			return "no answer to the question: " + rr.String()
		}
		if owner != name || rr.Header().Ttl > mapTTL {
			return "no address of " + name + ": " + rr.String()
		}
	}
	addrs = slices.Clone(addrs)
	if w.shape.front == "loadbalance" {
		slices.Sort(got)
		slices.Sort(addrs)
	}
	if m.Rcode != dns.RcodeSuccess || !slices.Equal(got, addrs) {
		return fmt.Sprintf("want NOERROR with %v", addrs)
	}
	if dns.CanonicalName(m.Question[0].Name) != name {
		return "" // the authority section may be that of the server block where the chain begins
	}
	for _, rr := range m.Ns {
		if t := rr.Header().Rrtype; len(addrs) > 0 && w.shape.front != "dnssec" || t != dns.TypeSOA && t != dns.TypeNSEC && t != dns.TypeRRSIG {
			return "in authority: " + rr.String()
		}
	}
	if len(addrs) == 0 && !w.backing.bare && !slices.ContainsFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA }) {
		return "NODATA without SOA"
	}
	return ""
}
