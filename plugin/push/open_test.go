package push

import (
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/ports"
)

func TestOpen_Refused(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	client := cluster.Client()
	mustPush(t, open(t, cluster.Endpoints()), "", texts(map[string]string{"a.yaml": "1"}))
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"root", "reader"} {
		_, err := client.RoleAdd(ctx, user)
		must(err)
		_, err = client.UserAdd(ctx, user, "secret")
		must(err)
		_, err = client.UserGrantRole(ctx, user, user)
		must(err)
	}
	_, err := client.RoleGrantPermission(ctx, "reader", "/test/", clientv3.GetPrefixRangeEnd("/test/"), clientv3.PermissionType(clientv3.PermRead))
	must(err)
	_, err = client.AuthEnable(ctx)
	must(err)

	for name, tc := range map[string]struct {
		connection fleet.Connection
		want       string
	}{
		"no user":        {fleet.Connection{Endpoints: cluster.Endpoints()}, "user name is empty"},
		"wrong password": {fleet.Connection{Endpoints: cluster.Endpoints(), Username: "reader", Password: "wrong"}, "authentication failed"},
		"nobody there":   {fleet.Connection{Endpoints: []string{"http://" + unused(t)}}, "does not answer"},
		"no certificate": {fleet.Connection{Endpoints: []string{"https://" + unused(t)}, CA: "nowhere.pem"}, "nowhere.pem"},
	} {
		if _, err := Open(ctx, tc.connection, testMap); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := Open(ctx, fleet.Connection{Endpoints: cluster.Endpoints(), Username: "reader", Password: "secret"}, testMap)
	must(err)
	defer s.Close()
	want(t, s, texts(map[string]string{"a.yaml": "1"}))
	for _, documents := range []fleet.Documents{many(3, "2"), many(300, "2")} {
		_, err := pushTo(ctx, s, "", func(c *Contents) (*Change, error) { return c.Push(documents, true) })
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%v", err)
		}
	}
	want(t, s, texts(map[string]string{"a.yaml": "1"}))
}

// An etcd of which most nodes are gone says that the time is up in words of its own.
func TestOpen_WithoutMajority(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 3)
	for _, n := range cluster.Nodes[1:] {
		n.Kill()
	}
	_, err := Open(t.Context(), fleet.Connection{Endpoints: cluster.Endpoints()[:1]}, testMap)
	if err == nil || !strings.Contains(err.Error(), "etcd does not answer at ") {
		t.Error(err)
	}
}

// unused returns an address at which nobody listens.
func unused(t *testing.T) string {
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + port
}
