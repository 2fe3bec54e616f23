package push

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// How much history is there at most, unless a push says how many pushes.
const (
	DefaultKeep     = 100
	maxHistoryBytes = 256 << 20
)

// pieceBytes is the size of a piece of the history.
const pieceBytes = 1 << 20

// Entry is one push of the history. It is the value of piece 0, which is written with the
// head: a history of which only other pieces are there is of no push.
type Entry struct {
	Head     fleet.Head `json:"head"`     // of the push
	Before   fleet.Head `json:"before"`   // the one that it replaced; the zero one if there was none
	Replaced int        `json:"replaced"` // documents of everyone
	Changed  int        `json:"changed"`  // documents, of everyone or of the stage
	Bytes    int        `json:"bytes"`    // of the other pieces
	Pieces   int        `json:"pieces"`   // beside this one
}

// replaced is one document as it was before a push.
type replaced struct {
	Name   string
	Value  []byte
	Absent bool
}

// pieceKey is the key of a piece of the history of a push, in an order that is that of the
// numbers.
func pieceKey(m fleet.Map, push int64, piece int) string {
	return fmt.Sprintf("%s%06d", m.History(push), piece)
}

// replacedBy returns the documents that a change replaces, in pieces.
func replacedBy(c *Change) (n int, pieces [][]byte, err error) {
	var list []replaced
	if c.Stage == "" {
		for _, name := range slices.Sorted(maps.Keys(c.write)) {
			was, is := c.read.Everyone[name]
			list = append(list, replaced{name, was.Value, !is})
		}
	}
	if len(list) == 0 {
		return 0, nil, nil
	}
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(list); err != nil {
		return 0, nil, err
	}
	packed := s2.EncodeBetter(nil, text.Bytes())
	return len(list), slices.Collect(slices.Chunk(packed, pieceBytes)), nil
}

// entry returns the entry of a change that is written with a head.
func (c *Change) entry(h fleet.Head, n int, pieces [][]byte) ([]byte, error) {
	e := Entry{Head: h, Before: c.read.Head, Replaced: n, Changed: len(c.Names()), Pieces: len(pieces)}
	for _, p := range pieces {
		e.Bytes += len(p)
	}
	return json.Marshal(e)
}

// entries returns the numbers of the pushes of which there is a history, the newest first.
func (s *Store) entries(ctx context.Context, revision int64) ([]int64, error) {
	var out []int64
	err := s.below(ctx, s.at.Histories(), revision, func(name string, _ *mvccpb.KeyValue) {
		number, piece, _ := strings.Cut(name, "/")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n > 0 && piece == "000000" {
			out = append(out, n)
		}
	}, clientv3.WithKeysOnly())
	slices.SortFunc(out, func(a, b int64) int { return int(min(max(b-a, -1), 1)) })
	return out, err
}

// History returns the pushes of which there is a history, the newest first.
func (s *Store) History(ctx context.Context) ([]Entry, error) {
	resp, err := s.get(ctx, s.at.Head())
	if err != nil {
		return nil, err
	}
	return s.history(ctx, resp.Header.Revision)
}

func (s *Store) history(ctx context.Context, revision int64) ([]Entry, error) {
	numbers, err := s.entries(ctx, revision)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(numbers))
	for some := range slices.Chunk(numbers, maxOps) {
		var ops []clientv3.Op
		for _, n := range some {
			ops = append(ops, clientv3.OpGet(pieceKey(s.at, n, 0), clientv3.WithRev(revision)))
		}
		resp, err := s.commit(ctx, nil, ops...)
		if err != nil {
			return nil, err
		}
		for i, r := range resp.Responses {
			var e Entry
			kvs := r.GetResponseRange().Kvs
			if len(kvs) == 0 {
				continue
			}
			if err := json.Unmarshal(kvs[0].Value, &e); err != nil || e.Head.Push != some[i] {
				continue // It is nobody's push; whoever needs it says that it is missing.
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// Rollback returns the change that brings everyone's documents back to what they were
// after a push. The warning, if any, says what the history does not know.
func (s *Store) Rollback(ctx context.Context, c *Contents, push int64) (change *Change, warning string, err error) {
	entries, err := s.history(ctx, c.revision)
	if err != nil {
		return nil, "", err
	}
	documents, at, digest := c.Everyone.Replace(nil), c.Head.Push, c.Head.Digest
	for at > push {
		i := slices.IndexFunc(entries, func(e Entry) bool { return e.Head.Push == at })
		if i < 0 {
			return nil, "", fmt.Errorf("the history does not go back to push %d: it has none of push %d", push, at)
		}
		if err := s.undo(ctx, c.revision, documents, entries[i]); err != nil {
			return nil, "", err
		}
		at, digest = entries[i].Before.Push, entries[i].Before.Digest
	}
	if at != push || push < 1 {
		return nil, "", fmt.Errorf("there was no push %d: addressmap history lists them", push)
	}
	documents = documents.Present()
	if documents.Digest() != digest {
		warning = fmt.Sprintf("documents were also changed without a push since push %d, and the history does not have how they were: they stay", push)
	}
	change, err = c.Push(documents, true)
	return change, warning, err
}

// undo puts the documents that a push has replaced back into documents.
func (s *Store) undo(ctx context.Context, revision int64, documents fleet.Documents, e Entry) error {
	var packed []byte
	for i := range e.Pieces {
		resp, err := s.get(ctx, pieceKey(s.at, e.Head.Push, i+1), clientv3.WithRev(revision))
		if err != nil {
			return err
		}
		if len(resp.Kvs) == 0 {
			return damaged(e, errors.New("a piece is missing"))
		}
		packed = append(packed, resp.Kvs[0].Value...)
	}
	if len(packed) == 0 {
		return nil
	}
	text, err := s2.Decode(nil, packed)
	if err != nil {
		return damaged(e, err)
	}
	var list []replaced
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&list); err != nil {
		return damaged(e, err)
	}
	for _, r := range list {
		documents[r.Name] = fleet.Document{Value: r.Value, Removed: r.Absent}
	}
	return nil
}

func damaged(e Entry, err error) error {
	return fmt.Errorf("the history of push %d is damaged, roll back by pushing the documents: %w", e.Head.Push, err)
}

// prune deletes the history of all but the newest pushes.
func (s *Store) prune(ctx context.Context, keep int) error {
	entries, err := s.History(ctx)
	if err != nil {
		return err
	}
	total := 0
	for i, e := range entries {
		total += e.Bytes
		if i < keep && (total <= maxHistoryBytes || i == 0) {
			continue
		}
		if _, err := s.commit(ctx, nil, clientv3.OpDelete(s.at.History(e.Head.Push), clientv3.WithPrefix())); err != nil {
			return err
		}
	}
	return nil
}
