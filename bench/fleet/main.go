// Command fleet measures how far a map in etcd goes: many servers' sources, the package
// itself and no imitation, follow one map in etcd processes of their own.
//
//	cd bench && go run ./fleet -sources 1000 -documents 10000 -nodes 1 > fleet.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/fleet"
)

// theMap is the path of the map in etcd.
const theMap = fleet.Map("/addressmap")

// settings is the command line.
type settings struct {
	sources   int
	documents int
	nodes     int
	changes   int
	announce  bool
	memory    int // GB
	patience  time.Duration
	progress  io.Writer
	pause     time.Duration
}

func main() {
	var s settings
	flag.IntVar(&s.sources, "sources", 1000, "servers that follow the map")
	flag.IntVar(&s.documents, "documents", 10_000, "documents in the map, one an account")
	flag.IntVar(&s.nodes, "nodes", 1, "nodes of the etcd cluster")
	flag.IntVar(&s.changes, "changes", 30, "changes of each kind, one after the other")
	flag.BoolVar(&s.announce, "announce", true, "each server tells the fleet what it has in force")
	flag.IntVar(&s.memory, "memory", 16, "GB that the sources may take together")
	flag.DurationVar(&s.patience, "patience", 10*time.Minute, "how long anything may take")
	flag.DurationVar(&s.pause, "pause", 5*time.Second, "what is between two pushes at least: within five seconds after one, servers compare the digest of all documents")
	flag.Parse()
	s.progress = os.Stderr
	if err := run(&s); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(s *settings) error {
	if err := rig.Require(map[string]string{"etcd": "etcd-server"}); err != nil {
		return err
	}
	shape := rig.Shape("etcd")
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := measure(context.Background(), s, dir)
	if err != nil {
		return err
	}
	fmt.Print(shape)
	fmt.Print(r)
	return nil
}

// check returns an error where there is nothing to measure, or no room for it.
func (s *settings) check() error {
	switch {
	case s.sources < 1 || s.documents < 1 || s.nodes < 1 || s.changes < 1:
		return errors.New("-sources, -documents, -nodes and -changes are 1 at least")
	case s.documents > rig.MaxAccounts:
		return fmt.Errorf("-documents %d: there are addresses for %d accounts", s.documents, rig.MaxAccounts)
	}
	return nil
}

// measure does all of it, in the order of a fleet's life.
func measure(ctx context.Context, s *settings, dir string) (*result, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	r := &result{settings: *s}
	c, err := startCluster(dir, s.nodes)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	w, err := newWriter(ctx, c.connection(), s)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := r.seed(ctx, c, w); err != nil {
		return nil, fmt.Errorf("pushing the documents: %w", err)
	}
	servers := newServers(s)
	defer servers.close()
	if err := r.coldStart(c, servers); err != nil {
		return nil, fmt.Errorf("starting all servers: %w", err)
	}
	for _, kind := range []struct {
		title string
		write prepare
		pause time.Duration
	}{{"put of a document", w.put, 0}, {"push of a document", w.push, s.pause}} {
		if err := r.change(ctx, c, servers, w, kind.title, kind.write, kind.pause); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.title, err)
		}
	}
	if err := r.last(c); err != nil {
		return nil, err
	}
	if err := r.restart(ctx, c, servers, w); err != nil {
		return nil, fmt.Errorf("restarting etcd: %w", err)
	}
	return r, nil
}
