package etcd

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
)

func TestSource_Announce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	named := func(o *Options) { o.Announce, o.Version, o.inherit = "ns1", "v1", time.Nanosecond }
	w.open(named)
	w.source.Announce(fleet.Server{Push: 3, Digest: "d"})
	w.announced(map[string]string{"ns1": "3 v1"})
	w.source.Announce(fleet.Server{Push: 4, Digest: "e"})
	w.announced(map[string]string{"ns1": "4 v1"})
	second := w.reopened(named)
	second.source.Announce(fleet.Server{Push: 5, Digest: "f"})
	w.announced(map[string]string{"ns1": "4 v1", "ns1-2": "5 v1"})
	second.logged("this one is ns1-2")
	w.source.Close()
	w.announced(map[string]string{"ns1-2": "5 v1"})
}

// announced waits until these servers are in etcd, by name, with push and version.
func (w *world) announced(want map[string]string) {
	w.Helper()
	got := make(map[string]string)
	w.await(fmt.Sprint(want), func() bool {
		docs, err := documentsBelow(context.Background(), w.client, testMap.Servers(), 0)
		if err != nil {
			w.Fatal(err)
		}
		clear(got)
		for name, doc := range docs {
			s, err := fleet.ParseServer(doc.Value)
			if err != nil {
				w.Fatal(err)
			}
			got[name] = fmt.Sprintf("%d %s", s.Push, s.Version)
		}
		return maps.Equal(got, want)
	})
}
