package mapset_test

import (
	"net/netip"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// BenchmarkDrain drains a map of 1,000,000 names in 100,000 zones: of nothing that it has,
// of one address map, and of every address map.
func BenchmarkDrain(b *testing.B) {
	snap := fleet(b, 100_000, 10)
	for _, c := range []struct{ name, prefix string }{
		{"none", "203.0.113.0/24"}, {"account", "10.0.16.0/28"}, {"half", "10.0.0.0/15"}, {"all", "10.0.0.0/8"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				snap.Drain(mapset.Drains{Prefixes: []netip.Prefix{netip.MustParsePrefix(c.prefix)}, Next: true})
			}
		})
	}
}
