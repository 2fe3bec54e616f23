package mapset

import (
	"iter"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Outside yields, in no order and each once, the names that are proxied in the zones
// of block and yet in none of acting. Where names cannot be counted, because their zone
// is proxied throughout or a wildcard covers them, the zone's apex or that of the block
// stands for them.
func (s *Snapshot) Outside(block, acting fqdn.Set) iter.Seq[fqdn.Name] {
	return func(yield func(fqdn.Name) bool) {
		above := make(fqdn.Set)
		for apex := range block {
			if !acting.Encloses(apex) && s.Lookup(apex).Proxied() && !yield(apex) {
				return
			}
			for n, ok := apex.Parent(); ok; n, ok = n.Parent() {
				above[n] = struct{}{}
			}
		}
		for apex, z := range s.zones {
			_, encloses := above[apex]
			if !z.hasProxied() || acting.Encloses(apex) || !encloses && !block.Encloses(apex) {
				continue
			}
			outside := func(n fqdn.Name) bool {
				_, was := block[n]
				return !was && block.Encloses(n) && !acting.Encloses(n)
			}
			all := z.byDefault()
			if all && outside(apex) && !yield(apex) {
				return
			}
			for owner := range z.proxied() {
				if n := absolute(owner, apex); !(all && owner == "") && outside(n) && !yield(n) {
					return
				}
			}
		}
	}
}
