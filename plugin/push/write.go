package push

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// What a transaction may have: etcd takes 128 operations by default, as many comparisons,
// and requests of 1.5 MiB, with their frames.
const (
	maxOps   = 128
	maxBytes = 5 << 18
)

// Note is what a push says of itself.
type Note struct {
	By, Message string
	Keep        int // how many pushes the history has
}

// transaction gathers comparisons and operations.
type transaction struct {
	ifs  []clientv3.Cmp
	ops  []clientv3.Op
	size int
}

func (t *transaction) put(key string, value []byte, opts ...clientv3.OpOption) {
	t.ops = append(t.ops, clientv3.OpPut(key, string(value), opts...))
	t.size += len(key) + len(value) + 64
}

func (t *transaction) drop(key string, opts ...clientv3.OpOption) {
	t.ops = append(t.ops, clientv3.OpDelete(key, opts...))
	t.size += len(key) + 64
}

// unchanged compares the revision of a key, which is 0 for one that is not there.
func (t *transaction) unchanged(key string, revision int64) {
	t.ifs = append(t.ifs, clientv3.Compare(clientv3.ModRevision(key), "=", revision))
	t.size += len(key) + 64
}

// notSince compares that no key below a prefix was written after a revision.
func (t *transaction) notSince(prefix string, revision int64) {
	t.ifs = append(t.ifs, clientv3.Compare(clientv3.ModRevision(prefix).WithPrefix(), "<", revision+1))
}

func (t *transaction) fits() bool {
	return len(t.ifs) <= maxOps && len(t.ops) <= maxOps && t.size <= maxBytes
}

// Written is a push that was done.
type Written struct {
	Head     fleet.Head
	Warnings []string // what could not be done after it
}

// Write writes a change. The error is [ErrChanged] if anything was written since the change
// was made, and then nothing has changed.
func (s *Store) Write(ctx context.Context, c *Change, note Note) (*Written, error) {
	if c.read.unmoved {
		return nil, ErrChanged // only what ReadToWrite has read is written by
	}
	w := &writing{store: s, Change: c, head: fleet.Head{
		Push: c.read.next, Digest: c.after.Digest(), When: time.Now().UTC(), By: note.By, Message: note.Message, Stage: c.Stage,
	}}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	t, err := w.small()
	if err != nil {
		return nil, err
	}
	if t.fits() {
		err = w.push(ctx, t)
	} else {
		err = w.large(ctx)
	}
	if err != nil {
		return nil, err
	}
	out := &Written{Head: w.head}
	if w.removed {
		out.Warnings = append(out.Warnings, "somebody else removed a document while the push was written, without a push: it is gone, see addressmap pull")
	}
	if err := s.finish(ctx); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the documents are pushed, and not all are moved to their place, which the next push ends: %v", err))
	}
	if err := s.prune(ctx, note.Keep); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("old history is not deleted: %v", err))
	}
	return out, nil
}

// writing is a change that is being written.
type writing struct {
	*Change
	store    *Store
	head     fleet.Head
	base     []byte // the new base of the stage; nil if there is none
	replaced int
	pieces   [][]byte // of the history, from 1
	removed  bool     // somebody else removed a document at the last moment
}

func (w *writing) prepare() (err error) {
	if len(w.Change.base) > 0 {
		if w.base, err = w.encodeBase(); err != nil {
			return err
		}
	}
	w.replaced, w.pieces, err = replacedBy(w.Change)
	return err
}

// target is the prefix of the documents that the change is about.
func (w *writing) target() string { return target(w.store.at, w.Stage) }

func target(m fleet.Map, stage string) string {
	if stage == "" {
		return m.Documents()
	}
	return m.Stage(stage)
}

// conclusion returns the transaction with the head: it compares what the change was made
// of, and has all of the push but its documents and the pieces of its history.
func (w *writing) conclusion() (*transaction, error) {
	m, t := w.store.at, &transaction{}
	t.unchanged(m.Head(), w.read.head)
	t.notSince(m.Documents(), w.read.revision)
	if w.read.stage != "" {
		t.notSince(m.StageKeys(w.read.stage), w.read.revision)
	}
	t.ops = append(t.ops, clientv3.OpGet(m.Documents(), clientv3.WithPrefix(), clientv3.WithCountOnly())) // before the others
	entry, err := w.entry(w.head, w.replaced, w.pieces)
	if err != nil {
		return nil, err
	}
	t.put(m.Head(), w.head.Encode())
	t.put(pieceKey(m, w.head.Push, 0), entry)
	switch {
	case w.ends != "":
		t.drop(m.StageKeys(w.ends), clientv3.WithPrefix())
	case w.base != nil:
		t.put(m.StageBase(w.Stage), w.base)
	case w.Stage != "":
		t.drop(m.StageBase(w.Stage))
	}
	return t, nil
}

// small returns the push as one transaction.
func (w *writing) small() (*transaction, error) {
	m := w.store.at
	t, err := w.conclusion()
	if err != nil {
		return nil, err
	}
	for i, p := range w.pieces {
		t.put(pieceKey(m, w.head.Push, i+1), p)
	}
	t.drop(pieceKey(m, w.head.Push, len(w.pieces)+1), clientv3.WithRange(clientv3.GetPrefixRangeEnd(m.History(w.head.Push)))) // of a push that never came
	for _, name := range slices.Sorted(maps.Keys(w.write)) {
		key, doc := w.target()+name, w.write[name]
		if w.Stage == "" {
			t.unchanged(key, w.read.Everyone[name].Revision)
		}
		switch {
		case !doc.Removed:
			t.put(key, doc.Value)
		case w.Stage == "":
			t.drop(key)
		default:
			t.put(key, nil)
		}
	}
	if w.ends == "" {
		for _, name := range w.back {
			t.drop(w.target() + name)
		}
	}
	return t, nil
}

// push does the transaction with the head.
func (w *writing) push(ctx context.Context, t *transaction) error {
	resp, err := w.store.commit(ctx, t.ifs, t.ops...)
	if err != nil {
		return w.outcome(ctx, err)
	}
	if !resp.Succeeded {
		return ErrChanged
	}
	w.removed = resp.Responses[0].GetResponseRange().Count != w.read.count
	return nil
}

// outcome says whether a push of which etcd has not said so is done: its history is
// there if it is.
func (w *writing) outcome(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstPatience)
	defer cancel()
	entry, encodeErr := w.entry(w.head, w.replaced, w.pieces)
	resp, readErr := w.store.get(ctx, pieceKey(w.store.at, w.head.Push, 0))
	switch {
	case encodeErr == nil && readErr == nil && len(resp.Kvs) > 0 && string(resp.Kvs[0].Value) == string(entry):
		return nil
	case readErr == nil && len(resp.Kvs) > 0:
		return ErrChanged
	}
	return fmt.Errorf("whether push %d is done is not known, addressmap history says so once etcd answers: %w", w.head.Push, err)
}
