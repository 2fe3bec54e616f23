package answer

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// exceptions adds the names of which the map says something of its own and the
// backend has no records: the backend answers for them from a wildcard, and so
// would a secondary, with what the wildcard's mark says in place of what theirs
// does. Each gets a copy of the wildcard's records, and so does a new wildcard
// below it, because a name that exists hides the old one from the names below
// (RFC 4592, section 2.2.1). A wildcard without an address has nothing to substitute:
// it is copied beside applications alone, whose names exist whatever it has. rrs is
// what the backend has.
func (z *zoneData) exceptions(out, rrs []dns.RR) []dns.RR {
	wild := make(map[fqdn.Name][]dns.RR) // :: wildcard → records
	for _, rr := range rrs {
		owner := fqdn.Canonical(rr.Header().Name)
		if owner.IsWildcard() && isData(rr) && !z.cuts.Encloses(owner) {
			wild[owner] = append(wild[owner], rr)
		}
	}
	if len(wild) == 0 {
		return out
	}
	hiding, byApplication := z.hiding()
	for _, name := range hiding {
		above, below := z.covering(name), name.Wildcard()
		if _, forced := byApplication[name]; !forced && z.owners[z.source(above)]&(withAddress|withOwnHints) == 0 {
			continue
		}
		_, hidden := z.exists[name] // an empty non-terminal: no name below it is covered
		if _, legal := dns.IsDomainName(string(below)); !legal {
			hidden = true // too long
		}
		source := z.source(above)
		for _, rr := range wild[above] {
			z.sources[name] = source
			out = z.put(out, renamed(rr, name))
			if hidden {
				continue
			}
			cp := renamed(rr, below)
			wild[below], z.sources[below] = append(wild[below], cp), source
			out = z.put(out, cp)
		}
		if len(wild[above]) > 0 {
			z.exists.add(name, z.apex)
		}
	}
	return out
}

// hiding returns the names that the map knows and the backend may not have, and
// those between them and the names that it has: what lies above comes first. Those that
// an application brings along are returned as a set, too.
func (z *zoneData) hiding() ([]fqdn.Name, fqdn.Set) {
	snapshot := z.c.names.Snapshot
	marked, applications := make(fqdn.Set), make(fqdn.Set)
	z.hide(marked, snapshot.Marked(z.apex))
	z.hide(applications, snapshot.Applications(z.apex))
	maps.Copy(marked, applications)
	return slices.SortedFunc(maps.Keys(marked), func(a, b fqdn.Name) int {
		return cmp.Or(cmp.Compare(strings.Count(string(a), "."), strings.Count(string(b), ".")), cmp.Compare(a, b))
	}), applications
}

// hide adds names that the backend does not have, and those between them and the names
// that it has.
func (z *zoneData) hide(set fqdn.Set, names []fqdn.Name) {
	for _, known := range names {
		if known.IsWildcard() || z.cuts.Encloses(known) || !z.c.names.acts(known) {
			continue
		}
		if _, exists := z.owners[known]; exists {
			continue
		}
		set[known] = struct{}{}
		for n, ok := known.Parent(); ok; n, ok = n.Parent() {
			if _, exists := z.exists[n]; exists {
				break
			}
			set[n] = struct{}{}
		}
	}
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
