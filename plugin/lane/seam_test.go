package lane

import (
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
)

// The lane stands on two fields that CoreDNS and caddy do not export. If this fails after
// an update, the lane is off in every build with it: look at how servers are made there,
// mend seam.go, and run the tests in test/lane.
func TestSeam_CoreDNSIsAsKnown(t *testing.T) {
	if _, err := contextOf(new(caddy.Instance)); err != nil {
		t.Error(err)
	}
	s, err := dnsserver.NewServer("dns://:53", []*dnsserver.Config{{Zone: "example.org."}})
	if err != nil {
		t.Fatal(err)
	}
	zones, err := zonesOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(zones["example.org."]) != 1 {
		t.Errorf("a server's zones are read as %v", zones)
	}
}
