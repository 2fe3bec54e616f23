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
	accounts     map[string]struct{}    // the accounts
}

func newLineage() lineage { return lineage{self: new(int)} }

// follow notes what the snapshot was made from, and the accounts of the documents
// that differ, and their zones.
func (l *lineage) follow(parent lineage, lists ...[]*mapfile.Document) {
	l.parent = parent.self
	l.touched, l.accounts = make(map[fqdn.Name]struct{}), make(map[string]struct{})
	for _, docs := range lists {
		for _, doc := range docs {
			for i := range doc.Accounts {
				l.accounts[doc.Accounts[i].ID] = struct{}{}
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
	for p := range old.zones.all() {
		out = append(out, p.record().apex())
	}
	for p := range next.zones.all() {
		apex := p.record().apex()
		if _, there := old.zones.find(apex); !there {
			out = append(out, apex)
		}
	}
	return out
}

// changedAccounts returns the ids of the accounts that are not the same in old and
// next, in order.
func changedAccounts(old, next *Snapshot) []string {
	var out []string
	note := func(id string) {
		if old.accounts[id] != next.accounts[id] {
			out = append(out, id)
		}
	}
	if next.lineage.parent == old.lineage.self {
		for id := range next.lineage.accounts {
			note(id)
		}
	} else {
		for id := range old.accounts {
			note(id)
		}
		for id := range next.accounts {
			if old.accounts[id] == nil {
				note(id)
			}
		}
	}
	slices.Sort(out)
	return out
}
