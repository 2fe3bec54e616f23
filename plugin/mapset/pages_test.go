package mapset

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Slots are a plain array to those who use them, and so is each clone by itself; what
// a clone does not write to it shares.
func TestPages_LikeAnArray(t *testing.T) {
	for _, n := range []int{4, 1 << pageBits, 8 << pageBits} {
		rng := rand.New(rand.NewPCG(5, uint64(n)))
		now, model := newPages(n), make([]uint64, n)
		same := func(p *pages, want []uint64) {
			t.Helper()
			if p.size() != n {
				t.Fatalf("%d slots, want %d", p.size(), n)
			}
			for i, slot := range want {
				if got := p.at(uint64(i + n*i)); got != slot { // as hashes have it
					t.Fatalf("%d slots: slot %d is %d, want %d", n, i, got, slot)
				}
			}
		}
		for range 20 {
			next, changed := now.clone(), slices.Clone(model)
			for range 3 {
				i := rng.Uint64()
				next.put(i, i)
				changed[i%uint64(n)] = i
			}
			same(&now, model)
			same(&next, changed)
			shared := 0
			for i := range next.pages {
				if &next.pages[i][0] == &now.pages[i][0] {
					shared++
				}
			}
			if least := len(next.pages) - 3; shared < least || shared == len(next.pages) {
				t.Fatalf("%d of %d pages are shared, want at least %d, and not all", shared, len(next.pages), least)
			}
			now, model = next, changed
		}
	}
	if none := (pages{}); none.size() != 0 {
		t.Errorf("no slots: the size is %d", none.size())
	}
}
