package pace

import (
	"bytes"
	"testing"
	"testing/iotest"
	"time"
)

// on makes the test run as on one core, or not.
func on(t *testing.T, one bool) {
	before := alone
	t.Cleanup(func() { alone = before })
	alone = one
	rested.Store(0)
}

func TestReaderReadsAll(t *testing.T) {
	for _, one := range []bool{false, true} {
		on(t, one)
		data := bytes.Repeat([]byte("0123456789"), 10_000)
		if err := iotest.TestReader(Reader(data), data); err != nil {
			t.Errorf("on one core %v: %v", one, err)
		}
	}
}

// A rest lets others have their turn, and is not taken again at once.
func TestRest(t *testing.T) {
	on(t, true)
	for time.Since(begun) < 2*work {
	}
	Rest()
	first := rested.Load()
	if first == 0 {
		t.Fatal("after some work there is no rest")
	}
	on(t, false)
	Rest()
	if rested.Load() != 0 {
		t.Error("there is a rest with more cores than one")
	}
}

func BenchmarkRest(b *testing.B) {
	for b.Loop() {
		Rest()
	}
}
