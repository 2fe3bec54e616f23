package live

// joiner parts the numbers below n into sets.
type joiner []int // :: number → one of the same set, or itself

func newJoiner(n int) joiner {
	out := make(joiner, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// first returns the number that stands for the set of i: the least of it.
func (j joiner) first(i int) int {
	for j[i] != i {
		j[i] = j[j[i]]
		i = j[i]
	}
	return i
}

// join makes the sets of a and b one.
func (j joiner) join(a, b int) {
	a, b = j.first(a), j.first(b)
	j[max(a, b)] = min(a, b)
}

// sets returns the sets, each in order, in the order of their least numbers.
func (j joiner) sets() [][]int {
	at := make(map[int]int) // :: least number → index of its set
	var out [][]int
	for i := range j {
		first := j.first(i)
		if first == i {
			at[i] = len(out)
			out = append(out, nil)
		}
		out[at[first]] = append(out[at[first]], i)
	}
	return out
}
