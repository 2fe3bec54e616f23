package live

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// TestDecide_LeavesOutNothing decides about random changes of a directory, of documents
// that are in each other's way, and holds the outcome against what can be seen one by
// one: each change is accepted, wrong by itself, or cannot be made on top of those that
// were accepted.
func TestDecide_LeavesOutNothing(t *testing.T) {
	t.Parallel()
	accepted, waiting, wrong := 0, 0, 0
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := newLoader(Options{Path: "maps", Guard: []int{0, 30, 60}[rng.IntN(3)], Log: nobody{}}, nil, nil)
		l.dir = true
		for load := range 4 {
			var changes []change
			for i := range 12 {
				path := fmt.Sprintf("maps/d%02d.yaml", i)
				_, known := l.docs[path]
				switch {
				case rng.IntN(3) > 0 && load > 0:
				case known && rng.IntN(4) == 0:
					changes = append(changes, change{path: path})
				default:
					changes = append(changes, change{path, randomCandidate(rng, path, i)})
				}
			}
			v := l.decide(changes)
			var all []change
			for _, g := range slices.Concat(v.accepted, v.refused) {
				all = append(all, g.changes...)
			}
			if len(all) != len(changes) {
				t.Fatalf("seed %d, load %d: %d of %d changes are decided about", seed, load, len(all), len(changes))
			}
			if next, f := l.try(l.base(), v.accepted); f.err != nil {
				t.Fatalf("seed %d, load %d: what is accepted does not go together: %v", seed, load, f.err)
			} else if got, want := v.sets.lead().Snapshot(), next.lead().Snapshot(); got.Stats() != want.Stats() || mapset.Diff(got, want) != (mapset.Changes{}) {
				t.Fatalf("seed %d, load %d: got %+v, want %+v", seed, load, got.Stats(), want.Stats())
			}
			for _, g := range v.refused {
				switch _, f := l.try(v.sets, []group{g}); {
				case f.err == nil:
					t.Errorf("seed %d, load %d: %s is refused and could come into force", seed, load, pathsOf(g))
				case g.fault.err == nil || g.why(g.changes[0]) == nil:
					t.Errorf("seed %d, load %d: nobody says why %s is refused", seed, load, pathsOf(g))
				case f.isOwn(g):
					wrong++
				default:
					waiting++
				}
			}
			if t.Failed() {
				return
			}
			if accepted += len(v.accepted); len(v.accepted) > 0 {
				l.swap(v.sets, changesOf(v.accepted))
			}
			for _, g := range v.refused {
				for _, c := range g.changes {
					l.troubles[c.path] = trouble{version: c.version()}
				}
			}
		}
	}
	if t.Logf("%d groups accepted, %d wrong by themselves, %d in the way of others", accepted, wrong, waiting); accepted < 500 || wrong < 30 || waiting < 100 {
		t.Error("want many of each kind")
	}
}

func pathsOf(g group) string {
	var out []string
	for _, c := range g.changes {
		out = append(out, c.path)
	}
	return strings.Join(out, " and ")
}

// randomCandidate is a version of document number i, which has an account of its own or
// that of another, may claim zones of others, and may lend, borrow or have anycast.
func randomCandidate(rng *rand.Rand, path string, i int) *candidate {
	var b strings.Builder
	if rng.IntN(8) == 0 {
		fmt.Fprintf(&b, "anycast: [192.0.2.%d]\n", 1+rng.IntN(3))
	}
	account := i
	if rng.IntN(8) == 0 {
		account = rng.IntN(12)
	}
	fmt.Fprintf(&b, "accounts:\n  - id: a%d\n    zones:\n", account)
	zones := []int{account}
	if z := rng.IntN(16); z != account && rng.IntN(3) == 0 {
		zones = append(zones, z)
	}
	for _, z := range zones {
		fmt.Fprintf(&b, "      - {name: z%d.example, proxied: [www%s]}\n", z, strings.Repeat(", a", rng.IntN(2)))
	}
	switch rng.IntN(8) {
	case 0:
		fmt.Fprintf(&b, "    delegated_prefixes: [10.%d.1.0/24]\n", rng.IntN(12))
	case 1:
		fmt.Fprintf(&b, "    prefixes: [10.%d.0.0/16]\n", rng.IntN(12))
	case 2:
		b.WriteString("    prefixes: [10.0.0.0/16\n") // no YAML
	default:
		fmt.Fprintf(&b, "    prefixes: [10.%d.0.0/16]\n    address_maps: [{id: m%d, can_delete: %t, enabled: true, ips: [10.%[1]d.0.1], memberships: [{kind: account, identifier: a%[1]d}]}]\n", account, rng.IntN(20), rng.IntN(6) > 0)
	}
	text := b.String()
	doc, errs := mapfile.Parse(path, []byte(text))
	if doc == nil {
		return randomCandidate(rng, path, i)
	}
	return &candidate{path: path, digest: sha256.Sum256([]byte(text)), src: mapset.Source{Doc: doc}, errs: errs}
}
