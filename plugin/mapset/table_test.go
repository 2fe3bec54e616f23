package mapset

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// A table is a plain map of owners to marks to those who use it, whether it has an
// index or not.
func TestTable_LikeAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	labels := []string{"a.", "b.", "www.", "*.", `x\.y.`, `\255.`, "long-label-to-make-the-texts-longer."}
	owner := func() (out string) {
		for range rng.IntN(4) {
			out += labels[rng.IntN(len(labels))]
		}
		if rng.IntN(4) == 0 {
			out = fmt.Sprintf("host%d.", rng.IntN(2000)) + out
		}
		return out
	}
	indexed := 0
	for turn := range 400 {
		slow := make(map[string]mark)
		for range rng.IntN(turn + 1) {
			slow[owner()] = []mark{0, markProxied, markProxied | markV4Only, markProxied | markV6Only}[rng.IntN(4)]
		}
		list := make([]named, 0, len(slow))
		proxied, wildcards := 0, false
		for o, m := range slow {
			list = append(list, named{o, m})
			_, wildcard := keyOf(o)
			proxied, wildcards = proxied+int(m&markProxied), wildcards || wildcard
		}
		apex, table := newTable("example.org.", list)
		if apex != "example.org." || int(table.proxied) != proxied || table.wildcards != wildcards {
			t.Fatalf("turn %d: got %q, %d, %t, want %d, %t", turn, apex, table.proxied, table.wildcards, proxied, wildcards)
		}
		if table.index != nil {
			indexed++
		}
		if got := maps.Collect(table.all()); !maps.Equal(got, slow) {
			t.Fatalf("turn %d: all are %v, want %v", turn, got, slow)
		}
		for range 50 {
			list = append(list, named{owner: owner()})
		}
		for _, e := range list {
			want, marked := slow[e.owner]
			if got, ok := table.mark(e.owner); got != want || ok != marked {
				t.Fatalf("turn %d: the mark of %q is %v %t, want %v %t", turn, e.owner, got, ok, want, marked)
			}
			want, marked = slow["*."+e.owner]
			if got, ok := table.wildcardBelow(e.owner); got != want || ok != marked {
				t.Fatalf("turn %d: the mark of the wildcard below %q is %v %t, want %v %t", turn, e.owner, got, ok, want, marked)
			}
		}
	}
	if indexed < 100 || indexed > 390 {
		t.Errorf("%d of 400 tables have an index, want some and not all", indexed)
	}
}

// The longest owner fits the head of an entry: 253 octets, each written as "\255".
func TestTable_LongestOwner(t *testing.T) {
	owner := strings.Repeat(`\255`, 253)
	for _, o := range []string{owner, "*." + owner} {
		_, table := newTable(".", []named{{o, markProxied}, {"www.", 0}})
		if m, ok := table.mark(o); !ok || m != markProxied {
			t.Errorf("an owner of %d characters has no mark", len(o))
		}
	}
}
