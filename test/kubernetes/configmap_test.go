package kubernetes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

const (
	quickstart = "../../packaging/kubernetes/manifests/quickstart.yaml"
	mapVolume  = "/etc/addressmap/map"
)

// edit returns the documents with other anycast addresses.
func edit(anycast string) map[string]string {
	return map[string]string{"maps.yaml": "anycast: [" + anycast + "]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [\"@\", www]}]}]\n"}
}

// addresses returns the addresses of a name, or the code of the response.
func (p *pod) addresses(name string) string {
	p.t.Helper()
	resp := p.Lookup(p.t, name, dns.TypeA)
	if resp.Rcode != dns.RcodeSuccess {
		return dns.RcodeToString[resp.Rcode]
	}
	var list []string
	for _, rr := range resp.Answer {
		list = append(list, rr.(*dns.A).A.String())
	}
	return strings.Join(list, " ")
}

// becomes waits until a name has other addresses, and wants the old ones until then.
func (p *pod) becomes(name, old, next string) {
	p.t.Helper()
	server.Eventually(p.t, name+" is "+next, func() bool {
		got := p.addresses(name)
		if got != old && got != next {
			p.t.Fatalf("%s: want %s or %s, got %s", name, old, next, got)
		}
		return got == next
	})
}

// is wants addresses of a name.
func (p *pod) is(name, want string) {
	p.t.Helper()
	if got := p.addresses(name); got != want {
		p.t.Errorf("%s: want %s, got %s\n%s", name, want, got, p.Log)
	}
}

// refused publishes documents that cannot be in force, and waits until the server says so.
func (p *pod) refused(files map[string]string) {
	p.t.Helper()
	p.volumes[mapVolume].Publish(p.t, files)
	server.Eventually(p.t, "degraded", p.degraded)
	if says := p.Log.Complaints(); !slices.ContainsFunc(says, func(line string) bool {
		return strings.Contains(line, "is refused, its last good version stays in force") && strings.Contains(line, "maps.yaml:1:11: V2")
	}) {
		p.t.Errorf("log %q", says)
	}
}

// What an edit of the ConfigMap does: a good one is answered, of a bad one nothing is, also
// by a pod that takes the place of another with its volume.
func TestConfigMap(t *testing.T) {
	p := schedule(t, quickstart)
	p.start()
	p.is("www.example.org.", "192.0.2.1")
	p.is("mail.example.org.", "198.51.100.12")
	p.volumes[mapVolume].Publish(t, edit("192.0.2.2"))
	p.becomes("www.example.org.", "192.0.2.1", "192.0.2.2")

	p.refused(edit("192.0.2.300"))
	p.is("www.example.org.", "192.0.2.2")
	if status, _ := server.Get(t, p.port("ready"), "/ready"); status != 200 {
		t.Errorf("a pod that answers is not ready: %d", status)
	}

	p.Stop(t)
	p.start()
	p.is("www.example.org.", "192.0.2.2")

	p.volumes[mapVolume].Publish(t, edit("192.0.2.3"))
	p.becomes("www.example.org.", "192.0.2.2", "192.0.2.3")
	server.Eventually(t, "no longer degraded", func() bool { return !p.degraded() })
	p.Stop(t)
}

// A pod without the state of another does not start beside a bad edit: it answers nobody with
// origins, and does once the edit is put right.
func TestConfigMap_NoState(t *testing.T) {
	p := schedule(t, quickstart)
	p.start()
	p.refused(edit("192.0.2.300"))
	p.Stop(t)
	if err := os.RemoveAll(filepath.Join(p.root, "/var/lib/addressmap/state")); err != nil {
		t.Fatal(err)
	}
	if err := p.run(); err == nil || !strings.Contains(err.Error(), "maps.yaml:1:11: V2") {
		t.Fatalf("want the mistake, got %v", err)
	}
	p.volumes[mapVolume].Publish(t, edit("192.0.2.3"))
	p.start()
	p.is("www.example.org.", "192.0.2.3")
	p.Stop(t)
}

// A zone file that is missing keeps no pod from being ready, and a name that is not proxied says so.
func TestZoneFile_Missing(t *testing.T) {
	p := schedule(t, quickstart)
	p.volumes["/etc/addressmap/zones"].Publish(t, nil)
	p.start()
	p.is("ns1.example.org.", "SERVFAIL")
	p.Stop(t)
}
