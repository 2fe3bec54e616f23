package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/addressmap/addressmap/plugin/printable"
	"github.com/addressmap/addressmap/plugin/source"
)

const (
	// watchPoll is the interval of the poll, for changes without a notification. It is the
	// directive's default.
	watchPoll = 30 * time.Second
	// stateLook is the interval of looks at what the server has saved.
	stateLook = time.Second
)

// watcher writes an export again and again.
type watcher struct {
	*export
	linger lingering
	run    runner

	wanted   bool            // the output is to be made anew
	leaves   time.Time       // when the next address that has gone leaves the output
	retry    retry           // of writing
	failure  string          // why writing failed
	warned   map[string]bool // warnings of the output as it is
	lookedAt time.Time       // at what the server has saved
}

// watchAndWrite writes the export again after each change of it, until a signal ends
// the process. SIGHUP, by which services are told to read their files again, has the output
// written and the command run whether or not anything has changed.
func (x *export) watchAndWrite(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	again := make(chan os.Signal, 1)
	if !isTerminal(x.errs) { // A terminal that hangs up ends it.
		signal.Notify(again, syscall.SIGHUP)
		defer signal.Stop(again)
	}
	x.load.opt.Log = stderrLog{x.logf}
	if err := x.load.open(); err != nil {
		return err
	}
	defer x.load.close()
	w := &watcher{
		export: x, linger: lingering{pause: x.linger},
		run: runner{command: x.command, output: printable.Unwrap(x.errs), logf: x.logf},
	}
	var changes <-chan source.Change
	if len(x.load.zoneFileOf) > 0 {
		files := source.New(source.Options{Poll: watchPoll, Log: x.logf})
		defer files.Close()
		files.Set(slices.Collect(maps.Values(x.load.zoneFileOf)))
		x.load.readSettled = func(path string) ([]byte, error) { return files.Read(path, maxText) }
		changes = files.Changes()
		w.rereadAll() // One may have changed before it was watched.
	}
	if err := w.write(); err != nil { // whatever the file is now: its mode may be another, and a restart may have cut off the command
		return err
	}
	w.run.want()
	w.follow(ctx, changes, again)
	return nil
}

// follow does what is due, and then waits for a change or for what is due next.
func (w *watcher) follow(ctx context.Context, changes <-chan source.Change, again <-chan os.Signal) {
	for {
		w.step(ctx, time.Now())
		timer := time.NewTimer(time.Until(w.next()))
		select {
		case <-ctx.Done():
			if w.run.done != nil {
				<-w.run.done
			}
			return
		case <-w.load.changes:
			w.wanted = true
		case c := <-changes:
			for _, path := range c.Paths {
				w.load.reread(path, w.load.readSettled)
			}
			w.wanted = true
		case <-again:
			w.rereadAll()
			if err := w.write(); err != nil {
				w.logf("%s is not written: %v", w.out, err)
				w.wanted = true
			}
			w.run.want()
		case err := <-w.run.done:
			w.run.ended(err, time.Now())
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (w *watcher) rereadAll() {
	for _, path := range w.load.zoneFileOf {
		w.load.reread(path, w.load.readSettled)
	}
}

// isTerminal reports whether text that is written to w is seen on a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := printable.Unwrap(w).(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// step does what is due.
func (w *watcher) step(ctx context.Context, now time.Time) {
	if w.load.opt.State != "" && now.Sub(w.lookedAt) >= stateLook {
		w.lookedAt = now
		if w.load.store.Overtaken() {
			w.logf("the server has another version in force than this one, which was judged without it: that is taken over")
			if err := w.load.open(); err != nil {
				w.logf("%v", err)
			}
		}
	}
	if w.wanted || isDue(w.retry.at, now) || w.retry.at.IsZero() && isDue(w.leaves, now) {
		w.wanted = false
		w.writeIfChanged(now)
	}
	w.run.step(ctx, now)
}

// next is when [watcher.step] has something to do.
func (w *watcher) next() time.Time {
	next := time.Now().Add(time.Hour)
	times := []time.Time{w.leaves, w.run.next()}
	if !w.retry.at.IsZero() { // Nothing leaves an output that cannot be written.
		times[0] = w.retry.at
	}
	if w.load.opt.State != "" {
		times = append(times, w.lookedAt.Add(stateLook))
	}
	for _, at := range times {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

func isDue(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// writeIfChanged writes the output if it has changed, and tries again later if that fails.
func (w *watcher) writeIfChanged(now time.Time) {
	text, err := w.text()
	if err == nil {
		if old, readErr := os.ReadFile(w.out); readErr == nil && bytes.Equal(old, text) {
			w.retry, w.failure = retry{}, ""
			return
		}
		err = writeFile(w.out, text, w.perm)
	}
	if err != nil {
		pause := w.retry.failed(now)
		if err.Error() != w.failure {
			w.failure = err.Error()
			w.logf("%s is not written, the next attempt is in %s: %v", w.out, pause, err)
		}
		return
	}
	w.retry, w.failure = retry{}, ""
	w.logf("wrote %s", w.out)
	w.run.want()
}

// write writes the output.
func (w *watcher) write() error {
	text, err := w.text()
	if err != nil {
		return err
	}
	if err := writeFile(w.out, text, w.perm); err != nil {
		return err
	}
	w.logf("wrote %s", w.out)
	return nil
}

// text returns the output of what is in force now.
func (w *watcher) text() ([]byte, error) {
	l := w.load.read()
	if err := w.output.refuseInMap(w.load.opt.Path); err != nil {
		return nil, err
	}
	if err := w.output.refuseInputs(l.paths...); err != nil {
		return nil, err
	}
	w.gather(l)
	var gone []netip.Addr
	gone, w.leaves = w.linger.add(l, time.Now())
	if len(gone) > 0 && w.linger.pause > 0 {
		w.logf("addresses that no document in force has any more stay for %s, %d in all: %s", w.linger.pause, len(gone), firstFew(gone))
	}
	text, err := w.render(l)
	warned := make(map[string]bool)
	for _, line := range l.warnings {
		if warned[line] = true; !w.warned[line] {
			fmt.Fprintln(w.errs, "warning: "+line)
		}
	}
	w.warned = warned
	return text, err
}

// firstFew is the first of some addresses.
func firstFew(list []netip.Addr) string {
	out := texts(list[:min(len(list), 5)])
	if len(list) > len(out) {
		out = append(out, "…")
	}
	return strings.Join(out, " ")
}

// stderrLog is the log of the loader.
type stderrLog struct {
	logf func(format string, args ...any)
}

func (l stderrLog) Infof(format string, args ...any)    { l.logf(format, args...) }
func (l stderrLog) Warningf(format string, args ...any) { l.logf("warning: "+format, args...) }
func (l stderrLog) Errorf(format string, args ...any)   { l.logf(format, args...) }
