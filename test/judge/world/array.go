// Package world makes the worlds that the judge is sent into: a covering array
// over the dimensions in which servers with addressmap differ, and for each row
// the zones, the map, the Corefile and the questions.
package world

import (
	"math/rand/v2"
	"slices"
)

// Dimension is one way in which worlds or queries differ.
type Dimension struct {
	Name   string
	Values []string
}

// Row is one value for each dimension, by index.
type Row []int

// Forbidden says whether two values may not stand in one row.
type Forbidden func(dimA, valueA, dimB, valueB string) bool

// Array is a set of rows in which every permitted pair of values occurs.
type Array struct {
	Dimensions []Dimension
	Rows       []Row
	Permitted  int // pairs of values that the constraints permit
	Covered    int // those that occur in a row
}

// pair is two values of two dimensions, the first with the lower index.
type pair struct{ a, av, b, bv int }

// pairs returns the permitted pairs.
func pairs(dims []Dimension, forbidden Forbidden) map[pair]bool {
	open := map[pair]bool{}
	for a := range dims {
		for b := a + 1; b < len(dims); b++ {
			for av, x := range dims[a].Values {
				for bv, y := range dims[b].Values {
					if !forbidden(dims[a].Name, x, dims[b].Name, y) && !forbidden(dims[b].Name, y, dims[a].Name, x) {
						open[pair{a, av, b, bv}] = true
					}
				}
			}
		}
	}
	return open
}

// Cover makes an array greedily: each row begins with a pair that no row has
// yet, and takes for each further dimension the value that adds most pairs. It
// is not the smallest array, but complete, and another one for another rng.
func Cover(dims []Dimension, forbidden Forbidden, rng *rand.Rand) *Array {
	permitted := pairs(dims, forbidden)
	arr := &Array{Dimensions: dims, Permitted: len(permitted)}
	open := make([]pair, 0, len(permitted))
	for p := range permitted {
		open = append(open, p)
	}
	slices.SortFunc(open, func(x, y pair) int {
		return slices.Compare([]int{x.a, x.b, x.av, x.bv}, []int{y.a, y.b, y.av, y.bv})
	})
	rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	missing := map[pair]bool{}
	for _, p := range open {
		missing[p] = true
	}
	for _, seed := range open {
		if !missing[seed] {
			continue
		}
		row := complete(dims, permitted, missing, seed, rng)
		if row == nil {
			continue // other constraints rule the pair out
		}
		for a := range row {
			for b := a + 1; b < len(row); b++ {
				p := pair{a, row[a], b, row[b]}
				if missing[p] {
					delete(missing, p)
					arr.Covered++
				}
			}
		}
		arr.Rows = append(arr.Rows, row)
	}
	return arr
}

// complete makes a whole row around one pair, nil if ten tries find none.
func complete(dims []Dimension, permitted, missing map[pair]bool, seed pair, rng *rand.Rand) Row {
	for range 10 {
		row := make(Row, len(dims))
		for i := range row {
			row[i] = -1
		}
		row[seed.a], row[seed.b] = seed.av, seed.bv
		ok := true
		for _, d := range rng.Perm(len(dims)) {
			if row[d] >= 0 {
				continue
			}
			best, bestGain := -1, -1
			for _, v := range rng.Perm(len(dims[d].Values)) {
				gain, fits := 0, true
				for o, ov := range row {
					if ov < 0 {
						continue
					}
					p := ordered(d, v, o, ov)
					if !permitted[p] {
						fits = false
						break
					}
					if missing[p] {
						gain++
					}
				}
				if fits && gain > bestGain {
					best, bestGain = v, gain
				}
			}
			if best < 0 {
				ok = false
				break
			}
			row[d] = best
		}
		if ok {
			return row
		}
	}
	return nil
}

func ordered(d, v, o, ov int) pair {
	if d < o {
		return pair{d, v, o, ov}
	}
	return pair{o, ov, d, v}
}

// CountPairs counts the permitted pairs that the rows hold.
func CountPairs(dims []Dimension, forbidden Forbidden, rows []Row) (covered, permitted int) {
	all := pairs(dims, forbidden)
	seen := map[pair]bool{}
	for _, row := range rows {
		for a := range row {
			for b := a + 1; b < len(row); b++ {
				if p := (pair{a, row[a], b, row[b]}); all[p] {
					seen[p] = true
				}
			}
		}
	}
	return len(seen), len(all)
}
