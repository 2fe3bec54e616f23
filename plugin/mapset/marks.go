package mapset

import (
	"maps"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// marks compiles what the list "proxied" and the zone file say of the owner
// names of a zone. A mark of the list holds where the file has none; where they
// contradict each other, the document is refused (V14).
func (b *builder) marks(s Source, out *zone, z *mapfile.Zone) {
	file := s.ZoneFiles[z.Name]
	if z.All || z.ZoneFile != "" && z.ProxiedDefault {
		out.rest = markProxied
	}
	out.marks = make(map[fqdn.Name]mark, len(z.Marks))
	for _, m := range z.Marks {
		b.listed(s.Doc, out, file, m)
	}
	if file == nil {
		return
	}
	if z.All {
		b.contradicted(s.Doc, z, file)
	}
	for name, owner := range file.Owners {
		if _, listed := out.marks[name]; listed {
			continue
		}
		switch owner.Mark {
		case zonefile.Proxied:
			out.set(name, markProxied)
		case zonefile.Unproxied:
			out.set(name, 0)
		default:
			// An owner without a mark is kept as well: it exists by itself, so
			// that the mark of a wildcard above it does not cover it (R8).
			out.set(name, out.rest)
		}
	}
	out.prune()
	b.nameServers(s.Doc, out, z, file)
}

// listed enters one mark of the list.
func (b *builder) listed(doc *mapfile.Document, out *zone, file *zonefile.Zone, m mapfile.Mark) {
	out.set(m.Owner, bitsOf(m))
	if file == nil {
		return
	}
	owner, exists := file.Owners[m.Owner]
	switch {
	case !exists:
		b.warn(doc, m.Pos, "the mark of %q names nothing in its zone_file", m.Owner)
	case owner.Mark == zonefile.Proxied && !m.Proxied, owner.Mark == zonefile.Unproxied && m.Proxied:
		b.refuse(doc, m.Pos, "V14", "correct one of the two", "%q is %s here, and %s by its cf_tags in the zone_file, line %d", m.Owner, word(m.Proxied), word(!m.Proxied), owner.Line)
	}
}

// contradicted complains about an owner that the zone file exempts from
// "proxied: all": the first in the order of lines.
func (b *builder) contradicted(doc *mapfile.Document, z *mapfile.Zone, file *zonefile.Zone) {
	var first fqdn.Name
	for name, owner := range file.Owners {
		if owner.Mark == zonefile.Unproxied && (first == "" || owner.Line < file.Owners[first].Line) {
			first = name
		}
	}
	if first != "" {
		b.refuse(doc, z.ZoneFilePos, "V14", "write proxied_default: true in place of proxied: all", "proxied: all, and yet the zone_file has %q unproxied in line %d", first, file.Owners[first].Line)
	}
}

// nameServers warns of a proxied name that is a name server of its zone: what
// resolvers then ask is the edge.
func (b *builder) nameServers(doc *mapfile.Document, out *zone, z *mapfile.Zone, file *zonefile.Zone) {
	for _, ns := range file.NameServers() {
		if m, ok := out.marks[ns]; ok && m&markProxied != 0 || !ok && out.rest&markProxied != 0 && ns.In(z.Name) {
			b.warn(doc, z.Pos, "%q is proxied and a name server of its zone", ns)
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

// set enters the mark of an owner. That of a wildcard stands in both tables: one
// can ask for the wildcard itself.
func (z *zone) set(name fqdn.Name, m mark) {
	z.marks[name] = m
	if name.IsWildcard() {
		if z.wild == nil {
			z.wild = make(map[fqdn.Name]mark)
		}
		parent, _ := name.Parent()
		z.wild[parent] = m
	}
}

// prune drops the marks that change nothing: those that say what would hold
// without them.
func (z *zone) prune() {
	if len(z.wild) > 0 {
		return
	}
	maps.DeleteFunc(z.marks, func(_ fqdn.Name, m mark) bool { return m == z.rest })
}

// hasProxied reports whether any name of the zone may be proxied.
func (z *zone) hasProxied() bool {
	return z.rest&markProxied != 0 || z.proxiedNames() > 0
}

func (z *zone) proxiedNames() int {
	n := 0
	for _, m := range z.marks {
		n += int(m & markProxied)
	}
	return n
}
