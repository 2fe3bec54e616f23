package mapset

import (
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// lineage tells which snapshot another one was made from.
type lineage struct {
	self, parent *int
	touched      map[fqdn.Name]struct{} // the zones that may differ from those of the parent
}

func newLineage(parent *int) lineage { return lineage{self: new(int), parent: parent} }

// touch notes the zones of documents.
func (l *lineage) touch(lists ...[]*mapfile.Document) {
	l.touched = make(map[fqdn.Name]struct{})
	for _, docs := range lists {
		for _, doc := range docs {
			for i := range doc.Accounts {
				for j := range doc.Accounts[i].Zones {
					l.touched[doc.Accounts[i].Zones[j].Name] = struct{}{}
				}
			}
		}
	}
}

// mayDiffer returns the zones that may not be the same in old and next, each
// once: few, if next was made from old.
func mayDiffer(old, next *Snapshot) []fqdn.Name {
	if next.lineage.parent == old.lineage.self {
		return slices.Collect(maps.Keys(next.lineage.touched))
	}
	var out []fqdn.Name
	for z := range old.zones.all() {
		out = append(out, z.apex)
	}
	for z := range next.zones.all() {
		if old.zones.zone(z.apex) == nil {
			out = append(out, z.apex)
		}
	}
	return out
}
