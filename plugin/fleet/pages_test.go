package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// pagesOf lists so many documents of a size below a prefix, and returns the pages: how many
// keys were asked for in each.
func pagesOf(t *testing.T, documents, size int) (pages []int) {
	t.Helper()
	value, listed := bytes.Repeat([]byte("x"), size), 0
	get := func(from string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
		op := clientv3.OpGet(from, opts...)
		pages = append(pages, int(op.Limit()))
		resp := new(clientv3.GetResponse)
		for i := listed; i < documents && len(resp.Kvs) < int(op.Limit()); i++ {
			resp.Kvs = append(resp.Kvs, &mvccpb.KeyValue{Key: fmt.Appendf(nil, "/m/%06d", i), Value: value})
		}
		if want := "/m/"; listed > 0 {
			want = fmt.Sprintf("/m/%06d\x00", listed-1)
			if from != want {
				t.Fatalf("from %q, not %q", from, want)
			}
		}
		resp.More = listed+len(resp.Kvs) < documents
		return resp, nil
	}
	err := Below("/m/", get, func(name string, _ *mvccpb.KeyValue) {
		if name != fmt.Sprintf("%06d", listed) {
			t.Fatalf("%q after %d documents", name, listed)
		}
		listed++
	})
	if err != nil || listed != documents {
		t.Fatalf("%d documents, %v", listed, err)
	}
	return pages
}

// No message has more than a few MiB, and small documents come in few pages.
func TestBelow_BoundByBytes(t *testing.T) {
	for _, tc := range []struct{ documents, size, most, pages int }{
		{documents: 10_000, size: 700, most: maxPage, pages: 23},
		{documents: 100, size: MaxDocument, most: firstPage, pages: 30},
		{documents: 100, size: 0, most: maxPage, pages: 3},
		{documents: 0, pages: 1, most: firstPage},
	} {
		pages := pagesOf(t, tc.documents, tc.size)
		for i, keys := range pages {
			if keys < 1 || keys > tc.most || i > 0 && keys*tc.size > 2*pageBytes {
				t.Errorf("%+v: page %d has %d keys", tc, i, keys)
			}
		}
		if len(pages) > tc.pages {
			t.Errorf("%+v: %d pages", tc, len(pages))
		}
	}
}

func TestBelow_Failed(t *testing.T) {
	failed := errors.New("failed")
	err := Below("/m/", func(string, ...clientv3.OpOption) (*clientv3.GetResponse, error) { return nil, failed }, nil)
	if !errors.Is(err, failed) {
		t.Error(err)
	}
}
