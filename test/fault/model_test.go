package fault

import (
	"fmt"
	"maps"
	"slices"
)

// The tenants of the world that faults are made in. Each is an account with a
// zone, an address map of which the addresses tell the version, and in a
// directory a document of its own.
const (
	tenantAnycast  = iota // has the anycast addresses, and no map
	tenantMarked          // the marks of its zone stand in a zone file
	tenantGuarded         // has a protected map, which answers for a second zone
	tenantLender          // lends address space
	tenantBorrower        // has its addresses there
	tenantPlain           // has a Spectrum application
	tenantBYOIP           // is byoip_only
	tenants
)

// second is the second zone of the guarded tenant; the other zones have the
// numbers of their tenants.
const (
	secondZone = tenants
	zoneCount  = tenants + 1
)

// account is what a document says of an account. Everything that is
// answered depends on it, so that it stands for a version of the answers too.
type account struct {
	tenant  int
	version int // of the addresses; 0: there is no such account
	also    int // a tenant of which it claims the zone; itself for none

	marks int // of the marked one: the bits of its zone file; -1: it names none
	lends bool

	kept       bool // of the guarded one: there is a protected map
	keptIPs    int  // the version of its addresses
	open       bool // neither can_delete nor can_modify_ips is false
	disabled   bool // it is disabled
	unconfined bool // of the byoip_only one: not byoip_only any more

	shut bool // no account: the zone is closed, because a document that may hold it is refused
}

func (a account) claims(zone int) bool {
	return a.version > 0 && (zone == a.tenant || zone == a.also || zone == secondZone && a.tenant == tenantGuarded)
}

// edition is a document or zone file as written: its text, and what the text
// says. An edition that is wrong in itself is never in force.
type edition struct {
	text     string
	accounts []account
	wrong    string // what the log says is wrong with it
	legible  bool   // and yet it can be told which accounts it has
	hazy     bool   // but not for certain which zones (R26)
	zoneFile string // the text of the zone file that it names
	marks    int    // of a zone file
}

func (e *edition) account(tenant int) account {
	if e != nil {
		for _, a := range e.accounts {
			if a.tenant == tenant {
				return a
			}
		}
	}
	return account{tenant: tenant, also: tenant}
}

// inForce is what is in force: the editions of documents by name. It is never
// changed, always replaced.
type inForce map[string]*edition

func (f inForce) account(tenant int) account {
	for _, e := range f {
		if a := e.account(tenant); a.version > 0 {
			return a
		}
	}
	return (*edition)(nil).account(tenant)
}

// holder returns the account that answers for a zone.
func (f inForce) holder(zone int) account {
	for i := range tenants {
		if a := f.account(i); a.claims(zone) {
			return a
		}
	}
	return account{}
}

func (f inForce) same(o inForce) bool {
	return maps.EqualFunc(f, o, func(a, b *edition) bool { return a.same(b) })
}

func (e *edition) same(o *edition) bool {
	return e == o || e != nil && o != nil && e.text == o.text && slices.Equal(e.accounts, o.accounts)
}

// with returns what is in force after one document has become another edition,
// or is gone.
func (f inForce) with(name string, e *edition) inForce {
	out := maps.Clone(f)
	if out == nil {
		out = make(inForce)
	}
	if e == nil {
		delete(out, name)
	} else {
		out[name] = e
	}
	return out
}

// wrong says what the documents do to each other, "" if they go together.
func (f inForce) wrong() string {
	seen := make(map[int]bool)
	var claimed [zoneCount]bool
	for _, name := range slices.Sorted(maps.Keys(f)) {
		for _, a := range f[name].accounts {
			if seen[a.tenant] {
				return "is there already"
			}
			seen[a.tenant] = true
			for z := range zoneCount {
				if a.claims(z) && claimed[z] {
					return "is there already"
				}
				claimed[z] = claimed[z] || a.claims(z)
			}
		}
	}
	if f.account(tenantBorrower).version > 0 && !f.account(tenantLender).lends {
		return "is lent by no other account"
	}
	return ""
}

// forbidden says which of P1 to P3 a reload would break, "" for none.
func (f inForce) forbidden(next inForce) string {
	for _, tenant := range []int{tenantGuarded, tenantBYOIP} {
		old, now := f.account(tenant), next.account(tenant)
		switch {
		case old.version == 0:
		case tenant == tenantBYOIP && now.version > 0 && now.unconfined && !old.unconfined:
			return "P3"
		case !old.kept || old.open:
		case now.version == 0 || !now.kept || now.disabled && !old.disabled:
			return "P1"
		case now.keptIPs != old.keptIPs:
			return "P2"
		}
	}
	return ""
}

// loses reports whether more than guard percent of something would go.
func (f inForce) loses(next inForce, guard int) bool {
	old, now := f.things(), next.things()
	for kind := range old {
		gone := 0
		for thing := range old[kind] {
			if !now[kind][thing] {
				gone++
			}
		}
		if gone*100 > guard*len(old[kind]) {
			return true
		}
	}
	return false
}

// empties reports whether nothing proxied would be left, which no guard allows (P5).
func (f inForce) empties(next inForce, guard int) bool {
	return guard == 0 && len(f.things()[1]) > 0 && len(next.things()[1]) == 0
}

// candidate is what a document is about to be: an edition, or gone.
type candidate struct {
	name    string
	edition *edition
	wrong   string // with it by itself
	fresh   bool   // it was not refused before as it is now
}

// unit is what comes into force together or not at all: documents of which one
// takes over what another gives up.
type unit []candidate

// onto returns what is in force with all of the unit.
func (u unit) onto(now inForce) inForce {
	for _, c := range u {
		now = now.with(c.name, c.edition)
	}
	return now
}

// inForce reports whether all of the unit is.
func (u unit) inForce(now inForce) bool { return u.onto(now).same(now) }

// wrong says what is wrong with a document of the unit by itself.
func (u unit) wrong() string {
	for _, c := range u {
		if c.wrong != "" {
			return c.wrong
		}
	}
	return ""
}

// admitAll returns what is in force once everything has come to rest, if base is
// in force and units are all documents that are not on disk as they are in force.
//
// Where all that is fresh loses too much, it comes into force in order as far as the
// guard goes, what is removed last and together. What was refused before loses all
// or nothing, and keeps nothing back that has just changed.
func admitAll(base inForce, units []unit, guard int) inForce {
	var fresh, before []unit
	for _, u := range units {
		if slices.ContainsFunc(u, func(c candidate) bool { return c.fresh }) {
			fresh = append(fresh, u)
		} else {
			before = append(before, u)
		}
	}
	now := base
	for again := true; again; {
		again = false
		for _, list := range slices.Concat([][]unit{fresh}, oneByOne(fresh), [][]unit{before}) {
			next := admit(now, list, base)
			if !next.same(now) && !base.empties(next, guard) && (base == nil || guard == 0 || !base.loses(next, guard)) {
				now, again = next, true
			}
		}
	}
	return now
}

// oneByOne returns the units each by itself, but for those that are removals: they are
// the last one together.
func oneByOne(units []unit) (out [][]unit) {
	var gone []unit
	for _, u := range units {
		if slices.ContainsFunc(u, func(c candidate) bool { return c.edition != nil }) {
			out = append(out, []unit{u})
		} else {
			gone = append(gone, u)
		}
	}
	return append(out, gone)
}

// admit is slow and obvious: everything comes into force that may, until nothing
// else does. What asks for nothing new comes first; nothing is protected if there
// is no base.
func admit(now inForce, units []unit, base inForce) inForce {
	units = slices.Clone(units)
	slices.SortStableFunc(units, func(a, b unit) int { return min(1, len(a.asksFor(base))) - min(1, len(b.asksFor(base))) })
	for again := true; again; {
		again = false
		for _, u := range units {
			next := u.onto(now)
			if !u.inForce(now) && u.wrong() == "" && next.wrong() == "" && (base == nil || base.forbidden(next) == "") {
				now, again = next, true
			}
		}
	}
	return now
}

// unitsOf puts documents together that are one unit.
func unitsOf(base inForce, candidates []candidate) (out []unit) {
	for _, c := range candidates {
		whole := unit{c}
		out = slices.DeleteFunc(out, func(u unit) bool {
			linked := slices.ContainsFunc(u, func(d candidate) bool { return d.takesOver(base, c) || c.takesOver(base, d) })
			if linked {
				whole = append(whole, u...)
			}
			return linked
		})
		out = append(out, whole)
	}
	return out
}

// takesOver reports whether c has something that d had and gives up.
func (c candidate) takesOver(base inForce, d candidate) bool {
	had, has := base[d.name].claims(), d.edition.claims()
	return slices.ContainsFunc(c.edition.claims(), func(what string) bool {
		return c.name != d.name && slices.Contains(had, what) && !slices.Contains(has, what)
	})
}

// asksFor returns what the unit claims and none of its documents has in force.
func (u unit) asksFor(base inForce) (out []string) {
	var had []string
	for _, c := range u {
		had = append(had, base[c.name].claims()...)
	}
	for _, c := range u {
		for _, what := range c.edition.claims() {
			if !slices.Contains(had, what) {
				out = append(out, what)
			}
		}
	}
	return out
}

// claims returns the accounts and zones of an edition, which may be nil.
func (e *edition) claims() (out []string) {
	for i := range tenants {
		a := e.account(i)
		if a.version == 0 {
			continue
		}
		out = append(out, fmt.Sprint("account ", i))
		for z := range zoneCount {
			if a.claims(z) {
				out = append(out, fmt.Sprint("zone ", z))
			}
		}
	}
	return out
}

// things returns what the guard counts: zones, proxied names and addresses on
// maps.
func (f inForce) things() (out [3]map[string]bool) {
	for i := range out {
		out[i] = make(map[string]bool)
	}
	for i := range tenants {
		a := f.account(i)
		for z := range zoneCount {
			if !a.claims(z) {
				continue
			}
			out[0][zoneName(z)] = true
			for _, label := range a.owners(z) {
				out[1][label+"."+zoneName(z)] = true
			}
			if z == tenantPlain && i == tenantPlain {
				out[1]["app."+zoneName(z)] = true
			}
		}
		for _, m := range a.maps() {
			for _, ip := range m.ips {
				out[2][ip] = !m.disabled
			}
		}
	}
	return out
}
