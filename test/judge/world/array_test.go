package world

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/miekg/dns"

	_ "github.com/addressmap/addressmap/test/judge/opt"
)

// Every permitted pair of values of two dimensions stands in a row, and no row
// holds a forbidden one.
func TestCover_AllPairs(t *testing.T) {
	for name, tc := range map[string]struct {
		dims      []Dimension
		forbidden Forbidden
	}{
		"worlds": {WorldDimensions, ForbiddenWorld}, "questions": {QueryDimensions(), ForbiddenQuery}, "odd questions": {OddDimensions(), ForbiddenQuery},
	} {
		t.Run(name, func(t *testing.T) {
			arr := Cover(tc.dims, tc.forbidden, rand.New(rand.NewPCG(1, 1)))
			covered, permitted := CountPairs(tc.dims, tc.forbidden, arr.Rows)
			t.Logf("%d rows, %d of %d pairs", len(arr.Rows), covered, permitted)
			if covered != permitted || arr.Covered != covered || arr.Permitted != permitted {
				t.Errorf("want all pairs, got %d of %d", covered, permitted)
			}
			for _, row := range arr.Rows {
				for a, d := range tc.dims {
					for b, e := range tc.dims {
						if a != b && tc.forbidden(d.Name, d.Values[row[a]], e.Name, e.Values[row[b]]) {
							t.Fatalf("a forbidden pair: %s=%s %s=%s", d.Name, d.Values[row[a]], e.Name, e.Values[row[b]])
						}
					}
				}
			}
		})
	}
}

// An array that lacks a row lacks a pair, and is seen to.
func TestCountPairs_CanFail(t *testing.T) {
	dims := []Dimension{{"a", []string{"1", "2"}}, {"b", []string{"1", "2"}}}
	none := func(_, _, _, _ string) bool { return false }
	if covered, permitted := CountPairs(dims, none, []Row{{0, 0}, {1, 1}, {0, 1}}); covered != 3 || permitted != 4 {
		t.Errorf("want 3 of 4, got %d of %d", covered, permitted)
	}
}

// Every row makes a world, in which each address and each label stands once.
func TestNew_SecretsAreUnique(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	arr := Cover(WorldDimensions, ForbiddenWorld, rng)
	for i, row := range arr.Rows {
		w, err := New(fmt.Sprint("w", i), SpecOf(WorldDimensions, row), rng)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]string{}
		for _, rr := range w.Records {
			var text string
			switch rr := rr.(type) {
			case *dns.A:
				text = rr.A.String()
			case *dns.AAAA:
				text = rr.AAAA.String()
			default:
				continue
			}
			if other, ok := seen[text]; ok {
				t.Fatalf("%s stands at %s and at %s", text, other, rr.Header().Name)
			}
			seen[text] = rr.Header().Name
		}
		for _, s := range w.Judge.Secrets {
			if s.Addr.IsValid() && seen[s.Addr.String()] == "" && s.Rule == "" && !s.Told {
				t.Fatalf("%s of %s is no record's", s.Addr, s.Of)
			}
		}
		if len(w.Judge.Secrets) < 20 {
			t.Fatalf("only %d secrets", len(w.Judge.Secrets))
		}
	}
}

// Every owner of the list is known to the judge by its status.
func TestOwners_AreKnown(t *testing.T) {
	spec := Spec{}
	for _, d := range WorldDimensions {
		spec[d.Name] = d.Values[0]
	}
	w, err := New("w", spec, rand.New(rand.NewPCG(3, 3)))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range Owners {
		if o != "hidden" && w.Judge.Find(full(o)) == nil {
			t.Errorf("the judge knows nothing of %s", full(o))
		}
	}
}
