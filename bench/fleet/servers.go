package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source/etcd"
)

// change is one change of a document, and when it has come to each server.
type change struct {
	name  string // of the document
	value []byte
	at    time.Time          // just before it was written
	came  chan time.Duration // has room for all servers
}

// servers are the sources of a fleet. What a server makes of a document, a snapshot, is
// not here: a thousand of these would not fit into one process.
type servers struct {
	settings *settings
	sources  []*etcd.Source
	now      atomic.Pointer[change] // that is awaited
	end      chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	warnings map[string]int // :: text → how often
}

func newServers(s *settings) *servers {
	return &servers{settings: s, end: make(chan struct{}), warnings: make(map[string]int)}
}

// start starts all sources at once, and returns after which time each had listed all
// documents.
func (s *servers) start(conn fleet.Connection) ([]time.Duration, error) {
	listed := make([]time.Duration, s.settings.sources)
	failed := make([]error, s.settings.sources)
	begin := time.Now()
	var starting sync.WaitGroup
	for i := range listed {
		opt := etcd.Options{Map: theMap, Connection: conn, Look: 10 * time.Minute, Version: "simulated", Log: s.warn}
		if s.settings.announce {
			opt.Announce = fmt.Sprintf("server%05d", i)
		}
		source := etcd.New(opt)
		s.sources = append(s.sources, source)
		starting.Go(func() {
			failed[i] = source.Await(begin.Add(s.settings.patience))
			listed[i] = time.Since(begin)
			s.running.Go(func() { s.serve(source) })
		})
	}
	starting.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	for _, source := range s.sources {
		for deadline := begin.Add(s.settings.patience); len(source.List()) < s.settings.documents; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				return nil, fmt.Errorf("a source has %d documents", len(source.List()))
			}
		}
	}
	slices.Sort(listed)
	return listed, nil
}

func (s *servers) warn(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings[digits.ReplaceAllString(fmt.Sprintf(format, args...), "N")]++
}

// digits are what the warnings of two servers differ in.
var digits = regexp.MustCompile(`[0-9]+`)

// warned returns how often there was each warning, and forgets them.
func (s *servers) warned() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.warnings
	s.warnings = make(map[string]int)
	return all
}

// serve takes what comes, as the loader of a server does, and tells the fleet.
func (s *servers) serve(source *etcd.Source) {
	var last *change
	for {
		select {
		case <-s.end:
			return
		case <-source.Changes():
		}
		taken := source.Take()
		at := time.Now()
		if now := s.now.Load(); now != nil && now != last && slices.Contains(taken.Paths, source.Path(now.name)) {
			if value, err := source.Read(source.Path(now.name)); err == nil && bytes.Equal(value, now.value) {
				now.came <- at.Sub(now.at)
				last = now
			}
		}
		source.Announce(fleet.Server{Push: source.Status().Push, Digest: "simulated", Since: at})
	}
}

// await waits until a change has come to all servers, and returns after which time it has
// come to each.
func (s *servers) await(c *change) ([]time.Duration, error) {
	late := time.After(s.settings.patience)
	var all []time.Duration
	for range s.sources {
		select {
		case d := <-c.came:
			all = append(all, d)
		case <-late:
			return nil, fmt.Errorf("%s has come to %d of %d servers within %v", c.name, len(all), len(s.sources), s.settings.patience)
		}
	}
	return all, nil
}

func (s *servers) close() {
	close(s.end)
	var closing sync.WaitGroup
	for _, source := range s.sources {
		closing.Go(source.Close)
	}
	closing.Wait()
	s.running.Wait()
}
