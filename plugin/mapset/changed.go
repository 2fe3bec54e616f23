package mapset

import (
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// documentsBeside returns the documents of s that are not the same compilation in o.
func (s *Snapshot) documentsBeside(o *Snapshot) (out []*document) {
	for name, d := range s.documents {
		if o.documents[name] != d {
			out = append(out, d)
		}
	}
	return out
}

// mayDiffer returns the zones that may not be the same in old and next, each once:
// few, if next was made from old.
func mayDiffer(old, next *Snapshot) []fqdn.Name {
	apexes := make(fqdn.Set)
	for _, d := range slices.Concat(old.documentsBeside(next), next.documentsBeside(old)) {
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
	for _, d := range slices.Concat(old.documentsBeside(next), next.documentsBeside(old)) {
		for i := range d.accounts {
			out = append(out, d.accounts[i].id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
