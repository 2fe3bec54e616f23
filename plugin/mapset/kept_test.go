package mapset

import (
	"net/netip"
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

// What is kept of a document is all of it but its text and most of its marks.
func TestKept_Document(t *testing.T) {
	doc := parsed(t, everything)
	want := *doc
	want.Forget()
	want.HasAllZones = false // of a document that was refused
	want.Accounts = []mapfile.Account{doc.Accounts[0]}
	want.Accounts[0].Zones = append([]mapfile.Zone(nil), doc.Accounts[0].Zones...)
	limitedTo := 0
	for i := range want.Accounts[0].Zones {
		z := &want.Accounts[0].Zones[i]
		z.Marks = limited(z.Marks)
		limitedTo += len(z.Marks)
	}
	if limitedTo != 2 {
		t.Fatalf("%d marks are kept, want 2", limitedTo)
	}
	got := keep(doc).document()
	if !reflect.DeepEqual(withoutEmpty(got), withoutEmpty(&want)) {
		t.Errorf("got\n%+v\nwant\n%+v", got, &want)
	}
}

// There may be any number of things.
func TestKept_LongLists(t *testing.T) {
	const many = 200_000
	a := mapfile.Account{ID: "acme", Zones: []mapfile.Zone{{Name: "example.org."}}}
	for range many {
		a.StaticIPs = append(a.StaticIPs, mapfile.Addr{IP: netip.AddrFrom4([4]byte{192, 0, 2, 1})})
		a.Zones[0].Marks = append(a.Zones[0].Marks, mapfile.Mark{Owner: "www.example.org.", V4Only: true})
	}
	got := keep(&mapfile.Document{Accounts: []mapfile.Account{a}}).document()
	if ips, marks := len(got.Accounts[0].StaticIPs), len(got.Accounts[0].Zones[0].Marks); ips != many || marks != many {
		t.Errorf("%d addresses and %d marks are kept, want %d of each", ips, marks, many)
	}
}

// The name of a file need not be UTF-8.
func TestKept_AnyName(t *testing.T) {
	for _, name := range []string{"maps.yaml", "\xff.yaml", "", "\x00"} {
		if got := keep(&mapfile.Document{Name: name}).document().Name; got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

// withoutEmpty makes no difference between no list and an empty one.
func withoutEmpty(doc *mapfile.Document) *mapfile.Document {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[netip.Addr](), v.Type() == reflect.TypeFor[netip.Prefix]():
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(v.Elem())
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					walk(v.Field(i))
				}
			}
		case v.Kind() == reflect.Slice && v.Len() == 0:
			v.SetZero()
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(doc))
	return doc
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

// Clones of what a set claims are cheap from the first one on.
func TestSet_Settles(t *testing.T) {
	set, errs := NewSet(Options{}).Update([]Source{{Doc: parsed(t, everything)}}, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if n := len(set.reg.accounts.over) + len(set.reg.maps.over) + len(set.reg.apps.over) + len(set.reg.statics.over); n > 0 {
		t.Errorf("%d claims are to be copied for each change, want none", n)
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
	if changed := next.Follow(old, nil); len(changed) != 1 {
		t.Fatalf("changed: %v, want one zone", changed)
	}
	within := func(name fqdn.Name, text string) bool {
		at, from := uintptr(unsafe.Pointer(unsafe.StringData(string(name)))), uintptr(unsafe.Pointer(unsafe.StringData(text)))
		return at >= from && at < from+uintptr(len(text))
	}
	for name := range next.Serials() {
		for _, s := range []*Snapshot{old, next} {
			for _, b := range s.zones.blocks {
				if within(name, b.records) {
					t.Errorf("the counter of %s holds on to the records of a snapshot", name)
				}
			}
		}
	}
}
