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

// watchPoll finds the changes that no notification tells of.
const watchPoll = 30 * time.Second

// follow writes the export again whenever the map has changed it, until the
// process is told to end.
func (x *export) follow(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := source.New(source.Options{Poll: watchPoll, Log: func(format string, args ...any) { x.say(format, args...) }})
	defer w.Close()
	last, err := x.update(ctx, w, nil)
	if err != nil {
		return err // At the start, somebody is there to mend it.
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
				x.say("%v", err)
				continue
			}
			last = next
		}
	}
}

func (x *export) say(format string, args ...any) {
	fmt.Fprintf(x.errs, "addressmap: "+format+"\n", args...)
}

// update brings the output up to date and returns what it was made of: last if
// nothing new could be.
func (x *export) update(ctx context.Context, w *source.Watcher, last *loaded) (*loaded, error) {
	l, err := x.load.load(last)
	if err != nil {
		return last, err
	}
	if !slices.Equal(l.paths, x.watched) {
		// What is named now may have changed before it was watched.
		x.watched = l.paths
		w.Set(l.paths)
		return x.update(ctx, w, last)
	}
	if unsettled(w, l) {
		return last, nil // It will be named again.
	}
	for _, err := range l.refused {
		x.say("%v", err)
	}
	if last == nil && len(l.refused) > 0 {
		return nil, errors.New("part of the map is refused")
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
	x.say("wrote %s", x.out)
	if len(x.run) == 0 {
		return l, nil
	}
	cmd := exec.CommandContext(ctx, x.run[0], x.run[1:]...)
	cmd.Stdout, cmd.Stderr = x.errs, x.errs
	if err := cmd.Run(); err != nil {
		x.say("%q: %v", x.run, err)
	}
	return l, nil
}

// unsettled reports whether one of the files was written since it was last known
// to be at rest: then it may have been read half written.
func unsettled(w *source.Watcher, l *loaded) bool {
	paths := slices.Clone(l.paths)
	for _, s := range l.sources {
		paths = append(paths, s.Doc.Name)
	}
	return slices.ContainsFunc(paths, func(p string) bool {
		_, err := w.Read(p, maxZoneFile)
		return errors.Is(err, source.ErrUnsettled)
	})
}
