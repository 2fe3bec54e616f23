package mapset

import (
	"iter"
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// members is what the fallback comes to for the names of a zone that are members of
// enabled address maps themselves.
type members struct {
	names     map[string]*outcome // :: owner relative to the apex
	wildcards map[string]*outcome // :: owner without its asterisk label, relative to the apex
}

// outcome returns that of a name of z, whose mark is that of the wildcard below parent
// unless parent is "". An address map without usable addresses counts as disabled: where
// the name's own is one, that of the wildcard answers.
func (m *members) outcome(z *zone, name, parent fqdn.Name) *outcome {
	own := m.of(relative(name, len(z.apex)))
	if parent != "" && (own == nil || own.unusable(StepName)) {
		if covering := m.wildcards[relative(parent, len(z.apex))]; covering != nil {
			return covering
		}
	}
	if own != nil {
		return own
	}
	return z.outcome
}

// of returns the outcome of an owner that is a member by itself, or nil.
func (m *members) of(owner string) *outcome {
	if key, wildcard := keyOf(owner); wildcard {
		return m.wildcards[key]
	}
	return m.names[owner]
}

// enter enters the outcome of an owner.
func (m *members) enter(owner string, o *outcome) {
	if key, wildcard := keyOf(owner); wildcard {
		m.wildcards[key] = o
	} else {
		m.names[owner] = o
	}
}

// same reports whether the same names have the same addresses. Either may be nil.
func (m *members) same(o *members) bool {
	if m == nil || o == nil {
		return m == o
	}
	return maps.EqualFunc(m.names, o.names, (*outcome).same) && maps.EqualFunc(m.wildcards, o.wildcards, (*outcome).same)
}

// nameMember is the membership of a name, with its address map.
type nameMember struct {
	mapfile.Member
	of *mapfile.AddressMap
}

// attachName resolves the membership of a name. The declared zone that encloses the name
// most closely has to be one of the account (V8).
func (b *builder) attachName(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap, mem mapfile.Member, att *attachments) {
	zone, holder := b.closestZone(mem.Name, att)
	_, own := att.names[zone]
	if own {
		att.ofZone[zone] = append(att.ofZone[zone], nameMember{mem, m})
	}
	switch {
	case !own:
		att.incomplete = att.incomplete || m.Enabled
		switch {
		case a.ZonesInvalid:
		case zone != "":
			b.refuse(doc, mem.Pos, "V8", "put the name on a map of that account, or take the membership off this one",
				"name %q lies in zone %q of account %q, and address map %q is of account %q", mem.Name, zone, holder.account, m.ID, a.ID)
		default:
			b.refuse(doc, mem.Pos, "V8", "write the name in full, and its zone under zones of the account", "name %q lies in no zone of account %q", mem.Name, a.ID)
		}
	case !m.Enabled || att.owners[mem.Name] == m:
	case att.owners[mem.Name] != nil:
		b.refuse(doc, mem.Pos, "V9", "disable one of the two, or take the membership off it", "name %q is a member of the enabled address map %q already", mem.Name, att.owners[mem.Name].ID)
	default:
		att.owners[mem.Name] = m
	}
}

// closestZone returns the declared zone that encloses a name most closely, and who has it
// if the account has not; "" if there is none.
func (b *builder) closestZone(name fqdn.Name, own *attachments) (fqdn.Name, claim) {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if _, declared := own.names[n]; declared {
			return n, claim{}
		}
		if c, declared := b.zoneClaim(n); declared {
			return n, c
		}
	}
	return "", claim{}
}

// named compiles the names of a zone that are members of enabled address maps, and
// returns what each can be answered from. steps is the same for the zone's other names.
func (b *builder) named(a *mapfile.Account, out *zone, steps *candidates, att *attachments) map[fqdn.Name]*candidates {
	named := make(map[fqdn.Name]*candidates)
	of := make(map[*mapfile.AddressMap]*candidates)
	for _, mem := range att.ofZone[out.apex] {
		m := att.owners[mem.Name]
		if m == nil {
			continue
		}
		if of[m] == nil {
			of[m] = steps.with(StepName, m.ID, b.reg.set(a.ID, mapfile.IPs(m.IPs)))
		}
		if out.members == nil {
			out.members = &members{names: make(map[string]*outcome), wildcards: make(map[string]*outcome)}
		}
		named[mem.Name] = of[m]
		out.members.enter(relative(mem.Name, len(out.apex)), of[m].outcome)
	}
	return named
}

// judgeMembers refuses wildcards that are no marks of the zone (V8), and warns of names
// that are not proxied.
func (b *builder) judgeMembers(s Source, out *zone, z *mapfile.Zone, att *attachments) {
	unknown := b.last == nil && z.ZoneFile != "" && s.ZoneFiles[z.Name] == nil
	if unknown || z.MarksInvalid || !b.isFirst(s.Doc, z) {
		return
	}
	for _, mem := range att.ofZone[z.Name] {
		owner := relative(mem.Name, len(out.apex))
		_, marked := out.marks.mark(owner)
		switch {
		case mem.Name.IsWildcard() && !marked:
			b.refuse(s.Doc, mem.Pos, "V8", `write the wildcard under "proxied" of the zone, or mark it in the zone_file`, "wildcard %q is no mark of zone %q", mem.Name, z.Name)
		case out.apps[owner] == nil && !out.lookup(mem.Name).Proxied():
			b.warn(s.Doc, mem.Pos, "%q is a member of address map %q, and is not proxied", mem.Name, mem.of.ID)
		}
	}
}

// unmarked yields the owners that are members by themselves and have neither a mark nor an
// application: what is above them decides whether they are proxied.
func (z *zone) unmarked() iter.Seq[string] {
	return func(yield func(string) bool) {
		if z.members == nil {
			return
		}
		for owner := range z.members.names {
			if _, marked := z.marks.mark(owner); !marked && z.apps[owner] == nil && !yield(owner) {
				return
			}
		}
	}
}

// overtaken returns the documents, other than the changed ones, with memberships of names
// that a zone of the changed ones encloses more closely than before: they are judged anew
// (V8).
func (b *builder) overtaken(changed []*mapfile.Document) []string {
	below := make(map[*zone]fqdn.Set)
	for _, doc := range changed {
		for i := range doc.Accounts {
			for _, z := range doc.Accounts[i].Zones {
				up, _ := z.Name.Parent()
				around := b.snap.zones.enclosing(up)
				if around == nil {
					continue
				}
				if below[around] == nil {
					below[around] = make(fqdn.Set)
				}
				below[around][z.Name] = struct{}{}
			}
		}
	}
	found := make(map[string]struct{})
	for around, zones := range below {
		for i := range around.account.maps {
			encloses := func(m member) bool {
				return m.kind == mapfile.MemberName && m.name.In(around.apex) && zones.Encloses(m.name)
			}
			if slices.ContainsFunc(around.account.maps[i].members, encloses) {
				found[around.account.file] = struct{}{}
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}
