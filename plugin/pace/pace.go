// Package pace lets queries have their turn while a map is loaded on one core.
// There, the scheduler looks at the network only when nothing else is to be done,
// or every 10 ms or more: to yield is not enough, one has to rest, and for longer
// than what is waiting takes. With more cores than one nothing rests.
package pace

import (
	"io"
	"runtime"
	"sync/atomic"
	"time"
)

// How long to work without a rest, and how long a rest is. A load on one core takes
// half as long again.
const (
	work = time.Millisecond
	rest = 500 * time.Microsecond
)

var (
	alone  = runtime.GOMAXPROCS(0) == 1
	begun  = time.Now()
	rested atomic.Int64 // when the last rest ended, since begun
)

// Rest is to be called often by what takes long. It rests if it is time to.
func Rest() {
	if !alone || int64(time.Since(begun))-rested.Load() < int64(work) {
		return
	}
	time.Sleep(rest)
	rested.Store(int64(time.Since(begun)))
}

// Reader returns a reader of data that rests between pieces.
func Reader(data []byte) io.Reader { return &reader{data} }

type reader struct{ data []byte }

// Read implements the io.Reader interface.
func (r *reader) Read(p []byte) (int, error) {
	Rest()
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.data[:min(len(r.data), 16<<10)])
	r.data = r.data[n:]
	return n, nil
}
