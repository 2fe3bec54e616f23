package edge_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/edge"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

var update = flag.Bool("update", false, "write what comes out into the archive")

// world is a map with the records of its zones.
type world struct {
	sources  []mapset.Source
	snapshot *mapset.Snapshot
	files    edge.ZoneFiles
}

func read(t *testing.T, a *txtar.Archive) world {
	t.Helper()
	w := world{files: make(edge.ZoneFiles)}
	doc, errs := mapfile.Parse("maps.yaml", a.Files[0].Data)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	src := mapset.Source{Doc: doc, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
	for _, f := range a.Files[1:] {
		zone, ok := strings.CutPrefix(f.Name, "db.")
		if !ok {
			continue
		}
		apex := fqdn.Name(zone + ".")
		var err error
		if w.files[apex], err = cloudflare.Records(f.Name, f.Data, apex); err != nil {
			t.Fatal(err)
		}
		if src.ZoneFiles[apex], err = zonefile.Parse(f.Name, f.Data, apex); err != nil {
			t.Fatal(err)
		}
	}
	w.sources = []mapset.Source{src}
	if w.snapshot, errs = mapset.Build(w.sources, mapset.Options{}); len(errs) > 0 {
		t.Fatal(errs)
	}
	return w
}

func TestExports(t *testing.T) {
	const path = "testdata/edge.txtar"
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w := read(t, a)
	snis, warnings := edge.SNIs(w.sources)
	servers, more := edge.OriginServers(w.snapshot, w.files)
	addresses := edge.Addresses(w.sources, nil)
	tls := edge.TLS{Certs: "/etc/certs", Port: 443}
	routed := edge.TLS{Certs: "/etc/certs", Port: 443, Routes: "/etc/routes", Names: []string{"extra.example.org"}}
	plain := edge.Upstream{Port: 8080}
	secured := edge.Upstream{Port: 8443, TLS: true, CA: "/etc/ca.pem", HashSizes: true, Resolvers: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}}
	unverified := edge.Upstream{Port: 443, TLS: true}
	some := slices.DeleteFunc(slices.Clone(servers), func(s edge.OriginServer) bool { // one by addresses, one by name
		return s.Name != "*.below.example" && s.Name != "example.org"
	})
	got := map[string]func(*bytes.Buffer) error{
		"warnings": func(b *bytes.Buffer) error {
			_, err := b.WriteString(strings.Join(append(warnings, more...), "\n") + "\n")
			return err
		},
		"sni.json":                   func(b *bytes.Buffer) error { return encode(b, snis) },
		"sni.nginx":                  func(b *bytes.Buffer) error { return edge.WriteNginxSNI(b, snis) },
		"sni.haproxy":                func(b *bytes.Buffer) error { return edge.WriteHAProxySNI(b, addresses, snis, tls) },
		"sni.haproxy.routed":         func(b *bytes.Buffer) error { return edge.WriteHAProxySNI(b, addresses, snis, routed) },
		"sni.envoy":                  func(b *bytes.Buffer) error { return edge.WriteEnvoySNI(b, addresses, snis, tls) },
		"sni.envoy.routed":           func(b *bytes.Buffer) error { return edge.WriteEnvoySNI(b, addresses, nil, routed) },
		"addresses.json":             func(b *bytes.Buffer) error { return encode(b, addresses) },
		"addresses.list":             func(b *bytes.Buffer) error { return edge.WriteList(b, addresses) },
		"addresses.nftables":         func(b *bytes.Buffer) error { return edge.WriteNftables(b, addresses) },
		"addresses.bird":             func(b *bytes.Buffer) error { return edge.WriteBIRD(b, addresses) },
		"addresses.ip":               func(b *bytes.Buffer) error { return edge.WriteIP(b, addresses, "edge0") },
		"origins.json":               func(b *bytes.Buffer) error { return encode(b, servers) },
		"origins.nginx":              func(b *bytes.Buffer) error { return edge.WriteNginxOrigins(b, servers, plain) },
		"origins.nginx.sized":        func(b *bytes.Buffer) error { return edge.WriteNginxOrigins(b, servers[:2], secured) },
		"origins.haproxy":            func(b *bytes.Buffer) error { return edge.WriteHAProxyOrigins(b, servers, plain) },
		"origins.haproxy.secured":    func(b *bytes.Buffer) error { return edge.WriteHAProxyOrigins(b, some, secured) },
		"origins.haproxy.unverified": func(b *bytes.Buffer) error { return edge.WriteHAProxyOrigins(b, servers[:1], unverified) },
		"origins.haproxy-routes":     func(b *bytes.Buffer) error { return edge.WriteHAProxyRoutes(b, servers) },
		"origins.envoy":              func(b *bytes.Buffer) error { return edge.WriteEnvoyOrigins(b, some, plain) },
		"origins.envoy.secured":      func(b *bytes.Buffer) error { return edge.WriteEnvoyOrigins(b, some, secured) },
		"origins.envoy-routes":       func(b *bytes.Buffer) error { return edge.WriteEnvoyRoutes(b, servers) },
	}
	compared := 0
	for i := range a.Files {
		f := &a.Files[i]
		name, ok := strings.CutPrefix(f.Name, "want.")
		if !ok {
			continue
		}
		compared++
		var b bytes.Buffer
		if err := got[name](&b); err != nil {
			t.Fatal(err)
		}
		if *update {
			f.Data = b.Bytes()
		} else if b.String() != string(f.Data) {
			t.Errorf("%s: want\n%s\ngot\n%s", name, f.Data, b.String())
		}
	}
	if *update && compared != len(got) {
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if !slices.ContainsFunc(a.Files, func(f txtar.File) bool { return f.Name == "want."+name }) {
				var b bytes.Buffer
				if err := got[name](&b); err != nil {
					t.Fatal(err)
				}
				a.Files = append(a.Files, txtar.File{Name: "want." + name, Data: b.Bytes()})
				compared++
			}
		}
	}
	if compared != len(got) {
		t.Errorf("want %d outputs in the archive, got %d", len(got), compared)
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func encode[T any](b *bytes.Buffer, v T) error {
	enc := json.NewEncoder(b)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// The directive's anycast is in place of the documents'.
func TestAddresses_Anycast(t *testing.T) {
	doc, errs := mapfile.Parse("maps.yaml", []byte("anycast: [192.0.2.1]\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := netip.MustParseAddr("192.0.2.9")
	got := edge.Addresses([]mapset.Source{{Doc: doc}}, []netip.Addr{want})
	if len(got) != 1 || got[0].Address != want || !got[0].Anycast {
		t.Errorf("want %s alone, got %+v", want, got)
	}
}

// A wildcard's origin ends at a zone of a refused document, of which the snapshot knows
// no more than the name.
func TestOriginServers_Closed(t *testing.T) {
	apex := fqdn.Name("example.org.")
	records, err := cloudflare.Records("db", []byte("*.example.org. 300 IN A 198.51.100.1\n"), apex)
	if err != nil {
		t.Fatal(err)
	}
	theirs := fqdn.Name("example.com.")
	alias, err := cloudflare.Records("db", []byte("www.example.com. 300 IN CNAME www.un.example.org.\n"), theirs)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: &mapfile.Document{
		Anycast: []mapfile.Addr{{IP: netip.MustParseAddr("192.0.2.1")}},
		Accounts: []mapfile.Account{
			{ID: "a", Zones: []mapfile.Zone{{Name: apex, All: true}}},
			{ID: "b", Zones: []mapfile.Zone{{Name: theirs, All: true}}},
		},
	}}}, mapset.Options{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	snapshot = snapshot.Beside(&mapset.Closed{Zones: fqdn.NewSet("un.example.org.", "example.net.")})
	servers, warnings := edge.OriginServers(snapshot, edge.ZoneFiles{apex: records, theirs: alias})
	want := []string{"*.un.example.org", "un.example.org"}
	if len(servers) != 1 || !slices.Equal(servers[0].Except, want) {
		t.Errorf("want one origin except for %v, got %+v", want, servers)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "www.un.example.org\", whose zone is in a refused document") {
		t.Errorf("want a warning about the alias into the closed zone, got %q", warnings)
	}
}

// A name in Unicode is the A-labels that clients send (RFC 6066, section 3).
func TestSNIs_Unicode(t *testing.T) {
	for text, want := range map[string]string{"*.Bücher.example.": "*.xn--bcher-kva.example", "名前.example": "xn--ldr85b.example", "\u202e.example": "", "a b.example": ""} {
		m := mapfile.AddressMap{ID: "m", DefaultSNI: text, IPs: []mapfile.Addr{{IP: netip.MustParseAddr("203.0.113.1")}}}
		snis, warnings := edge.SNIs([]mapset.Source{{Doc: &mapfile.Document{Accounts: []mapfile.Account{{ID: "a", Maps: []mapfile.AddressMap{m}}}}}})
		if want == "" {
			if len(snis) != 0 || len(warnings) != 1 {
				t.Errorf("%q: want a warning, got %v, %q", text, snis, warnings)
			}
		} else if len(snis) != 1 || snis[0].Name != want {
			t.Errorf("%q: want %s, got %v, %q", text, want, snis, warnings)
		}
	}
}

// A path is one word of HAProxy's configuration, and one argument in parentheses; the
// acceptance run has HAProxy load it.
func TestHAProxy_Paths(t *testing.T) {
	var b bytes.Buffer
	addresses := []edge.Address{{Address: netip.MustParseAddr("192.0.2.1"), Anycast: true}}
	if err := edge.WriteHAProxySNI(&b, addresses, nil, edge.TLS{Certs: `/a b#'"`, Port: 443, Routes: `/a b,)"\c`}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{` ssl crt /a\ b\#\'\"/ strict-sni`, `map_str(\"/a\ b,)\\\"\\\\c\")` + "\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %s, got\n%s", want, b.String())
		}
	}
	b.Reset()
	origins := []edge.OriginServer{{Name: "www.example.org", Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}}
	if err := edge.WriteHAProxyOrigins(&b, origins, edge.Upstream{Port: 443, TLS: true, CA: "/a b"}); err != nil || !strings.Contains(b.String(), ` ca-file /a\ b sni `) {
		t.Errorf("got %v\n%s", err, b.String())
	}
}

// Whatever a tenant writes as default_sni, or as a name in a zone file, a line of
// the configuration has no more than the two words that it should have.
func FuzzNothingSlipsThrough(f *testing.F) {
	f.Add("*.example.org", "www")
	f.Add("x\";} include /etc/passwd;", "a\\;b")
	f.Add("a b", "include")
	f.Fuzz(func(t *testing.T, sni, owner string) {
		var b bytes.Buffer
		m := mapfile.AddressMap{ID: "m", DefaultSNI: sni, IPs: []mapfile.Addr{{IP: netip.MustParseAddr("203.0.113.1")}}}
		snis, _ := edge.SNIs([]mapset.Source{{Doc: &mapfile.Document{Accounts: []mapfile.Account{{ID: "a", Maps: []mapfile.AddressMap{m}}}}}})
		if err := edge.WriteNginxSNI(&b, snis); err != nil {
			t.Fatal(err)
		}
		apex := fqdn.Name("example.org.")
		records, err := cloudflare.Records("db", []byte(owner+" 300 IN A 198.51.100.1\n"), apex)
		if err != nil {
			records = nil
		}
		snapshot, errs := mapset.Build([]mapset.Source{{Doc: &mapfile.Document{
			Anycast:  []mapfile.Addr{{IP: netip.MustParseAddr("192.0.2.1")}},
			Accounts: []mapfile.Account{{ID: "a", Zones: []mapfile.Zone{{Name: apex, All: true, IPv6: true}}}},
		}}}, mapset.Options{})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		servers, _ := edge.OriginServers(snapshot, edge.ZoneFiles{apex: records})
		if err := edge.WriteNginxOrigins(&b, servers, edge.Upstream{Port: 80}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			words := strings.Fields(strings.TrimSuffix(line, ";"))
			known := strings.HasPrefix(line, "#") || strings.HasPrefix(line, "map $") || slices.Contains([]string{"}", "    hostnames;"}, line)
			if !known && (len(words) != 2 || !strings.HasSuffix(line, ";") || strings.ContainsAny(strings.Join(words, ""), `;{}'#$`)) {
				t.Errorf("line %q of\n%s", line, b.String())
			}
		}
	})
}
