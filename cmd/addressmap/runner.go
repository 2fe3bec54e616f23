package main

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The pauses between attempts, each twice the one before.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// retry says when something that failed is tried again.
type retry struct {
	at       time.Time // zero if nothing has failed
	attempts int
}

// failed notes a failure and returns the pause.
func (r *retry) failed(now time.Time) time.Duration {
	pause := lastRetry
	if r.attempts < 5 {
		pause = firstRetry << r.attempts
	}
	r.attempts++
	r.at = now.Add(pause)
	return pause
}

// runner runs a command after each change, one at a time, until it succeeds: a server that
// was not told of the last change serves the one before.
type runner struct {
	command []string
	output  io.Writer
	logf    func(format string, args ...any)

	wanted  bool       // since the last run began
	done    chan error // of the run under way; nil without one
	retry   retry
	patient time.Time // when it is said that a run takes long
}

// slow is how long a run takes that is worth a line.
const slow = 30 * time.Second

// want has the command run, once more if it is running.
func (r *runner) want() {
	if len(r.command) > 0 {
		r.wanted, r.retry = true, retry{}
	}
}

// step begins a run that is due.
func (r *runner) step(ctx context.Context, now time.Time) {
	if r.done != nil {
		if !r.patient.IsZero() && !now.Before(r.patient) {
			r.logf("%q has been running for %s, and no change reaches it before it ends", r.name(), slow)
			r.patient = time.Time{}
		}
		return
	}
	if !r.wanted || now.Before(r.retry.at) {
		return
	}
	r.wanted, r.patient = false, now.Add(slow)
	cmd := exec.CommandContext(ctx, r.command[0], r.command[1:]...)
	cmd.Stdout, cmd.Stderr = r.output, r.output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	done := make(chan error, 1)
	r.done = done
	go func() { done <- cmd.Run() }()
}

// ended notes how a run has ended.
func (r *runner) ended(err error, now time.Time) {
	r.done, r.patient = nil, time.Time{}
	switch {
	case err == nil && r.retry.attempts > 0:
		r.logf("%q has succeeded at attempt %d", r.name(), r.retry.attempts+1)
	case err != nil && r.wanted: // It is run anew anyway.
		r.logf("%q failed: %v", r.name(), err)
	case err != nil:
		r.wanted = true
		pause := r.retry.failed(now)
		r.logf("%q failed at attempt %d, the next one is in %s: %v", r.name(), r.retry.attempts, pause, err)
	}
	if err == nil && !r.wanted {
		r.retry = retry{}
	}
}

// next is when [runner.step] has something to do, zero for never.
func (r *runner) next() time.Time {
	if r.done != nil {
		return r.patient
	}
	return r.retry.at
}

func (r *runner) name() string { return strings.Join(r.command, " ") }
