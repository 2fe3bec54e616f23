package mapset_test

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// TestKnown: on random maps, each name that a document or zone file speaks of, and each
// zone as a whole, is known as it is decided by itself, once.
func TestKnown(t *testing.T) {
	built := 0
	for seed := range uint64(300) {
		g := newGenerator(seed)
		var sources []mapset.Source
		for i := range 3 {
			sources = append(sources, g.document(i))
		}
		snap, errs := mapset.Build(sources, mapset.Options{PerFamily: g.once(2)})
		if len(errs) > 0 {
			continue
		}
		built++
		want := make(map[fqdn.Name]mapset.Decision)
		for _, s := range sources {
			for _, a := range s.Doc.Accounts {
				for _, m := range a.Maps {
					for _, mem := range m.Members {
						if mem.Kind != mapfile.MemberName || !m.Enabled && !mem.Name.IsWildcard() {
							continue
						}
						d := snap.Lookup(mem.Name)
						if d.Itself || d.Spectrum {
							d = snap.LookupFrom(mem.Name, mem.Name)
						}
						want[mem.Name] = d
					}
				}
				for _, app := range a.Spectrum {
					want[app.Name] = snap.LookupFrom(app.Name, app.Name)
				}
				for _, z := range a.Zones {
					for _, m := range z.Marks {
						if d := snap.LookupFrom(m.Owner, m.Owner); d.Zone() == z.Name { // else a deeper zone decides
							want[m.Owner] = d
						}
					}
					if f := s.ZoneFiles[z.Name]; f != nil {
						for owner := range f.Owners {
							if _, is := want[owner]; !is { // A member is decided for as long as it does not exist by itself.
								want[owner] = snap.LookupFrom(owner, owner)
							}
						}
					}
				}
			}
		}
		got, answered := make(map[fqdn.Name]mapset.Decision), make(map[netip.Addr]bool)
		throughout := 0
		for name, d := range snap.Known() {
			for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
				for _, ip := range d.Addrs(f) {
					answered[ip] = true
				}
			}
			if name == "" {
				throughout++
				continue
			}
			if was, twice := got[name]; twice {
				t.Errorf("seed %d: %s twice, %v and %v", seed, name, was, d)
			}
			got[name] = d
		}
		for name, d := range want {
			if !d.Proxied() || d.Zone() == "" {
				continue
			}
			if is, ok := got[name]; ok && is != d {
				t.Errorf("seed %d: %s is decided as %v, want %v", seed, name, is, d)
			} else if !ok && throughout == 0 {
				t.Errorf("seed %d: %s is left out", seed, name)
			}
		}
		for name := range got {
			if d, ok := want[name]; !ok || !d.Proxied() {
				t.Errorf("seed %d: %s is known, and %v", seed, name, d)
			}
		}
		if all := snap.Answered(); !maps.Equal(answered, inAll(all)) {
			t.Errorf("seed %d: answered %v, want %v", seed, slices.Collect(maps.Keys(all)), slices.Collect(maps.Keys(answered)))
		}
	}
	if built < 100 {
		t.Errorf("of 300 maps, %d are good", built)
	}
}

func inAll(set map[netip.Addr]struct{}) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	for ip := range set {
		out[ip] = true
	}
	return out
}

// TestTried: it is the reasons but for disabled maps and steps that lack.
func TestTried(t *testing.T) {
	snap := build(t, mapset.Options{}, edit(t, edit(t, before, "{id: m1, enabled: true", "{id: m1, enabled: false"), "www, api", "www, \"*\""))
	for _, name := range []fqdn.Name{"www.example.org.", "a.example.org.", "ssh.example.org.", "x.example.net.", "off.example.org."} {
		d := snap.Lookup(name)
		var got, want []string
		for _, r := range d.Reasons(name) {
			if r.Why[mapset.IPv4] != mapset.Absent && r.Why[mapset.IPv4] != mapset.Disabled {
				want = append(want, r.Step.String()+" "+r.Map+" "+r.String())
			}
		}
		for _, r := range d.Tried() {
			got = append(got, r.Step.String()+" "+r.Map+" "+r.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestListings: each address map and static application, with what of it is usable.
func TestListings(t *testing.T) {
	snap := build(t, mapset.Options{}, edit(t, before, "{cidr: 198.51.100.0/24, advertised: true}", "{cidr: 198.51.100.0/24, advertised: false}"))
	got := make(map[string][2]int)
	for l := range snap.Listings() {
		got[l.Account+" "+l.Map+string(l.App)] = [2]int{len(l.Written), len(l.Usable)}
	}
	if want := map[string][2]int{"acme m1": {2, 2}, "acme m2": {1, 0}, "acme ssh.example.org.": {1, 1}}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range snap.Listings() {
		break // whoever has seen enough ends it
	}
	for range snap.Known() {
		break
	}
}
