package mapset

import (
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// changedDocuments returns the documents of old and of next that are not the same
// compilation in both.
func changedDocuments(old, next *Snapshot) []*document {
	var out []*document
	both := 0
	for name, is := range next.documents {
		was := old.documents[name]
		if was != nil {
			both++
		}
		if is == was {
			continue
		}
		if out = append(out, is); was != nil {
			out = append(out, was)
		}
	}
	if both == len(old.documents) {
		return out
	}
	for name, was := range old.documents {
		if next.documents[name] == nil {
			out = append(out, was)
		}
	}
	return out
}

// mayDiffer returns the zones that may not be the same in old and next, each once:
// few, if next was made from old.
func mayDiffer(old, next *Snapshot) []fqdn.Name {
	apexes := make(fqdn.Set)
	for _, d := range changedDocuments(old, next) {
		for i := range d.zones {
			apexes[d.zones[i].apex] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(apexes))
}

// changedAccounts returns the ids of the accounts that are not the same in old and
// next, in order.
func changedAccounts(old, next *Snapshot) []string {
	var out []string
	for _, d := range changedDocuments(old, next) {
		for i := range d.accounts {
			if id := d.accounts[i].id; old.accounts[id] != next.accounts[id] {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
