package fleet

import (
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// The sizes of pages: etcd takes a number of keys alone, and sends the values of all of them
// in one message, whatever its size.
const (
	pageBytes = 4 << 20 // about how many bytes of values a page is to have
	firstPage = 16      // keys of the first page, whose values may all be of [MaxDocument]
	maxPage   = 500     // keys of a page at most
)

// Below calls f for each key below a prefix, with its name there, in pages that get asks
// etcd for. A page has as many keys as are of pageBytes if they are like those of the page
// before.
func Below(prefix string, get func(from string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error), f func(name string, kv *mvccpb.KeyValue)) error {
	from, end := prefix, clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix))
	for keys := firstPage; ; {
		resp, err := get(from, end, clientv3.WithLimit(int64(keys)))
		if err != nil {
			return err
		}
		size := 1
		for _, kv := range resp.Kvs {
			size += len(kv.Value)
			f(strings.TrimPrefix(string(kv.Key), prefix), kv)
		}
		if !resp.More || len(resp.Kvs) == 0 {
			return nil
		}
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
		keys = max(1, min(len(resp.Kvs)*pageBytes/size, 4*keys, maxPage))
	}
}
