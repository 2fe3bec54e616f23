package mapset_test

import (
	"slices"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// TestR8_LikeTheModel compares snapshots of random maps with the slow model, for
// every name that the maps speak of and those around it.
func TestR8_LikeTheModel(t *testing.T) {
	maps, names := 0, 0
	for seed := range uint64(1500) {
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
		all := g.names(m.sources)
		for _, n := range all {
			compareWithModel(t, seed, &m, snap, n)
			compareReasons(t, seed, &m, snap, n)
		}
		names += len(all)
		compareCounts(t, seed, &m, snap)
		if t.Failed() {
			return
		}
	}
	if t.Logf("%d maps, %d names", maps, names); maps < 300 {
		t.Errorf("only %d of the random maps are good", maps)
	}
}

func compareWithModel(t *testing.T, seed uint64, m *model, snap *mapset.Snapshot, name fqdn.Name) {
	t.Helper()
	if got, want := verdictOf(snap.Lookup(name)), m.lookup(name, ""); !got.equal(want) {
		t.Errorf("seed %d: Lookup(%s):\n got %+v\nwant %+v", seed, name, got, want)
	}
	up, _ := name.Parent()
	upper, _ := up.Parent()
	for _, source := range []fqdn.Name{name, up.Wildcard(), upper.Wildcard(), "*.example.", "*."} {
		if source == "*." && up == "" {
			continue
		}
		if got, want := verdictOf(snap.LookupFrom(name, source)), m.lookup(name, source); !got.equal(want) {
			t.Errorf("seed %d: LookupFrom(%s, %s):\n got %+v\nwant %+v", seed, name, source, got, want)
		}
	}
}

// compareCounts checks what is told of a zone as a whole.
func compareCounts(t *testing.T, seed uint64, m *model, snap *mapset.Snapshot) {
	t.Helper()
	var applications []fqdn.Name
	zones := 0
	for _, s := range m.sources {
		for _, a := range s.Doc.Accounts {
			zones += len(a.Zones)
			for _, app := range a.Spectrum {
				if m.lookup(app.Name, "").spectrum {
					applications = append(applications, app.Name)
				}
			}
		}
	}
	slices.Sort(applications)
	if got := snap.Applications("."); !slices.Equal(got, applications) {
		t.Errorf("seed %d: applications %q, want %q", seed, got, applications)
	}
	if got := snap.Stats().Zones; got != zones {
		t.Errorf("seed %d: %d zones, want %d", seed, got, zones)
	}
}

// TestSet_LikeBuild replaces documents one by one, at random, and compares the
// set with all of its documents compiled anew: what is accepted, what is decided,
// what is counted and warned of.
func TestSet_LikeBuild(t *testing.T) {
	accepted, refused := 0, 0
	for seed := range uint64(600) {
		g := newGenerator(seed)
		g.clash = true
		opt := mapset.Options{PerFamily: g.once(2)}
		set := mapset.NewSet(opt)
		inForce := make(map[string]mapset.Source)
		for version := range 12 {
			var changed []mapset.Source
			var gone []string
			for i := range 3 {
				src := g.document(i)
				switch g.IntN(4) {
				case 0, 1:
					changed = append(changed, src)
				case 2:
					if _, there := inForce[src.Doc.Name]; there && g.once(2) {
						gone = append(gone, src.Doc.Name)
					}
				}
			}
			next, errs := set.Update(changed, gone)
			all := after(inForce, changed, gone)
			anew, errsAnew := mapset.Build(all, opt)
			if (len(errs) > 0) != (len(errsAnew) > 0) {
				t.Fatalf("seed %d, version %d: the update says %v, all anew say %v", seed, version, errs, errsAnew)
			}
			if len(errs) > 0 {
				refused++
				continue
			}
			accepted++
			compareSnapshots(t, g, all, next.Snapshot(), anew)
			compareChanges(t, set.Snapshot(), next.Snapshot(), anew)
			if t.Failed() {
				t.Fatalf("seed %d, version %d", seed, version)
			}
			set = next
			inForce = make(map[string]mapset.Source)
			for _, src := range all {
				inForce[src.Doc.Name] = src
			}
		}
	}
	if t.Logf("%d accepted, %d refused", accepted, refused); accepted < 500 || refused < 500 {
		t.Errorf("%d updates accepted and %d refused, want many of both", accepted, refused)
	}
}

// after returns the documents after an update, those in force first.
func after(inForce map[string]mapset.Source, changed []mapset.Source, gone []string) []mapset.Source {
	var out []mapset.Source
	for name, src := range inForce {
		if !slices.Contains(gone, name) && !slices.ContainsFunc(changed, func(c mapset.Source) bool { return c.Doc.Name == name }) {
			out = append(out, src)
		}
	}
	slices.SortFunc(out, func(a, b mapset.Source) int { return int(a.Doc.Name[3]) - int(b.Doc.Name[3]) })
	return append(out, changed...)
}

func compareSnapshots(t *testing.T, g *generator, all []mapset.Source, got, want *mapset.Snapshot) {
	t.Helper()
	for _, n := range g.names(all) {
		if a, b := verdictOf(got.Lookup(n)), verdictOf(want.Lookup(n)); !a.equal(b) {
			t.Errorf("%s: got %+v, want %+v", n, a, b)
		}
	}
	if got.Stats() != want.Stats() {
		t.Errorf("got %+v, want %+v", got.Stats(), want.Stats())
	}
	if !slices.Equal(got.Warnings(), want.Warnings()) {
		t.Errorf("got %q\nwant %q", got.Warnings(), want.Warnings())
	}
}

// compareChanges: what an update tells of changes is what a comparison with all
// anew tells, which knows nothing of how the two came about.
func compareChanges(t *testing.T, old, next, anew *mapset.Snapshot) {
	t.Helper()
	if got, want := mapset.Diff(old, next), mapset.Diff(old, anew); got != want {
		t.Errorf("changes\n got %s\nwant %s", got, want)
	}
	if c := mapset.Diff(next, anew); c != (mapset.Changes{}) {
		t.Errorf("the update differs from all anew: %s", c)
	}
	for _, guard := range []int{0, 1, 40} {
		if got, want := mapset.Protect(old, next, guard), mapset.Protect(old, anew, guard); !slices.Equal(got, want) {
			t.Errorf("guard %d: violations\n got %v\nwant %v", guard, got, want)
		}
	}
	if got, want := next.Follow(old, nil), anew.Follow(old, nil); !slices.Equal(got, want) {
		t.Errorf("changed zones\n got %q\nwant %q", got, want)
	}
}
