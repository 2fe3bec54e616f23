package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/addressmap/addressmap/plugin/source"
)

// watchPoll is the interval of the poll, for changes without a notification.
const watchPoll = 30 * time.Second

// watchAndWrite writes the export again after each change of it, until a signal ends
// the process.
func (x *export) watchAndWrite(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := source.New(source.Options{Poll: watchPoll, Log: func(format string, args ...any) { x.logf(format, args...) }})
	defer w.Close()
	last, err := x.update(ctx, w, nil)
	if err != nil {
		return err // At the start, the operator sees the error.
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Changes():
			if !ok {
				return nil
			}
			next, err := x.update(ctx, w, last)
			if err != nil {
				x.logf("%v", err)
				continue
			}
			last = next
		}
	}
}

// logf prints a line on the error stream.
func (x *export) logf(format string, args ...any) {
	fmt.Fprintf(x.errs, "addressmap: "+format+"\n", args...)
}

// update writes the output if it has changed and returns the loaded map that the
// output is of: last if the map could not be loaded.
func (x *export) update(ctx context.Context, w *source.Watcher, last *loaded) (*loaded, error) {
	l, err := x.load.load(last)
	if err != nil {
		return last, err
	}
	if !slices.Equal(l.paths, x.watchedPaths) {
		// A file may have changed before the watcher knew its path.
		x.watchedPaths = l.paths
		w.Set(l.paths)
		return x.update(ctx, w, last)
	}
	if mayBeHalfWritten(w, l) {
		return last, nil // A Change will name the file again.
	}
	for _, err := range l.refused {
		x.logf("%v", err)
	}
	if err := x.output.refuseInputs(l.paths...); err != nil {
		return last, err
	}
	text, err := x.text(l)
	if err != nil {
		return last, err
	}
	if old, err := os.ReadFile(x.out); err == nil && bytes.Equal(old, text) {
		return l, nil
	}
	if err := writeFile(x.out, text, x.perm); err != nil {
		return last, err
	}
	x.logf("wrote %s", x.out)
	if len(x.command) == 0 {
		return l, nil
	}
	cmd := exec.CommandContext(ctx, x.command[0], x.command[1:]...)
	cmd.Stdout, cmd.Stderr = x.errs, x.errs
	if err := cmd.Run(); err != nil {
		x.logf("%q: %v", x.command, err)
	}
	return l, nil
}

// mayBeHalfWritten reports whether one of the files was written since it last settled,
// so that load may have read a half-written file.
func mayBeHalfWritten(w *source.Watcher, l *loaded) bool {
	paths := slices.Clone(l.paths)
	for _, s := range l.sources {
		paths = append(paths, s.Doc.Name)
	}
	return slices.ContainsFunc(paths, func(p string) bool {
		_, err := w.Read(p, maxZoneFile)
		return errors.Is(err, source.ErrUnsettled)
	})
}
