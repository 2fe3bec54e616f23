package mapfile

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// goodDocument parses a sample of the archive of good documents, and forgets the
// places if asked to.
func goodDocument(t *testing.T, name string, places bool) *Document {
	t.Helper()
	for _, s := range samples(t, "good") {
		if s.name != name {
			continue
		}
		doc, errs := Parse(s.name, s.data)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if !places {
			doc.text = nil
			forgetPlaces(reflect.ValueOf(doc))
		}
		return doc
	}
	t.Fatalf("no good document is called %s", name)
	return nil
}

func addrsOf(texts ...string) []Addr {
	var out []Addr
	for _, s := range texts {
		out = append(out, Addr{IP: netip.MustParseAddr(s)})
	}
	return out
}

// TestEveryKeyIsRead compares the whole document of the map format's page with
// what its comments say.
func TestEveryKeyIsRead(t *testing.T) {
	want := &Document{
		HasAllZones: true,
		Name:        "whole.yaml",
		Anycast:     addrsOf("192.0.2.1", "192.0.2.2", "2001:db8::1"),
		Accounts: []Account{{
			ID:        "acme",
			Name:      "Acme Corp.",
			BYOIPOnly: true,
			Prefixes: []Prefix{
				{CIDR: netip.MustParsePrefix("203.0.113.0/24"), Advertised: true},
				{CIDR: netip.MustParsePrefix("2001:db8:100::/48"), Advertised: true},
			},
			Delegated: []Prefix{{CIDR: netip.MustParsePrefix("198.51.100.128/28"), Advertised: true}},
			StaticIPs: addrsOf("198.51.100.7"),
			Zones: []Zone{
				{Name: "example.org.", ID: "023e105f4ecef8ad9ca31a8372d0c353", IPv6: true, Marks: []Mark{
					{Owner: "example.org.", Proxied: true},
					{Owner: "www.example.org.", Proxied: true},
					{Owner: "*.shop.example.org.", Proxied: true},
					{Owner: "v4.example.org.", Proxied: true, V4Only: true},
					{Owner: "api.shop.example.org."},
				}},
				{Name: "example.net.", IPv6: true, All: true},
				{Name: "example.com.", IPv6: true, ZoneFile: "db.example.com"},
			},
			Maps: []AddressMap{{
				ID:          "055817b111884e0227e1be16a0be6ee0",
				Description: "storefront", Enabled: true, DefaultSNI: "*.example.org", CanDelete: true, CanModifyIPs: true,
				IPs: addrsOf("203.0.113.10", "2001:db8:100::10"),
				Members: []Member{
					{Kind: MemberZone, Identifier: "example.org"},
					{Kind: MemberAccount, Identifier: "acme"},
				},
			}},
			Spectrum: []SpectrumApp{
				{Name: "ssh.example.org.", Static: true, IPs: addrsOf("203.0.113.22")},
				{Name: "game.example.org.", Connectivity: ConnectIPv4},
			},
		}},
	}
	if got := goodDocument(t, "whole.yaml", false); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestEveryKeyIsReadFromJSON has the values that differ from the defaults.
func TestEveryKeyIsReadFromJSON(t *testing.T) {
	want := &Document{
		HasAllZones: true,
		Name:        "whole.json",
		Anycast:     addrsOf("192.0.2.1", "2001:db8::1"),
		Accounts: []Account{{
			ID: "acme",
			Prefixes: []Prefix{
				{CIDR: netip.MustParsePrefix("203.0.113.0/24")},
				{CIDR: netip.MustParsePrefix("2001:db8:100::/48"), Advertised: true},
			},
			Zones: []Zone{
				{Name: "example.org.", Marks: []Mark{
					{Owner: "example.org.", Proxied: true},
					{Owner: "v6.example.org.", Proxied: true, V6Only: true},
				}},
				{Name: "example.net.", IPv6: true, All: true},
			},
			Maps: []AddressMap{{
				ID: "acme/0", Enabled: true, CanDelete: true, CanModifyIPs: true,
				IPs:     addrsOf("203.0.113.10"),
				Members: []Member{{Kind: MemberAccount, Identifier: "acme"}},
			}},
			Spectrum: []SpectrumApp{{Name: "game.example.org."}},
		}},
	}
	if got := goodDocument(t, "whole.json", false); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestPastedFromTheAPI: an address map as the API prints it, nulls included.
func TestPastedFromTheAPI(t *testing.T) {
	want := []AddressMap{{
		ID:      "055817b111884e0227e1be16a0be6ee0",
		IPs:     addrsOf("192.0.2.1", "2001:db8::1"),
		Members: []Member{{Kind: MemberZone, Identifier: "023e105f4ecef8ad9ca31a8372d0c353"}},
	}}
	if got := goodDocument(t, "pasted.yaml", false).Accounts[0].Maps; !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	want[0].CanDelete, want[0].CanModifyIPs = true, true // Absent there.
	if got := goodDocument(t, "pasted-as-yaml.yaml", false).Accounts[0].Maps; !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestNamesAreCanonical(t *testing.T) {
	zones := goodDocument(t, "names.yaml", false).Accounts[0].Zones
	want := map[string][]string{
		"example.org.": {
			"www.example.org.", "www2.example.org.", "www3.example.org.", "*.example.org.", "*.shop.example.org.",
			"xn--bcher-kva.example.org.", "xn--r8jz45g.example.org.", "_dmarc.example.org.", `a\.b.example.org.`, `a\.*.b.example.org.`, `\255x.example.org.`, "2024.example.org.",
		},
		"xn--bcher-kva.example.": {"xn--bcher-kva.example."},
		"xn--r8jz45g.example.":   nil,
		".":                      {"host."},
	}
	for _, z := range zones {
		var got []string
		for _, m := range z.Marks {
			got = append(got, string(m.Owner))
		}
		if !reflect.DeepEqual(got, want[string(z.Name)]) {
			t.Errorf("zone %q: %q, want %q", z.Name, got, want[string(z.Name)])
		}
		delete(want, string(z.Name))
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestPlaces holds what the types promise of positions: of the value, or of the
// key where there is none.
func TestPlaces(t *testing.T) {
	doc := goodDocument(t, "whole.yaml", true)
	a := doc.Accounts[0]
	for _, c := range []struct {
		what      string
		got, want Pos
	}{
		{"anycast", doc.Pos, Pos{2, 1}},
		{"an address", doc.Anycast[2].Pos, Pos{2, 33}},
		{"account", a.Pos, Pos{4, 9}},
		{"byoip_only", a.BYOIPPos, Pos{6, 17}},
		{"prefix", a.Prefixes[0].Pos, Pos{8, 15}},
		{"short prefix", a.Prefixes[1].Pos, Pos{10, 9}},
		{"delegated prefix", a.Delegated[0].Pos, Pos{11, 26}},
		{"static address", a.StaticIPs[0].Pos, Pos{12, 18}},
		{"zone", a.Zones[0].Pos, Pos{14, 15}},
		{"zone id", a.Zones[0].IDPos, Pos{15, 13}},
		{"zone without id", a.Zones[1].IDPos, Pos{23, 9}},
		{"mark", a.Zones[0].Marks[1].Pos, Pos{19, 13}},
		{"mark as mapping", a.Zones[0].Marks[3].Pos, Pos{21, 20}},
		{"zone file", a.Zones[2].ZoneFilePos, Pos{26, 20}},
		{"map", a.Maps[0].Pos, Pos{29, 13}},
		{"address of a map", a.Maps[0].IPs[1].Pos, Pos{35, 29}},
		{"membership", a.Maps[0].Members[1].Pos, Pos{38, 41}},
		{"application", a.Spectrum[0].Pos, Pos{40, 21}},
		{"type of an application", a.Spectrum[1].TypePos, Pos{43, 26}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if e := doc.Errorf(a.Spectrum[0].Pos, "V4", "", "x"); e.Line != "      - dns: {name: ssh.example.org, type: ADDRESS}" {
		t.Errorf("line %q", e.Line)
	}
}

// TestWhatIsRefusedIsMarked: whoever checks the whole must be able to tell what
// is missing from what was refused.
func TestWhatIsRefusedIsMarked(t *testing.T) {
	for data, want := range map[string]string{
		`{anycast: [x]}`:                                            "AnycastInvalid",
		`{accounts: x}`:                                             "AccountsInvalid",
		`{accounts: [x]}`:                                           "AccountsInvalid",
		`{accounts: [{id: ""}]}`:                                    "AccountsInvalid",
		`{accounts: [{id: a, prefixes: [x]}]}`:                      "Accounts.SpaceInvalid",
		`{accounts: [{id: a, static_ips: [x]}]}`:                    "Accounts.SpaceInvalid",
		`{accounts: [{id: a, zones: [x]}]}`:                         "Accounts.ZonesInvalid",
		`{accounts: [{id: a, zones: x}]}`:                           "Accounts.ZonesInvalid",
		`{accounts: [{id: a, zones: [{name: b, id: []}]}]}`:         "Accounts.ZonesInvalid",
		`{accounts: [{id: a, zones: [{name: b, proxied: [..]}]}]}`:  "Accounts.Zones.MarksInvalid",
		`{sites: x}`:                                                "AnycastInvalid",
		`{sites: {fra: {}}}`:                                        "AnycastInvalid",
		`{sites: {fra: {anycast: x}}}`:                              "AnycastInvalid",
		`{accounts: [{id: a, address_maps: [x]}]}`:                  "Accounts.MapsInvalid",
		`{accounts: [{id: a, address_maps: [{ips: [x]}]}]}`:         "Accounts.Maps.IPsInvalid Accounts.MapsInvalid",
		`{accounts: [{id: a, address_maps: [{memberships: [x]}]}]}`: "Accounts.Maps.MembersInvalid Accounts.MapsInvalid",
		`{accounts: [{id: a, spectrum_apps: [x]}]}`:                 "",
		`[]`: "AccountsInvalid AnycastInvalid",
		``:   "AccountsInvalid AnycastInvalid",
	} {
		doc, _ := Parse("m", []byte(data))
		flags := flagged(reflect.ValueOf(doc), "doc")
		slices.Sort(flags)
		if got := strings.ReplaceAll(" "+strings.Join(flags, " "), " doc.", " ")[1:]; got != want {
			t.Errorf("%s: %s; want %s", data, got, want)
		}
	}
}
