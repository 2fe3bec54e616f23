package mapset

import (
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// marks compiles what the list "proxied" and the zone file say of the owner
// names of a zone. A mark of the list holds where the file has none; where they
// contradict each other, the document is refused (V14).
//
// In a zone with "proxied: all", the membership of a wildcard is its mark, too.
func (b *builder) marks(s Source, out *zone, z *mapfile.Zone, members []nameMember) {
	file := s.ZoneFiles[z.Name]
	if z.All || z.ZoneFile != "" && z.ProxiedDefault {
		out.rest = markProxied
	}
	c := newCollector(z, file, out.rest)
	c.addMembers(z, file, members)
	for _, m := range z.Marks {
		if file != nil {
			b.compare(s.Doc, file, m)
		}
		c.enter(m.Owner, bitsOf(m))
	}
	if file != nil {
		if z.All {
			b.contradicted(s.Doc, z, file)
		}
		c.addFile(z, file)
		b.nameServers(s.Doc, c, z, file)
		for _, w := range file.Warnings {
			b.doc.ofMarks = append(b.doc.ofMarks, warning{z.ZoneFilePos, w})
		}
	}
	out.apex, out.marks = newTable(z.Name, c.list)
	if !out.hasProxied() && (z.ZoneFile == "" || file != nil) {
		b.warnOfMarks(s.Doc, z.Pos, "zone %q has no proxied names", z.Name)
	}
}

// compare checks one mark of the list against the zone file.
func (b *builder) compare(doc *mapfile.Document, file *zonefile.Zone, m mapfile.Mark) {
	owner, exists := file.Owners[m.Owner]
	switch {
	case !exists && !underWildcard(m.Owner, file):
		b.warnOfMarks(doc, m.Pos, "the mark of %q names nothing in its zone_file", m.Owner)
	case owner.Mark == zonefile.Proxied && !m.Proxied, owner.Mark == zonefile.Unproxied && m.Proxied:
		b.refuse(doc, m.Pos, "V14", "correct one of the two", "%q is %s here, and %s by its cf_tags in the zone_file, line %d", m.Owner, word(m.Proxied), word(!m.Proxied), owner.Line)
	}
}

// underWildcard reports whether a wildcard of the zone file may answer for name:
// its mark is then one of a name that the zone has, as an exception to the
// wildcard's or the other way round.
func underWildcard(name fqdn.Name, file *zonefile.Zone) bool {
	for n := name; len(n) > len(file.Apex); {
		n, _ = n.Parent()
		if _, ok := file.Owners[n.Wildcard()]; ok {
			return true
		}
	}
	return false
}

// contradicted complains about an owner that the zone file exempts from
// "proxied: all": the first in the order of lines.
func (b *builder) contradicted(doc *mapfile.Document, z *mapfile.Zone, file *zonefile.Zone) {
	var first fqdn.Name
	for name, owner := range file.Owners {
		if at := file.Owners[first].Line; owner.Mark == zonefile.Unproxied && (first == "" || owner.Line < at || owner.Line == at && name < first) {
			first = name
		}
	}
	if first != "" {
		b.refuse(doc, z.ZoneFilePos, "V14", "write proxied_default: true in place of proxied: all", "proxied: all, and yet the zone_file has %q unproxied in line %d", first, file.Owners[first].Line)
	}
}

// nameServers warns of a proxied name that is a name server of its zone: what
// resolvers then ask is the edge.
func (b *builder) nameServers(doc *mapfile.Document, c *collector, z *mapfile.Zone, file *zonefile.Zone) {
	for _, ns := range file.NameServers() {
		if ns.In(z.Name) && c.markOf(ns)&markProxied != 0 {
			b.warnOfMarks(doc, z.Pos, "%q is proxied and a name server of its zone", ns)
		}
	}
}

func word(proxied bool) string {
	if proxied {
		return "proxied"
	}
	return "unproxied"
}

func bitsOf(m mapfile.Mark) mark {
	if !m.Proxied {
		return 0
	}
	bits := markProxied
	if m.V4Only {
		bits |= markV4Only
	}
	if m.V6Only {
		bits |= markV6Only
	}
	return bits
}

// collector gathers the marks of one zone that a decision or a count needs.
type collector struct {
	apex  fqdn.Name
	rest  mark // of the names without a mark
	wilds bool // there are wildcards
	list  []named
}

func newCollector(z *mapfile.Zone, file *zonefile.Zone, rest mark) *collector {
	c := &collector{apex: z.Name, rest: rest, list: make([]named, 0, len(z.Marks))}
	for _, m := range z.Marks {
		c.wilds = c.wilds || m.Owner.IsWildcard()
	}
	if file != nil {
		for name := range file.Owners {
			c.wilds = c.wilds || name.IsWildcard()
		}
	}
	return c
}

// add enters a mark of the zone file. Where there is no wildcard that covers other
// names, to be unproxied is the same as to have no mark, if the rest of the zone is.
func (c *collector) add(name fqdn.Name, m mark) {
	if m&markProxied != 0 || c.rest != 0 || c.wilds {
		c.enter(name, m)
	}
}

// enter enters a mark, whatever the rest of the zone is: a wildcard of a zone further
// up may cover other names.
func (c *collector) enter(name fqdn.Name, m mark) {
	c.list = append(c.list, named{relative(name, len(c.apex)), m})
}

// addMembers enters the wildcards among the members of a zone that is proxied throughout,
// but for those that the zone file has.
func (c *collector) addMembers(z *mapfile.Zone, file *zonefile.Zone, members []nameMember) {
	if !z.All {
		return
	}
	entered := make(fqdn.Set)
	for _, m := range members {
		_, listed := entered[m.Name]
		if listed || !m.Name.IsWildcard() {
			continue
		}
		entered[m.Name], c.wilds = struct{}{}, true
		if file != nil {
			if _, listed = file.Owners[m.Name]; listed {
				continue
			}
		}
		c.enter(m.Name, markProxied)
	}
}

// addFile adds the owners of the zone file that the list does not name.
func (c *collector) addFile(z *mapfile.Zone, file *zonefile.Zone) {
	listed := make(map[fqdn.Name]bool, len(z.Marks))
	for _, m := range z.Marks {
		listed[m.Owner] = true
	}
	for name, owner := range file.Owners {
		if listed[name] {
			continue
		}
		switch owner.Mark {
		case zonefile.Proxied:
			c.add(name, markProxied)
		case zonefile.Unproxied:
			c.add(name, 0)
		default:
			// An owner without a mark counts as well where there are wildcards:
			// it exists by itself, and their marks do not cover it (R8).
			if c.wilds || owner.Types&zonefile.Address != 0 {
				c.add(name, c.rest)
			}
		}
	}
}

// markOf returns the mark of a name that exists by itself.
func (c *collector) markOf(name fqdn.Name) mark {
	owner := relative(name, len(c.apex))
	for _, e := range c.list {
		if e.owner == owner {
			return e.mark
		}
	}
	return c.rest
}
