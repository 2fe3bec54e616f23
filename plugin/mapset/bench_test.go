package mapset_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// fleet is a map of many accounts of ten zones each: the account has a map of
// its own, and so has its first zone.
func fleet(tb testing.TB, zones, namesPerZone int) *mapset.Snapshot {
	tb.Helper()
	snap, errs := mapset.Build([]mapset.Source{{Doc: fleetDoc(zones, namesPerZone)}}, mapset.Options{})
	if len(errs) > 0 {
		tb.Fatal(errs[0])
	}
	return snap
}

func fleetDoc(zones, namesPerZone int) *mapfile.Document {
	const perAccount = 10
	doc := &mapfile.Document{Name: "fleet.yaml"}
	for first := 0; first < zones; first += perAccount {
		a := mapfile.Account{ID: fmt.Sprintf("account%05d", first/perAccount)}
		n := first / perAccount
		ip := netip.AddrFrom4([4]byte{10, byte(n >> 12), byte(n >> 4), byte(n << 4)})
		a.Prefixes = []mapfile.Prefix{{CIDR: netip.PrefixFrom(ip, 28), Advertised: true}}
		for i := first; i < min(first+perAccount, zones); i++ {
			z := mapfile.Zone{Name: zoneName(i), IPv6: true}
			for j := range namesPerZone {
				z.Marks = append(z.Marks, mapfile.Mark{Owner: hostName(i, j), Proxied: true})
			}
			a.Zones = append(a.Zones, z)
		}
		for i, m := range []mapfile.Member{
			{Kind: mapfile.MemberAccount, Identifier: a.ID},
			{Kind: mapfile.MemberZone, Identifier: string(zoneName(first))},
		} {
			ip = ip.Next()
			a.Maps = append(a.Maps, mapfile.AddressMap{
				ID: fmt.Sprintf("%s/%d", a.ID, i), Enabled: true, CanDelete: true, CanModifyIPs: true,
				IPs: []mapfile.Addr{{IP: ip}}, Members: []mapfile.Member{m},
			})
		}
		doc.Accounts = append(doc.Accounts, a)
	}
	return doc
}

func zoneName(i int) fqdn.Name { return fqdn.Name(fmt.Sprintf("zone%06d.example.", i)) }

func hostName(zone, i int) fqdn.Name {
	return fqdn.Name(fmt.Sprintf("host%02d.zone%06d.example.", i, zone))
}

// benchmarkLookup decides for names drawn at random.
func benchmarkLookup(b *testing.B, zones, namesPerZone int) {
	snap := fleet(b, zones, namesPerZone)
	rng := rand.New(rand.NewPCG(1, 2))
	names := make([]fqdn.Name, 1<<20) // a power of two
	for i := range names {
		names[i] = hostName(rng.IntN(zones), rng.IntN(namesPerZone))
	}
	runtime.GC()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if !snap.Lookup(names[i&(len(names)-1)]).Proxied() {
			b.Fatal("not proxied: ", names[i])
		}
		i++
	}
}

func BenchmarkLookup(b *testing.B) {
	b.Run("names=100/zones=1", func(b *testing.B) { benchmarkLookup(b, 1, 100) })
	b.Run("names=100000/zones=1", func(b *testing.B) { benchmarkLookup(b, 1, 100_000) })
	b.Run("names=1000000/zones=100000", func(b *testing.B) { benchmarkLookup(b, 100_000, 10) })
}

// BenchmarkMemory reports what a snapshot of 1,000,000 names holds in memory once
// the documents are gone.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct{ zones, names int }{{100_000, 10}, {10_000, 100}, {1, 1_000_000}} {
		b.Run(fmt.Sprintf("zones=%d", c.zones), func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				snap := fleet(b, c.zones, c.names)
				after := inUse()
				b.ReportMetric(float64(after-before)/float64(c.zones*c.names), "B/name")
				b.ReportMetric(float64(after-before)/1e6, "MB")
				runtime.KeepAlive(snap)
			}
		})
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkBuild compiles a map of 1,000,000 names.
func BenchmarkBuild(b *testing.B) {
	for _, zones := range []int{100_000, 1} {
		b.Run(fmt.Sprintf("zones=%d", zones), func(b *testing.B) {
			src := []mapset.Source{{Doc: fleetDoc(zones, 1_000_000/zones)}}
			for b.Loop() {
				if _, errs := mapset.Build(src, mapset.Options{}); len(errs) > 0 {
					b.Fatal(errs[0])
				}
			}
		})
	}
}

// BenchmarkUpdate replaces one of 10,000 documents, of 1,000,000 names, and tells
// what has changed.
func BenchmarkUpdate(b *testing.B) {
	sources, edited := directory(10_000)
	set, errs := mapset.NewSet(mapset.Options{}).Update(sources, nil)
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	next, errs := set.Update(edited, nil)
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() { // as all but the first time after a start
			_, _ = next.Update(edited, nil)
		}
	})
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			mapset.Diff(set.Snapshot(), next.Snapshot())
		}
	})
	b.Run("protect", func(b *testing.B) {
		for b.Loop() {
			mapset.Protect(set.Snapshot(), next.Snapshot(), 50)
		}
	})
	b.Run("follow", func(b *testing.B) {
		for b.Loop() {
			next.Snapshot().Follow(set.Snapshot(), nil)
		}
	})
}

// BenchmarkMemory_Set reports what a set of 10,000 documents, of 1,000,000 names in
// 100,000 zones, holds in memory once the documents are gone.
func BenchmarkMemory_Set(b *testing.B) {
	for b.Loop() {
		before := inUse()
		sources, _ := directory(10_000)
		set, errs := mapset.NewSet(mapset.Options{}).Update(sources, nil)
		if len(errs) > 0 {
			b.Fatal(errs[0])
		}
		clear(sources)
		after := inUse()
		b.ReportMetric(float64(after-before)/1e6, "MB")
		runtime.KeepAlive(set)
	}
}

// directory is the fleet of 1,000,000 names in 100,000 zones as n documents, and
// one of them with a name more.
func directory(n int) (all, edited []mapset.Source) {
	doc := fleetDoc(100_000, 10)
	per := len(doc.Accounts) / n
	for i := range n {
		part := &mapfile.Document{Name: fmt.Sprintf("account%05d.yaml", i), Accounts: doc.Accounts[i*per : (i+1)*per]}
		all = append(all, mapset.Source{Doc: part})
	}
	one := *all[n/2].Doc
	one.Accounts = append([]mapfile.Account(nil), one.Accounts...)
	one.Accounts[0].Zones = append([]mapfile.Zone(nil), one.Accounts[0].Zones...)
	z := &one.Accounts[0].Zones[0]
	z.Marks = append([]mapfile.Mark{{Owner: "new." + z.Name, Proxied: true}}, z.Marks...)
	return all, []mapset.Source{{Doc: &one}}
}
