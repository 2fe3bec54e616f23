package mapset

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// borrowers returns the documents, other than the changed ones, that use address
// space which the changed ones lend or did lend.
func (b *builder) borrowers(before, after []*mapfile.Document) []string {
	space := make(map[netip.Prefix]int) // :: prefix → how its state before differs from that after
	for i, list := range [][]*mapfile.Document{before, after} {
		for _, doc := range list {
			for j := range doc.Accounts {
				for _, p := range doc.Accounts[j].Prefixes {
					state := 1
					if p.Advertised {
						state = 2
					}
					space[p.CIDR] += state * (1 - 2*i)
				}
			}
		}
	}
	found := make(map[string]struct{})
	for prefix, difference := range space {
		if difference == 0 {
			continue
		}
		for _, c := range b.reg.lent.Subnets(prefix) {
			found[c.file] = struct{}{}
		}
		for _, c := range b.reg.lent.Supernets(prefix) {
			found[c.file] = struct{}{}
		}
	}
	// The changed ones are not in the snapshot yet.
	maps.DeleteFunc(found, func(name string, _ struct{}) bool { return b.snap.documents[name] == nil })
	return slices.Sorted(maps.Keys(found))
}
