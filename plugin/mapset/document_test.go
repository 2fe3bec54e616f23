package mapset

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

func parsed(t *testing.T, text string) *mapfile.Document {
	t.Helper()
	doc, errs := mapfile.Parse("maps.yaml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return doc
}

const everything = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    name: ACME
    byoip_only: false
    prefixes: [198.51.100.0/24, {cidr: "2001:db8:1::/48", advertised: false}]
    static_ips: [203.0.113.7]
    zones:
      - name: example.org
        id: 0123456789abcdef0123456789abcdef
        proxied: [www, {name: four, ipv4_only: true}, {name: six, ipv6_only: true}]
      - {name: example.net, proxied: all}
      - {name: example.com}
    address_maps:
      - id: m1
        enabled: true
        can_delete: false
        default_sni: sni.example.org
        ips: [198.51.100.1, 203.0.113.7, "2001:db8:1::1"]
        memberships: [{kind: zone, identifier: example.org}, {kind: account, identifier: acme}]
    spectrum_apps:
      - {dns: {type: ADDRESS, name: app.example.com}, edge_ips: {type: static, ips: [203.0.113.7]}}
`

// What compiling a document again needs is all of it but its text and most of its
// marks, and the document itself stays as it is.
func TestWithoutMarks(t *testing.T) {
	doc, want := parsed(t, everything), parsed(t, everything)
	zones := want.Accounts[0].Zones
	if zones[0].Name != "example.org." || len(zones[0].Marks) != 3 {
		t.Fatalf("the marks of %s are %v", zones[0].Name, zones[0].Marks)
	}
	zones[0].Marks = zones[0].Marks[1:] // those limited to a family
	want.Forget()
	if got := withoutMarks(doc); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if !reflect.DeepEqual(doc, parsed(t, everything)) {
		t.Error("the document has changed")
	}
}

// A zone of which only an application is proxied has proxied names.
func TestHasProxied_ApplicationAlone(t *testing.T) {
	snap, errs := Build([]Source{{Doc: parsed(t, everything)}}, Options{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if !snap.HasProxied("example.com.") || !snap.AnyProxied("example.com.") || len(snap.ProxiedZones()) != 3 {
		t.Errorf("example.com. is not said to have proxied names; those that are: %v", snap.ProxiedZones())
	}
}

// TestAnyProxied: what a zone of the backend may hold is that of a zone around it, of
// itself, or of one below it.
func TestAnyProxied(t *testing.T) {
	snap, errs := Build([]Source{{Doc: parsed(t, `
anycast: [192.0.2.1]
accounts:
  - id: acme
    zones:
      - {name: a.b.example.org, proxied: [www]}
      - {name: example.org}
      - {name: plain.example.net}
      - {name: example.net, proxied: [www]}
      - {name: deep.example.edu}
`)}}, Options{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for apex, want := range map[fqdn.Name]bool{
		"a.b.example.org.": true, "x.a.b.example.org.": true, "b.example.org.": true, "example.org.": true, "org.": true, ".": true,
		"c.example.org.": false, "x.b.example.org.": false, "xb.example.org.": false,
		"example.net.": true, "net.": true, "plain.example.net.": true, "x.plain.example.net.": true,
		"deep.example.edu.": false, "example.edu.": false, "edu.": false, "": false,
	} {
		for turn := range 2 {
			if got := snap.AnyProxied(apex); got != want {
				t.Errorf("%q, turn %d: got %t, want %t", apex, turn+1, got, want)
			}
		}
	}
}

// Counters outlast snapshots, and must not hold on to their texts.
func TestFollow_OwnNames(t *testing.T) {
	build := func(ip string) *Snapshot {
		text := "anycast: [" + ip + "]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: all}]}\n"
		snap, errs := Build([]Source{{Doc: parsed(t, text)}}, Options{})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return snap
	}
	old, next := build("192.0.2.1"), build("192.0.2.2")
	changed := next.Follow(old, nil)
	if len(changed) != 1 {
		t.Fatalf("changed: %v, want one zone", changed)
	}
	data := func(n fqdn.Name) *byte { return unsafe.StringData(string(n)) }
	for name := range next.Serials() {
		for _, apex := range []fqdn.Name{changed[0], old.zones[name].apex, next.zones[name].apex} {
			if data(name) == data(apex) {
				t.Errorf("the counter of %s holds on to the text of a snapshot", name)
			}
		}
	}
}
