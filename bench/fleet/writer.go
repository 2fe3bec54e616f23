package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/push"
)

// writer changes documents: by a push, as addressmap push does, or past it, as etcdctl put
// does.
type writer struct {
	settings *settings
	store    *push.Store
	puts     func(ctx context.Context, key, value string) error
	client   io.Closer
	rng      *rand.Rand
	turn     int
}

func newWriter(ctx context.Context, conn fleet.Connection, s *settings) (*writer, error) {
	client, err := conn.Dial(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{settings: s, client: client, rng: rand.New(rand.NewPCG(1, 2))}
	w.puts = func(ctx context.Context, key, value string) error {
		_, err := client.Put(ctx, key, value)
		return err
	}
	if w.store, err = push.Open(ctx, conn, theMap); err != nil {
		_ = client.Close()
		return nil, err
	}
	return w, nil
}

func (w *writer) close() {
	_ = w.store.Close()
	_ = w.client.Close()
}

// zones is how many zones an account has here, with a host each: a document has some 600
// octets.
const zones = 2

func documentName(account int) string { return fmt.Sprintf("account%05d.yaml", account) }

// document returns the document of an account, another one at each turn.
func (w *writer) document(account, turn int) []byte {
	f := rig.Fleet{Zones: 10 * w.settings.documents, Hosts: 1}
	a := f.Account(account, turn, f.Proxied)
	a.Zones = a.Zones[:zones]
	return fmt.Appendf((&rig.Document{Accounts: []rig.Account{a}}).YAML(), "# turn %d\n", turn)
}

// seed pushes all documents, and returns how many octets they have. One push more makes it
// the ordinary case that the last one was small: else servers would read all documents
// twice, as they were before the head and as they were moved to their place after it.
func (w *writer) seed(ctx context.Context) (octets int, err error) {
	all := make(fleet.Documents)
	for account := range w.settings.documents {
		value := w.document(account, 0)
		all[documentName(account)] = fleet.Document{Value: value}
		octets += len(value)
	}
	write, err := w.prepare(ctx, all)
	if err != nil {
		return 0, err
	}
	if err := write(); err != nil {
		return 0, err
	}
	if write, err = w.push(ctx, w.next()); err != nil {
		return 0, err
	}
	return octets, write()
}

// next makes a change of a random account.
func (w *writer) next() *change {
	w.turn++
	account := w.rng.IntN(w.settings.documents)
	return &change{name: documentName(account), value: w.document(account, w.turn), came: make(chan time.Duration, w.settings.sources)}
}

// put returns what writes a change without a head.
func (w *writer) put(ctx context.Context, c *change) (func() error, error) {
	return func() error { return w.puts(ctx, theMap.Documents()+c.name, string(c.value)) }, nil
}

// push returns what writes a change as a push: all that comes after it was confirmed.
func (w *writer) push(ctx context.Context, c *change) (func() error, error) {
	return w.prepare(ctx, fleet.Documents{c.name: {Value: c.value}})
}

// prepare reads what there is, and returns what writes the documents.
func (w *writer) prepare(ctx context.Context, documents fleet.Documents) (func() error, error) {
	contents, err := w.store.ReadToWrite(ctx, "")
	if err != nil {
		return nil, err
	}
	c, err := contents.Push(documents, false)
	if err != nil {
		return nil, err
	}
	return func() error {
		written, err := w.store.Write(ctx, c, push.Note{By: "fleet", Keep: push.DefaultKeep})
		if err == nil && len(written.Warnings) > 0 {
			err = fmt.Errorf("%q", written.Warnings)
		}
		return err
	}, nil
}
