package property

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// worlds holds worlds of one backing until that many zones were asked. start gives
// the server blocks' lines, for a world that lies in the working directory.
func worlds(t *testing.T, zones int, b backing, start func(t *testing.T, w *world) func(zones []string) string) {
	t.Helper()
	if testing.Short() {
		zones /= 2
	}
	var total figures
	for seed := *propertySeed; total.zones < zones && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := newWorld(rand.NewPCG(seed, 1), b)
			w.place(t)
			total.add(w.hold(t, start(t, w), w.questions()))
		})
	}
	t.Log(total)
}

// Nothing leaves, whoever has the zones.
func TestProperty_File(t *testing.T) {
	worlds(t, *propertyZones, backing{tells: true, lax: true}, func(_ *testing.T, w *world) func([]string) string { return w.fromFiles })
}

func TestProperty_Hosts(t *testing.T) {
	worlds(t, *propertyZones/4, backing{kinds: []kind{kindHost, kindHost6}, bare: true}, func(t *testing.T, w *world) func([]string) string {
		var text strings.Builder
		for _, z := range w.zones {
			for _, rr := range z.rrs {
				switch rr := rr.(type) {
				case *dns.A:
					fmt.Fprintln(&text, rr.A, rr.Hdr.Name)
				case *dns.AAAA:
					fmt.Fprintln(&text, rr.AAAA, rr.Hdr.Name)
				}
			}
		}
		server.WriteFile(t, "hosts", text.String())
		return func(zones []string) string {
			return fmt.Sprintf("    hosts hosts %s {\n        no_reverse\n        reload 0\n    }\n", strings.Join(zones, " "))
		}
	})
}
