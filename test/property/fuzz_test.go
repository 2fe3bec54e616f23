package property

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// fuzzShares is how many inputs it takes to ask a world about all names. An input
// takes some hundredths of a second so: Go kills one after ten seconds, which a whole
// world comes near to on a busy machine.
const fuzzShares = 16

// FuzzLeak is the property test with worlds of the fuzzer's choice: each is zones
// and maps, of which every input asks everything about a share of the names, over
// sockets. The seeds are all shares of some worlds.
func FuzzLeak(f *testing.F) {
	for world := range uint64(4) {
		source := rand.NewPCG(world, 1)
		var data []byte
		for range 8 { // as many as the shape of a world takes
			data = binary.LittleEndian.AppendUint64(data, source.Uint64())
		}
		for share := range uint8(fuzzShares) {
			f.Add(share, data)
		}
	}
	f.Fuzz(func(t *testing.T, share uint8, data []byte) {
		w := newWorld(&choices{data: data, then: rand.NewPCG(1, 1)}, backing{tells: true, lax: true})
		w.place(t)
		var some [][]query
		for i, qs := range w.questions() {
			if i%fuzzShares == int(share)%fuzzShares {
				some = append(some, qs)
			}
		}
		w.hold(t, w.fromFiles, some)
	})
}

// choices is random numbers out of the fuzzer's bytes, and then any.
type choices struct {
	data []byte
	then rand.Source
}

// Uint64 implements rand.Source.
func (c *choices) Uint64() uint64 {
	if len(c.data) == 0 {
		return c.then.Uint64()
	}
	var next [8]byte
	c.data = c.data[copy(next[:], c.data):]
	return binary.LittleEndian.Uint64(next[:])
}
