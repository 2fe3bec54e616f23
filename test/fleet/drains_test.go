package fleet

import (
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/test/server"
)

// A key of drains takes an address out of the answers for as long as it is there. One that
// is refused leaves the last good entries in force.
func TestFleet_Drains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	const all, left = "NOERROR 192.0.2.1 198.51.100.1 203.0.113.1", "NOERROR 192.0.2.1 203.0.113.1"
	answers := func(what, want string) {
		t.Helper()
		server.Eventually(t, what, func() bool { return w.AddressesOf(t, "www.example.org.") == want })
	}
	answers("all addresses", all)
	key := w.m.Drains() + "ana"
	put := func(text string) { t.Helper(); w.commit(clientv3.OpPut(key, text)) }
	put("drains: [{addresses: [198.51.100.0/24], reason: fibre cut, until: 2199-01-01T00:00:00Z}]\n")
	answers("none is answered with the drained address", left)
	w.shows("drained_addresses", 1)
	put("drains: [{adresses: [192.0.2.0/24]}]\n")
	w.logs(`unknown key "adresses"`)
	w.shows("degraded", 1)
	answers("the last good entries stay", left)
	w.commit(clientv3.OpDelete(key))
	answers("the drain ends with its key", all)
	w.shows("drained_addresses", 0)
	w.shows("degraded", 0)
	if n := w.logged("drain ended: 198.51.100.0/24"); n != 1 {
		t.Errorf("%d lines that the drain has ended, want 1", n)
	}
}
