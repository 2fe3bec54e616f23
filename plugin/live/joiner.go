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
