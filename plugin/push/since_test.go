package push

import (
	"maps"
	"math"
	"slices"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

// unknown compacts the store, and returns why nobody knows what the servers have, and which
// documents others have changed.
func unknown(t *testing.T, s *Store, client *clientv3.Client) (why string, foreign []string) {
	t.Helper()
	resp, err := client.Put(t.Context(), "other", "x")
	if err == nil {
		_, err = client.Compact(t.Context(), resp.Header.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Read(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if why == "" && len(c.Foreign) == 0 && !c.pushed.Equal(c.Everyone) {
		t.Error("nobody else has changed anything, and what was pushed differs")
	}
	return c.Unknown, c.Foreign
}

// Where etcd has forgotten the last push, others have written since, and nothing of it
// matters: they have made documents alone, or all servers have theirs in force.
func TestSince_Compacted(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	put := func(key, value string) {
		t.Helper()
		if _, err := client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	const documents, servers = string(testMap) + "/documents/", string(testMap) + "/servers/"
	pushed := texts(map[string]string{"a.yaml": "1", "b.yaml": "1"})
	mustPush(t, s, "", pushed)
	if why, foreign := unknown(t, s, client); why != "" || foreign != nil {
		t.Errorf("nothing was written: %q, %q", why, foreign)
	}
	put(documents+"made.yaml", "1")
	if why, foreign := unknown(t, s, client); why != "" || !slices.Equal(foreign, []string{"made.yaml"}) {
		t.Errorf("one was made: %q, %q", why, foreign)
	}
	put(documents+"b.yaml", "2")
	if why, _ := unknown(t, s, client); why == "" {
		t.Error("one was changed, and nobody has announced it")
	}

	everyone := texts(map[string]string{"a.yaml": "1", "b.yaml": "2", "made.yaml": "1"})
	staged := maps.Clone(everyone)
	staged["a.yaml"] = fleet.Document{Value: []byte("staged")}
	put(testMap.Stage("canary")+"a.yaml", "staged")
	for _, tc := range []struct {
		name    string
		servers map[string]fleet.Server
		known   bool
	}{
		{"all have it", map[string]fleet.Server{"ns1": {Push: 1, Digest: everyone.Digest()}, "ns2": {Push: 1, Digest: staged.Digest(), Stage: "canary"}}, true},
		{"with zone files", map[string]fleet.Server{"ns1": {Push: 1, Digest: "zones", Documents: everyone.Digest()}}, true},
		{"one has not", map[string]fleet.Server{"ns1": {Push: 1, Digest: everyone.Digest()}, "ns2": {Push: 1, Digest: pushed.Digest()}}, false},
		{"one of the stage has not", map[string]fleet.Server{"ns1": {Push: 1, Digest: everyone.Digest(), Stage: "canary"}}, false},
		{"one says nothing", map[string]fleet.Server{"ns1": {Push: 1, Digest: everyone.Digest()}, "ns2": {}}, false},
		{"there is none", nil, false},
	} {
		for name, server := range tc.servers {
			put(servers+name, string(server.Encode()))
		}
		if why, foreign := unknown(t, s, client); (why == "") != tc.known || foreign != nil {
			t.Errorf("%s: %q, %q", tc.name, why, foreign)
		}
		if _, err := client.Delete(t.Context(), servers, clientv3.WithPrefix()); err != nil {
			t.Fatal(err)
		}
	}
}

// The number of the next push is known without a write: it is beyond the history of a store
// that went back, and beyond what servers have.
func TestRead_Number(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	mustPush(t, s, "", texts(map[string]string{"a.yaml": "1"}))
	if _, err := cluster.Client().Put(t.Context(), string(testMap)+"/servers/ns1", string(fleet.Server{Push: 7}.Encode())); err != nil {
		t.Fatal(err)
	}
	c, err := s.Read(t.Context(), "")
	if err != nil || c.next != 8 {
		t.Errorf("%d, %v", c.next, err)
	}

	t.Log("somebody writes numbers that are none")
	for _, key := range []string{testMap.Head(), string(testMap) + "/servers/ns1", pieceKey(testMap, math.MaxInt64, 0)} {
		if _, err := cluster.Client().Put(t.Context(), key, string(fleet.Head{Push: math.MaxInt64}.Encode())); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = s.Read(t.Context(), ""); err != nil || c.next != 2 {
		t.Errorf("%d, %v", c.next, err)
	}
	if _, err := cluster.Client().Delete(t.Context(), testMap.Histories(), clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	if c, err = s.Read(t.Context(), ""); err != nil || c.next != 1 {
		t.Errorf("%d, %v", c.next, err)
	}
}
