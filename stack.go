package addressmap

// room is how much stack the plugins after us need, in octets: file, above all.
const room = 6 << 10

// deepen makes room on the stack of the goroutine that calls it. A query runs on a
// new one, which is small, and to make it grow means to copy it frame by frame: that
// costs the less the earlier it is done, see BenchmarkRespond_OnNewStack.
//
//go:noinline
func deepen(really bool) {
	if really { // never: what counts is that the frame would have to hold the argument
		fill([room]byte{})
	}
}

//go:noinline
func fill([room]byte) {}
