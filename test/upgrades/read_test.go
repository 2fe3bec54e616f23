package upgrades

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/push"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

// begin starts a server that ends with the test, or before.
func begin(t *testing.T, corefile string) *server.Server {
	t.Helper()
	s, err := server.TryStart(t, corefile, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log)
	}
	return s
}

// The files of a version mean what they have meant, and nothing is said about them.
func TestRead_Files(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		s := begin(t, read(t, "Corefile"))
		hold(t, s, dir, false, "answers")
		if said := s.Log.Complaints(); len(said) > 0 {
			t.Errorf("said: %q", said)
		}
	})
}

// The state of a version answers what it has answered, where the files are spoilt since, and
// its serials go on.
func TestRead_State(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		placeState(t, dir)
		spoil(t)
		s := begin(t, read(t, "Corefile"))
		hold(t, s, dir, false, "answers", "serials")
	})
}

// The same of a map in etcd, which is away.
func TestRead_StateOfEtcd(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		placeState(t, dir)
		spoil(t)
		t.Setenv("ENDPOINT", "http://127.0.0.1:"+server.FreePort(t))
		s := begin(t, read(t, "Corefile.etcd"))
		hold(t, s, dir, false, "answers", "serials")
	})
}

// The keys of a version mean what they have meant, and its history is there to go back by.
func TestRead_Etcd(t *testing.T) {
	cluster := etcd.Start(t, 1)
	client := cluster.Client()
	eachVersion(t, func(t *testing.T, dir string) {
		_, err := client.Delete(t.Context(), string(etcdMap), clientv3.WithPrefix())
		must(t, err)
		putKeys(t, client, dir)
		store, err := push.Open(t.Context(), fleet.Connection{Endpoints: cluster.Endpoints()}, etcdMap)
		must(t, err)
		defer store.Close()
		servers, _, err := store.Servers(t.Context())
		if err != nil || len(servers) != 1 || servers[0].Degraded || servers[0].Push < 3 {
			t.Errorf("the server that was: %+v, %v", servers, err)
		}
		_, err = client.Delete(t.Context(), etcdMap.Servers(), clientv3.WithPrefix())
		must(t, err)
		t.Setenv("ENDPOINT", cluster.Endpoints()[0])
		s := begin(t, read(t, "Corefile.etcd"))
		hold(t, s, dir, false, "answers")

		history, err := store.History(t.Context())
		must(t, err)
		if got, want := printed(history), read(t, filepath.Join(dir, "history")); got != want {
			t.Errorf("history\n%swant\n%s", got, want)
		}
		contents, err := store.ReadToWrite(t.Context(), "canary")
		must(t, err)
		if len(contents.Stage) == 0 {
			t.Error("the stage has no documents")
		}
		contents, err = store.ReadToWrite(t.Context(), "")
		must(t, err)
		change, warning, err := store.Rollback(t.Context(), contents, 1)
		if err != nil || warning != "" || !change.Empty() {
			t.Errorf("rollback to push 1, which had the same documents: %+v, %q, %v", change, warning, err)
		}
	})
}

// putKeys puts the keys of a version into etcd, at one revision as a push does.
func putKeys(t *testing.T, client *clientv3.Client, dir string) {
	t.Helper()
	var ops []clientv3.Op
	for line := range strings.Lines(read(t, filepath.Join(dir, "etcd"))) {
		key, err := strconv.QuotedPrefix(line)
		must(t, err)
		value, err := strconv.Unquote(strings.TrimSpace(line[len(key):]))
		must(t, err)
		key, err = strconv.Unquote(key)
		must(t, err)
		ops = append(ops, clientv3.OpPut(key, value))
	}
	_, err := client.Txn(t.Context()).Then(ops...).Commit()
	must(t, err)
}

// Every key that a map or a file of drains can have is in what is kept of some version: one that is new is added
// to the files of the next.
func TestRead_EveryKey(t *testing.T) {
	var all strings.Builder
	for _, dir := range versions(t) {
		for path, text := range files(t, filepath.Join(dir, "files")) {
			if filepath.Ext(path) == ".yaml" {
				all.WriteString(text)
			}
		}
	}
	for _, key := range slices.Concat(keysOf(t, mapfile.Schema), keysOf(t, drain.Schema)) {
		if !strings.Contains(all.String(), key+":") {
			t.Errorf("nothing in %s has the key %q: write the next version, as docs/upgrades.md says", kept, key)
		}
	}
}

// keysOf returns the names of all properties of a JSON Schema.
func keysOf(t *testing.T, schema []byte) (out []string) {
	t.Helper()
	var root any
	must(t, json.Unmarshal(schema, &root))
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			for name := range properties {
				out = append(out, name)
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(root)
	slices.Sort(out)
	return slices.Compact(out)
}
