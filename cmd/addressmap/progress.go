package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
)

// progress says on a terminal that something takes longer than a second, until
// the function it returns is called.
func progress(w io.Writer, what string) (done func()) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return func() {}
	}
	begin := time.Now()
	t := time.NewTicker(time.Second)
	stop := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-t.C:
				fmt.Fprintf(w, "\r%s … %d s", what, int(time.Since(begin).Seconds()))
			case <-stop:
				return
			}
		}
	}()
	return func() {
		t.Stop()
		close(stop)
		<-gone
		if time.Since(begin) >= time.Second {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
