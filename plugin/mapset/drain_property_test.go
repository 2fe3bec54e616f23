package mapset_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// TestDrain_LikeTheModel compares drained snapshots of random maps with the slow model,
// which drains by the words of the map format.
func TestDrain_LikeTheModel(t *testing.T) {
	var maps, taken, ignored, fallen int
	for seed := range uint64(300) {
		g := newGenerator(seed)
		m := model{opt: mapset.Options{PerFamily: g.once(2)}}
		for i := range 3 {
			m.sources = append(m.sources, g.document(i))
		}
		snap, errs := mapset.Build(m.sources, m.opt)
		if len(errs) > 0 {
			continue
		}
		maps++
		names := g.names(m.sources)
		before := decisions(snap, names)
		m.drains = g.drains(names, before)
		drained := snap.Drain(m.drains)
		for i, n := range names {
			compareWithModel(t, seed, &m, drained, n)
			fallen += compareDrained(t, seed, m.drains, n, before[i], drained.Lookup(n))
		}
		if after := decisions(snap, names); !slices.EqualFunc(before, after, func(a, b mapset.Decision) bool { return a == b }) {
			t.Errorf("seed %d: the snapshot without drains has changed", seed)
		}
		taken += drained.Drained().Addresses
		ignored += len(drained.Drained().Ignored)
		compareFollowed(t, seed, snap, drained, names)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d maps; %d addresses taken away, %d steps ignored a drain, %d answers fell back", maps, taken, ignored, fallen)
	if maps < 100 || taken < 100 || ignored < 100 || fallen < 100 {
		t.Error("the random maps and drains try too little")
	}
}

func decisions(s *mapset.Snapshot, names []fqdn.Name) []mapset.Decision {
	out := make([]mapset.Decision, len(names))
	for i, n := range names {
		out[i] = s.Lookup(n)
	}
	return out
}

// drains picks some of the addresses of the steps of decisions, and at times what is
// around them.
func (g *generator) drains(names []fqdn.Name, from []mapset.Decision) mapset.Drains {
	var all []netip.Addr
	for i, d := range from {
		for _, r := range d.Reasons(names[i]) {
			all = append(all, r.Addrs()...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	d := mapset.Drains{Next: g.once(2)}
	for _, ip := range slices.Compact(all) {
		if g.once(3) {
			p, _ := ip.Prefix(ip.BitLen() - g.IntN(2)*g.IntN(3))
			d.Prefixes = append(d.Prefixes, p)
		}
	}
	return d
}

// compareDrained checks what holds of any drain of a decision, and that the reasons say
// it. It returns how many families fell back.
func compareDrained(t *testing.T, seed uint64, d mapset.Drains, name fqdn.Name, was, is mapset.Decision) (fallen int) {
	t.Helper()
	var possible, drained []netip.Addr
	for _, r := range was.Reasons(name) {
		possible = append(possible, r.Addrs()...)
	}
	for _, ip := range possible {
		if slices.ContainsFunc(d.Prefixes, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			drained = append(drained, ip)
		}
	}
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		if was.Answers(f) != is.Answers(f) {
			t.Errorf("seed %d: answers %s: %t before the drain, %t after it", seed, f, was.Answers(f), is.Answers(f))
		}
		if was.Step(f) != is.Step(f) {
			if fallen++; !d.Next {
				t.Errorf("seed %d: falls back with drain_last keep", seed)
			}
		}
		ignored := false
		for _, r := range is.Reasons(name) {
			switch why := r.Why[f]; {
			case why == mapset.DrainIgnored:
				if ignored = true; r.Step != is.Step(f) || len(familyOf(r.Drained(), f)) == 0 || !slices.Equal(familyOf(r.Addrs(), f), familyOf(r.Drained(), f)) {
					t.Errorf("seed %d: %s is said to ignore the drain of %v, and answers with %v", seed, r.Step, r.Drained(), r.Addrs())
				}
			case why == mapset.Answers && r.Step != is.Step(f):
				t.Errorf("seed %d: %s is said to answer in place of %s", seed, r.Step, is.Step(f))
			case why == mapset.AllDrained && (len(familyOf(r.Addrs(), f)) > 0 || len(familyOf(r.Drained(), f)) == 0):
				t.Errorf("seed %d: %s is said to be drained, with %v left", seed, r.Step, r.Addrs())
			}
		}
		for _, ip := range is.Addrs(f) {
			switch {
			case !slices.Contains(possible, ip):
				t.Errorf("seed %d: %s is an address of none of the steps", seed, ip)
			case slices.Contains(drained, ip) != ignored:
				t.Errorf("seed %d: %s is answered; a drain is ignored: %t", seed, ip, ignored)
			}
		}
	}
	return fallen
}

// compareFollowed checks that the zones which a drain changes are known as changed.
func compareFollowed(t *testing.T, seed uint64, snap, drained *mapset.Snapshot, names []fqdn.Name) {
	t.Helper()
	changed := drained.Follow(snap, nil)
	if back := snap.Drain(mapset.Drains{}).Follow(drained, nil); !slices.Equal(changed, back) {
		t.Errorf("seed %d: the drain changes %q, its end %q", seed, changed, back)
	}
	for _, n := range names {
		was, is := snap.Lookup(n), drained.Lookup(n)
		same := slices.Equal(was.Addrs(mapset.IPv4), is.Addrs(mapset.IPv4)) && slices.Equal(was.Addrs(mapset.IPv6), is.Addrs(mapset.IPv6))
		if !same && !slices.Contains(changed, is.Zone()) {
			t.Errorf("seed %d: %s is answered differently, and its zone %s has not changed", seed, n, is.Zone())
		}
	}
}
