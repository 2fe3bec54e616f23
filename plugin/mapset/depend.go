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

// anycast takes the addresses of the Corefile, else those of the one document
// that has any. It reports whether they are others than before.
func (b *builder) anycast(changed []*mapfile.Document) bool {
	override := b.opt.Anycast
	var holder *mapfile.Document
	if d := b.snap.documents[b.anycastIn]; d != nil {
		holder = d.source
	}
	for _, doc := range changed {
		b.anycastUnknown = b.anycastUnknown || doc.AnycastInvalid && len(override) == 0
		switch {
		case len(doc.Anycast) == 0:
		case holder != nil:
			b.refuse(doc, doc.Pos, "V4", "keep it in one document of the directory", "anycast stands in %s already", holder.Name)
		default:
			holder, b.anycastIn = doc, doc.Name
		}
	}
	addrs := slices.Clone(override)
	if holder != nil && len(override) == 0 {
		addrs = addrsOf(holder.Anycast)
	}
	b.everyone = new(Pool).of(StepAnycast, "", addrs)
	if slices.Equal(addrs, b.snap.anycast) {
		return false
	}
	b.snap.anycast = addrs
	return true
}
