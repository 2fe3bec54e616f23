package addressmap

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// FuzzLeak is the property test with worlds of the fuzzer's choice: each is zones
// and maps, asked everything over sockets.
func FuzzLeak(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(binary.LittleEndian.AppendUint64(nil, seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(&choices{data: data, then: rand.NewPCG(1, 1)}, backing{tells: true, lax: true})
		w.place(t)
		w.hold(t, w.fromFiles)
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
