package main

import (
	"fmt"
	"io"
	"time"

	"github.com/addressmap/addressmap/plugin/printable"
)

// progress prints on a terminal the seconds that a task takes, if it takes longer than
// a second, until done is called; task names the work.
func progress(w io.Writer, task string) (done func()) {
	if !isTerminal(w) {
		return func() {}
	}
	w = printable.Unwrap(w) // to move the cursor
	begin := time.Now()
	t := time.NewTicker(time.Second)
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-t.C:
				fmt.Fprintf(w, "\r%s … %d s", task, int(time.Since(begin).Seconds()))
			case <-stop:
				return
			}
		}
	}()
	return func() {
		t.Stop()
		close(stop)
		<-stopped
		if time.Since(begin) >= time.Second {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
