// Package push changes a map in etcd, and reads it whole: push, roll back, promote and
// abandon a stage, look at the history and at the servers. plugin/fleet has the layout of
// the keys.
//
// # A push
//
// A [Change] is made of what was read at one revision ([Store.ReadToWrite]), and judged
// against it by the caller ([Check]). [Store.Write] writes it compare-and-swap: each of its
// transactions compares the head, and the one with the new head also that no document was
// written since. Whatever ends the process, the store is as before the push or as after it.
//
// A small push is one transaction: documents, history and head. A larger one claims its
// number first, by a key under a lease, and writes its documents to the staging and what
// they replace to the history; nobody reads these yet. The transaction of the head, which
// says where the documents are, is the push. The documents are then moved to their place,
// by whoever pushed or whoever pushes next. As every transaction of a push compares the
// head, a staging of a number that the head has passed is dead, and is deleted.
package push

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// ErrChanged is the error of a push that was made of what is in the store no more.
var ErrChanged = errors.New("somebody else changed it meanwhile")

// Times of requests. The first one finds out whether etcd answers at all.
const (
	firstPatience = 5 * time.Second
	patience      = 30 * time.Second
)

// Store is a map in etcd.
type Store struct {
	client *clientv3.Client
	at     fleet.Map
	where  string // the endpoints, for errors
}

// Open connects to the etcd with a map, and asks for its head, so that an etcd which cannot
// be reached, or refuses the user, is an error within seconds.
func Open(ctx context.Context, c fleet.Connection, m fleet.Map) (*Store, error) {
	client, err := c.Dial(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, at: m, where: strings.Join(client.Endpoints(), " ")}
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	if _, err := s.get(ctx, m.Head()); err != nil {
		_ = client.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the connection.
func (s *Store) Close() error { return s.client.Close() }

// Map is the path of the map.
func (s *Store) Map() fleet.Map { return s.at }

// get asks for keys.
func (s *Store) get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := s.client.Get(ctx, key, opts...)
	if err != nil {
		return nil, s.failed("read", err)
	}
	return resp, nil
}

// commit is one transaction: whether the comparisons held, so that ops were done.
func (s *Store) commit(ctx context.Context, ifs []clientv3.Cmp, ops ...clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := s.client.Txn(ctx).If(ifs...).Then(ops...).Commit()
	if err != nil {
		return nil, s.failed("write", err)
	}
	return resp, nil
}

func (s *Store) failed(what string, err error) error {
	// An etcd without most of its nodes returns the end of the time as a text.
	if strings.Contains(err.Error(), context.DeadlineExceeded.Error()) || errors.Is(err, fleet.ErrUnreachable) {
		return fmt.Errorf("etcd does not answer at %s: see that most of its nodes run there, and that the endpoint is right: %w", s.where, err)
	}
	return fmt.Errorf("etcd at %s: cannot %s %s: %w", s.where, what, s.at, err)
}

// isDocument reports whether a key of this name is a document: servers read no other.
func isDocument(name string) bool { return !strings.Contains(name, "/") && source.IsDocument(name) }
