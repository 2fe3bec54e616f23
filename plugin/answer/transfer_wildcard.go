package answer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// exceptions adds the names that have a mark of their own and no records of
// their own: the backend answers for them from a wildcard, and so would a
// secondary, with what the wildcard's mark says in place of theirs. Each gets a
// copy of the wildcard's records, and so does a new wildcard below it, because a
// name that exists hides the old one from the names below (RFC 4592, section
// 2.2.1). rrs is what the backend has.
func (z *zoneData) exceptions(out, rrs []dns.RR) []dns.RR {
	marked := slices.DeleteFunc(z.names.Snapshot.Marked(z.apex), func(n fqdn.Name) bool {
		_, exists := z.owners[n]
		return exists || n.IsWildcard() || z.cuts.Encloses(n) || !z.names.Acting.Encloses(n)
	})
	if len(marked) == 0 {
		return out
	}
	wild := make(map[fqdn.Name][]dns.RR) // :: parent of the asterisk label → records
	exists := make(ancestry)
	for _, rr := range rrs {
		owner := fqdn.Canonical(rr.Header().Name)
		exists.add(owner, z.apex)
		if parent, _ := owner.Parent(); owner.IsWildcard() && isData(rr) {
			wild[parent] = append(wild[parent], rr)
		}
	}
	slices.SortFunc(marked, func(a, b fqdn.Name) int { // what lies above comes first
		return cmp.Or(cmp.Compare(strings.Count(string(a), "."), strings.Count(string(b), ".")), cmp.Compare(a, b))
	})
	for _, name := range marked {
		encloser := exists.encloser(name)
		source := wild[encloser]
		if encloser == name || len(source) == 0 {
			continue
		}
		below, above := name.Wildcard(), encloser.Wildcard()
		z.owners[name], z.owners[below] = z.owners[above], z.owners[above]
		z.decided[below] = z.of(above)
		for _, rr := range source {
			cp := renamed(rr, below)
			wild[name] = append(wild[name], cp)
			out = z.put(z.put(out, renamed(rr, name)), cp)
		}
		exists.add(name, z.apex)
	}
	return out
}

// ancestry is names that exist, empty non-terminals included.
type ancestry map[fqdn.Name]struct{}

// add adds a name and those between it and the apex.
func (a ancestry) add(name, apex fqdn.Name) {
	for n, ok := name, true; ok && n.In(apex); n, ok = n.Parent() {
		if _, known := a[n]; known {
			return
		}
		a[n] = struct{}{}
	}
}

// encloser returns the closest encloser of name, which may be name itself.
func (a ancestry) encloser(name fqdn.Name) fqdn.Name {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if _, known := a[n]; known {
			return n
		}
	}
	return name
}

// isData reports whether a record is copied with a wildcard; what proves or signs
// the wildcard itself is not.
func isData(rr dns.RR) bool {
	t := rr.Header().Rrtype
	return t != dns.TypeRRSIG && t != dns.TypeNSEC && t != dns.TypeNSEC3
}

func renamed(rr dns.RR, owner fqdn.Name) dns.RR {
	cp := dns.Copy(rr)
	cp.Header().Name = string(owner)
	return cp
}
