package kubernetes

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/test/etcd"
)

// The Corefile has the password of etcd as a variable of the container, which is a word of its
// own whatever is in it.
func TestEtcd_Password(t *testing.T) {
	const password = `of {root} "and" # nobody`
	cluster := etcd.Start(t, 1)
	client := cluster.Client()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, do := range []func() (any, error){
		func() (any, error) {
			return client.Put(ctx, "/addressmap/documents/maps.yaml", edit("192.0.2.1")["maps.yaml"])
		},
		func() (any, error) { return client.UserAdd(ctx, "root", password) },
		func() (any, error) { return client.RoleAdd(ctx, "root") },
		func() (any, error) { return client.UserGrantRole(ctx, "root", "root") },
		func() (any, error) { return client.AuthEnable(ctx) },
	} {
		if _, err := do(); err != nil {
			t.Fatal(err)
		}
	}

	p := schedule(t, "../../packaging/kubernetes/manifests/etcd.yaml")
	zone := filepath.Join(p.root, "db.example.org")
	if err := os.WriteFile(zone, []byte("$ORIGIN example.org.\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n  IN NS ns1\nns1 IN A 192.0.2.3\nwww IN A 198.51.100.11\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	volume := p.volumes["/etc/addressmap/corefile"]
	corefile, err := os.ReadFile(volume.Dir + "/Corefile")
	if err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer("https://etcd.etcd.svc:2379", cluster.Endpoints()[0], "tls /etc/addressmap/etcd/ca.crt", "", "forward . 198.51.100.54", "file "+zone)
	volume.Publish(t, map[string]string{"Corefile": here.Replace(string(corefile))})

	t.Setenv("ETCD_USER", "root")
	t.Setenv("ETCD_PASSWORD", "another")
	if err := p.run(); err == nil || !strings.Contains(err.Error(), "authentication failed") {
		t.Fatalf("want another password refused, got %v", err)
	}
	t.Setenv("ETCD_PASSWORD", password)
	p.start()
	p.is("www.example.org.", "192.0.2.1")
	p.Stop(t)
}
