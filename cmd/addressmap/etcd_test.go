package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

// The scripts run the command with a real etcd at $ETCD. Each has a map of its own,
// $MAP.
func TestScript_Etcd(t *testing.T) {
	cluster := etcd.Start(t, 1)
	client := cluster.Client()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/etcd",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("FORGED", "x\nforged.yaml")
			env.Setenv("ETCD", cluster.Nodes[0].Endpoint)
			env.Setenv("MAP", "etcd:/"+env.T().(interface{ Name() string }).Name())
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await": await,
			"put":   func(ts *testscript.TestScript, neg bool, args []string) { put(ts, client, neg, args) },
		},
	})
}

// put KEY TEXT puts a key of the map, below its path, and ! put KEY deletes it.
func put(ts *testscript.TestScript, client *clientv3.Client, deleted bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	key := ts.Getenv("MAP")[len("etcd:"):] + "/" + args[0]
	var err error
	if deleted {
		_, err = client.Delete(ctx, key)
	} else {
		_, err = client.Put(ctx, key, args[1])
	}
	ts.Check(err)
}

// A command that is printed reaches the same etcd, and says no password.
func TestEtcdFlags_At(t *testing.T) {
	flags := etcdFlags{credentials: "who", connection: fleet.Connection{
		Endpoints: []string{"https://a.example:2379", "https://ana:secret@b.example:2379", "ana:secret@c.example:2379"}, Cert: "c.pem", Key: "k.pem", CA: "ca.pem",
	}}
	const want = "etcd:/m --endpoint https://a.example:2379 --endpoint https://b.example:2379 --endpoint c.example:2379" +
		" --credentials who --tls-cert c.pem --tls-key k.pem --tls-ca ca.pem"
	if got := flags.at("etcd:/m"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := flags.at("maps.yaml"); got != "maps.yaml" {
		t.Errorf("a file got flags: %s", got)
	}
}
