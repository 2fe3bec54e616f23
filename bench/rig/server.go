package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Command is how a server is started.
type Command struct {
	Path string
	Args []string
	Dir  string // its working directory
	CPU  string // the cores it may use, as taskset takes them; "" for all
}

// Server is a running server.
type Server struct {
	Addr    string // host and port of UDP
	Started time.Time

	cmd   *exec.Cmd
	log   logBuffer
	ended chan struct{}
	err   error // how it ended; to be read when ended is closed
}

// ErrRefused is wrapped by the error of a server that ended by itself before it
// answered: it did not take its configuration.
var ErrRefused = errors.New("refused to start")

// Limits of a start.
const (
	startTime   = 5 * time.Minute
	startMemory = 12 << 30 // bytes; a server that takes more would stop the others
)

// Start starts a server and waits until ready has no error. A server must be
// ended by Stop.
func Start(c Command, addr string, ready func(addr string) error) (*Server, error) {
	args := append([]string{c.Path}, c.Args...)
	if c.CPU != "" {
		args = append([]string{"taskset", "-c", c.CPU}, args...)
	}
	s := &Server{Addr: addr, ended: make(chan struct{})}
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = c.Dir, &s.log, &s.log
	endWithUs(s.cmd)
	s.Started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.await(ready); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) await(ready func(string) error) error {
	last := errors.New("not asked")
	for n := 0; time.Since(s.Started) < startTime; n++ {
		select {
		case <-s.ended:
			return fmt.Errorf("%w: %v\n%s", ErrRefused, s.err, s.Log())
		default:
		}
		if last = ready(s.Addr); last == nil {
			return nil
		}
		if m, err := s.Memory(); n%100 == 0 && err == nil && m.Resident > startMemory {
			return fmt.Errorf("stopped while starting: it takes more than %d GB", startMemory>>30)
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("no right answer within %v: %w\n%s", startTime, last, s.Log())
}

// Stop ends the server and waits until it has ended.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Log returns the last of what the server printed.
func (s *Server) Log() string { return s.log.tail(4 << 10) }

// logBuffer is what the server prints, safe to read while it prints.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 1<<20 { // what is said about 10,000 zones
		b.buf.Next(b.buf.Len() / 2)
	}
	return b.buf.Write(p)
}

func (b *logBuffer) tail(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.buf.Bytes()
	return string(all[max(0, len(all)-n):])
}
