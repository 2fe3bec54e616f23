package property

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// The backend is another CoreDNS, which follows aliases from zone to zone.
func TestProperty_ForwardToCoreDNS(t *testing.T) {
	worlds(t, *propertyZones/4, backing{lax: true}, func(t *testing.T, w *world) func([]string) string {
		var blocks strings.Builder
		for _, z := range w.zones {
			fmt.Fprintf(&blocks, "%s {\n    bind 127.0.0.1\n%s}\n", z.apex, w.fromFiles([]string{z.apex}))
		}
		return forwarding(server.Start(t, blocks.String(), nil).Addr("udp"))
	})
}

// The backend is NSD, which knows nothing of CoreDNS's habits.
func TestProperty_ForwardToNSD(t *testing.T) {
	if _, err := exec.LookPath("nsd"); err != nil {
		t.Skip("SKIPPED: nsd is not installed (Debian package nsd): what leaves of its responses is not tested")
	}
	worlds(t, *propertyZones/4, backing{}, func(t *testing.T, w *world) func([]string) string { return forwarding(startNSD(t, w)) })
}

func forwarding(addr string) func([]string) string {
	return func([]string) string { return "    forward . " + addr + "\n" }
}

// startNSD runs NSD with the zones of the world and returns its address.
func startNSD(t testing.TB, w *world) string {
	t.Helper()
	port := server.FreePort(t)
	addr := net.JoinHostPort("127.0.0.1", port)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("server:\n  ip-address: 127.0.0.1@%s\n  username: \"\"\n  zonesdir: %q\n  pidfile: \"\"\n  zonelistfile: %q\n  xfrdfile: \"\"\n  database: \"\"\n  verbosity: 0\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\nremote-control:\n  control-enable: no\n",
		port, dir, filepath.Join(dir, "zone.list"))
	for _, z := range w.zones {
		conf += fmt.Sprintf("zone:\n  name: %q\n  zonefile: %q\n  provide-xfr: 127.0.0.1 NOKEY\n", z.apex, z.name())
	}
	server.WriteFile(t, "nsd.conf", conf)
	cmd := exec.Command("nsd", "-d", "-c", filepath.Join(dir, "nsd.conf"))
	out := new(server.Log)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	last := w.zones[len(w.zones)-1].apex
	server.Eventually(t, "an answer of NSD", func() bool {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion(last, dns.TypeSOA), addr)
		if err == nil && m.Rcode != dns.RcodeSuccess {
			t.Fatalf("NSD: %s\n%s", m, out)
		}
		return err == nil
	})
	return addr
}
