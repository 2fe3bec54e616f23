package upgrades

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/push"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

var write = flag.String("write", "", "a version, such as v0.2.0: write what this program writes to its directory of testdata/upgrades")

// TestWrite writes what is kept of a version. Its files and dialogues are those of the version
// before, unless they are there already, with what is new added by hand.
func TestWrite(t *testing.T) {
	if *write == "" {
		t.Skip("only with -write VERSION, before a release")
	}
	dir, err := filepath.Abs(filepath.Join(kept, *write))
	must(t, err)
	if _, err := os.Stat(dir); err != nil {
		before := versions(t)
		before = slices.DeleteFunc(before, func(v string) bool { return v == dir })
		for _, name := range []string{"files", "answers", "serials"} {
			must(t, os.MkdirAll(dir, 0o777))
			copyTo(t, filepath.Join(before[len(before)-1], name), filepath.Join(dir, name))
		}
	}
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	cluster := etcd.Start(t, 1)
	place(t, dir)
	s := server.New(t)
	must(t, s.Begin(read(t, "Corefile")))
	edit(t, s, func(text string) { server.WriteFile(t, "maps/acme.yaml", text) })
	hold(t, s, dir, true, "answers", "serials")
	must(t, s.Close())

	t.Setenv("ENDPOINT", cluster.Endpoints()[0])
	store, err := push.Open(t.Context(), fleet.Connection{Endpoints: cluster.Endpoints()}, etcdMap)
	must(t, err)
	defer store.Close()
	client := cluster.Client()
	for path, text := range files(t, "drains") {
		_, err := client.Put(t.Context(), etcdMap.Drains()+filepath.Base(path), text)
		must(t, err)
	}
	pushed := func(text, stage string) {
		documents := fleet.Documents{"acme.yaml": {Value: []byte(text)}, "base.yaml": {Value: []byte(read(t, "maps/base.yaml"))}}
		contents, err := store.ReadToWrite(t.Context(), stage)
		must(t, err)
		change, err := contents.Push(documents, true)
		must(t, err)
		_, err = store.Write(t.Context(), change, push.Note{By: "ana@ns1", Message: "a message", Keep: push.DefaultKeep})
		must(t, err)
	}
	pushed(read(t, "maps/acme.yaml"), "")
	must(t, s.Begin(read(t, "Corefile.etcd")))
	edit(t, s, func(text string) { pushed(text, "") })
	hold(t, s, dir, false, "answers", "serials")
	pushed("accounts: []\n", "canary")
	writeKeys(t, client, dir)
	must(t, s.Close())
	history, err := store.History(t.Context())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "history"), []byte(printed(history)), 0o666))

	for _, m := range mapPaths {
		to := filepath.Join(dir, "state", filepath.Base(m))
		must(t, os.CopyFS(to, os.DirFS(stateOf(t, m))))
	}
}

// edit changes the map and changes it back: the serials go on.
func edit(t *testing.T, s *server.Server, put func(text string)) {
	t.Helper()
	const name, was, other = "ssh.example.org.", "203.0.113.22", "203.0.113.23"
	text := read(t, "maps/acme.yaml")
	await := func(address string) {
		server.Eventually(t, name+" is answered with "+address, func() bool { return s.AddressesOf(t, name) == "NOERROR "+address })
	}
	await(was)
	put(strings.ReplaceAll(text, was, other))
	await(other)
	put(text)
	await(was)
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		must(t, os.CopyFS(to, os.DirFS(from)))
		return
	}
	must(t, os.WriteFile(to, []byte(read(t, from)), 0o666))
}

// writeKeys writes the keys of etcd.
func writeKeys(t *testing.T, client *clientv3.Client, dir string) {
	t.Helper()
	resp, err := client.Get(t.Context(), string(etcdMap)+"/", clientv3.WithPrefix())
	must(t, err)
	var text strings.Builder
	for _, kv := range resp.Kvs {
		fmt.Fprintf(&text, "%q %q\n", kv.Key, kv.Value)
	}
	must(t, os.WriteFile(filepath.Join(dir, "etcd"), []byte(text.String()), 0o666))
}

// printed is what a version tells of its history.
func printed(history []push.Entry) string {
	var text strings.Builder
	for _, e := range history {
		fmt.Fprintf(&text, "push %d of %q by %s: %s; digest %s, %d changed, %d replaced\n",
			e.Head.Push, e.Head.Stage, e.Head.By, e.Head.Message, e.Head.Digest, e.Changed, e.Replaced)
	}
	return text.String()
}
