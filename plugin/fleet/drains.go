package fleet

import (
	"context"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// DrainStore is the files of drains of a map in etcd, for those who write them.
type DrainStore struct {
	client *clientv3.Client
	at     Map
}

// OpenDrains connects to etcd. The store is closed after its use, or ends with ctx.
func OpenDrains(ctx context.Context, c Connection, m Map) (*DrainStore, error) {
	client, err := c.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &DrainStore{client, m}, nil
}

// Close ends the connection.
func (s *DrainStore) Close() error { return s.client.Close() }

// Read returns the files by their names.
func (s *DrainStore) Read(ctx context.Context) (Documents, error) {
	resp, err := s.client.Get(ctx, s.at.Drains(), clientv3.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("cannot read the drains of %s: %w", s.at, err)
	}
	out := make(Documents)
	for _, pair := range resp.Kvs {
		out[strings.TrimPrefix(string(pair.Key), s.at.Drains())] = Document{Value: pair.Value, Revision: pair.ModRevision}
	}
	return out, nil
}

// Write writes one file. It reports false, and writes nothing, if somebody else has written
// it since the revision, which is 0 of a file that was not there.
func (s *DrainStore) Write(ctx context.Context, name string, text []byte, revision int64) (bool, error) {
	if err := CheckName(name); err != nil {
		return false, err
	}
	key := s.at.Drains() + name
	resp, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).Then(clientv3.OpPut(key, string(text))).Commit()
	if err != nil {
		return false, fmt.Errorf("cannot write %s%s: %w", Scheme, key, err)
	}
	return resp.Succeeded, nil
}
