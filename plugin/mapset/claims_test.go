package mapset

import (
	"math/rand/v2"
	"testing"
)

// Claims are a plain map to those who use them, and so is each clone by itself.
func TestClaims_LikeAMap(t *testing.T) {
	const keys = 400
	rng := rand.New(rand.NewPCG(3, 4))
	by := &claimant{"acme", "maps.yaml"}
	type generation struct {
		claims claims[int]
		model  map[int]claim
	}
	same := func(g *generation) {
		t.Helper()
		if g.claims.held != len(g.model) {
			t.Fatalf("%d claims are held, want %d", g.claims.held, len(g.model))
		}
		for key := range keys {
			got, ok := g.claims.get(key)
			if want, there := g.model[key]; ok != there || ok && got != want {
				t.Fatalf("%d: got %v %t, want %v %t", key, got, ok, want, there)
			}
		}
	}
	now := generation{model: make(map[int]claim)}
	now.claims.put(1, claim{claimant: by})
	now.claims.put(1, claim{claimant: by, advertised: true})
	now.model[1] = claim{claimant: by, advertised: true}
	var before []generation
	shared := 0
	for turn := range 300 {
		for range rng.IntN(8) + 300/(turn+1) {
			key := rng.IntN(keys)
			if _, ok := now.claims.get(key); ok {
				now.claims.drop(key)
				delete(now.model, key)
				continue
			}
			c := claim{claimant: by, advertised: turn%2 == 0}
			now.claims.put(key, c)
			now.model[key] = c
		}
		now.claims.drop(keys + turn) // what nobody holds
		same(&now)
		if turn%50 == 0 {
			before = append(before, now)
		}
		now.claims.settle()
		same(&now)
		next := generation{now.claims.clone(), make(map[int]claim)}
		for key, c := range now.model {
			next.model[key] = c
		}
		if len(next.claims.over) > 0 {
			shared++
		}
		now = next
	}
	for i := range before {
		same(&before[i])
	}
	if shared == 0 || shared == 300 {
		t.Errorf("%d of 300 clones share what was there, want some", shared)
	}
}
