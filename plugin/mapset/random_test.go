package mapset_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// generator makes random documents, one account each, most of them good: from few
// labels, so that zones nest, wildcards cover and names meet.
type generator struct {
	*rand.Rand
	apexes []fqdn.Name // in any order; each is given away once
	large  bool        // zones of many names
	clash  bool        // accounts may claim what another one has
}

var labels = []string{"a", "b", "www", `x\.y`, `\255`, "long-label-to-make-the-texts-longer"}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	g.apexes = []fqdn.Name{"example.", "a.example.", "b.a.example.", "www.b.a.example.", `x\.y.a.example.`, "test.", "www.test.", "other.", "b.other."}
	if g.IntN(4) == 0 {
		g.apexes = append(g.apexes, ".")
	}
	g.Shuffle(len(g.apexes), func(i, j int) { g.apexes[i], g.apexes[j] = g.apexes[j], g.apexes[i] })
	g.large = g.IntN(4) == 0
	return g
}

// once is true in one of n cases.
func (g *generator) once(n int) bool { return g.IntN(n) == 0 }

// name is a name of up to three labels below apex, or apex.
func (g *generator) name(apex fqdn.Name) fqdn.Name {
	n := apex
	for range g.IntN(4) {
		label := labels[g.IntN(len(labels))]
		if g.large && g.once(2) {
			label = fmt.Sprintf("host%d", g.IntN(40))
		}
		if n == "." {
			n = fqdn.Name(label + ".")
		} else {
			n = fqdn.Name(label+".") + n
		}
	}
	return n
}

// owner is a name or a wildcard.
func (g *generator) owner(apex fqdn.Name) fqdn.Name {
	if g.once(4) {
		return g.name(apex).Wildcard()
	}
	return g.name(apex)
}

// document makes the document number i of several.
func (g *generator) document(i int) mapset.Source {
	doc := &mapfile.Document{Name: fmt.Sprintf("doc%d.yaml", i)}
	src := mapset.Source{Doc: doc, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
	if i == 0 && !g.once(8) {
		doc.Anycast = g.some(2, addrs("192.0.2.1", "2001:db8::1", "192.0.2.2"))
		doc.Pos = mapfile.Pos{Line: 1, Col: 1}
	}
	a := mapfile.Account{ID: fmt.Sprintf("account%d", i), Pos: mapfile.Pos{Line: 2, Col: 1}}
	g.space(&a, i)
	share := len(g.apexes) / 3
	for j, apex := range g.apexes[i*share : min((i+1)*share, len(g.apexes))] {
		if g.once(6) {
			continue
		}
		a.Zones = append(a.Zones, g.zone(&src, apex, mapfile.Pos{Line: int32(10 + j), Col: 1}))
	}
	if g.clash && g.once(8) {
		a.Zones = append(a.Zones, g.zone(&src, g.apexes[g.IntN(len(g.apexes))], mapfile.Pos{Line: 20, Col: 1}))
	}
	g.maps(&a, i)
	g.members(&a)
	doc.Accounts = append(doc.Accounts, a)
	return src
}

// space gives account i prefixes, some withdrawn, and some of what others lend.
func (g *generator) space(a *mapfile.Account, i int) {
	prefix := func(format string, args ...any) mapfile.Prefix {
		return mapfile.Prefix{CIDR: netip.MustParsePrefix(fmt.Sprintf(format, args...)), Advertised: !g.once(4), Pos: mapfile.Pos{Line: 3, Col: 1}}
	}
	a.Prefixes = append(a.Prefixes, prefix("10.%d.0.0/16", i))
	if g.once(2) {
		a.Prefixes = append(a.Prefixes, prefix("10.%d.1.0/24", i), prefix("10.%d.1.128/25", i))
	}
	if !g.once(4) {
		a.Prefixes = append(a.Prefixes, prefix("2001:db8:%d::/48", i))
	}
	if g.once(2) {
		lender := g.IntN(3)
		a.Delegated = append(a.Delegated, mapfile.Prefix{CIDR: netip.MustParsePrefix(fmt.Sprintf("10.%d.1.0/24", lender)), Advertised: true, Pos: mapfile.Pos{Line: 4, Col: 1}})
		if lender == i {
			a.Delegated = nil
		}
	}
	if g.once(2) {
		a.StaticIPs = addrs(fmt.Sprintf("198.51.100.%d", i))
	}
	if g.clash && g.once(12) {
		a.StaticIPs = addrs("198.51.100.99")
	}
	if g.clash && g.once(12) {
		a.Prefixes = append(a.Prefixes, prefix("10.%d.1.64/26", g.IntN(3)))
	}
}

// held returns addresses that the account may answer with.
func (g *generator) held(a *mapfile.Account, i int) []mapfile.Addr {
	list := addrs(fmt.Sprintf("10.%d.0.1", i), fmt.Sprintf("10.%d.1.1", i), fmt.Sprintf("10.%d.1.129", i))
	if last := a.Prefixes[len(a.Prefixes)-1].CIDR; last.Addr().Is6() {
		list = append(list, mapfile.Addr{IP: last.Addr().Next()})
	}
	for _, p := range a.Delegated {
		first := p.CIDR.Addr().As4()
		list = append(list, mapfile.Addr{IP: p.CIDR.Addr().Next()}, mapfile.Addr{IP: netip.AddrFrom4([4]byte{first[0], first[1], first[2], 200})})
	}
	return list
}

func (g *generator) zone(src *mapset.Source, apex fqdn.Name, pos mapfile.Pos) mapfile.Zone {
	z := mapfile.Zone{Name: apex, Pos: pos, IPv6: !g.once(3)}
	switch g.IntN(6) {
	case 0:
		z.All = true
		return z
	case 1, 2:
		z.ZoneFile, z.ProxiedDefault = "db", g.once(2)
		file := &zonefile.Zone{Apex: apex, Owners: make(map[fqdn.Name]zonefile.Owner)}
		for range g.size() {
			file.Owners[g.owner(apex)] = zonefile.Owner{Line: int32(g.IntN(99)), Mark: zonefile.Mark(g.IntN(3)), Types: zonefile.Types(g.IntN(64))}
		}
		src.ZoneFiles[apex] = file
	}
	seen := make(map[fqdn.Name]bool)
	for range g.size() {
		m := mapfile.Mark{Owner: g.owner(apex), Proxied: !g.once(3), Pos: pos}
		if g.once(8) {
			m.V4Only, m.V6Only = g.once(2), false
			m.V6Only = !m.V4Only
		}
		if file := src.ZoneFiles[apex]; seen[m.Owner] || file != nil && file.Owners[m.Owner].Mark != zonefile.Unmarked {
			continue
		}
		seen[m.Owner] = true
		z.Marks = append(z.Marks, m)
	}
	return z
}

func (g *generator) size() int {
	if g.large {
		return g.IntN(60)
	}
	return g.IntN(6)
}

func (g *generator) maps(a *mapfile.Account, i int) {
	for n := range g.IntN(4) {
		m := mapfile.AddressMap{
			ID: fmt.Sprintf("%s/%d", a.ID, n), Enabled: !g.once(4), CanDelete: !g.once(3), CanModifyIPs: !g.once(3),
			IPs: g.some(1, g.held(a, i)), Pos: mapfile.Pos{Line: int32(30 + n), Col: 1},
		}
		if n == 0 && len(a.StaticIPs) > 0 {
			m.IPs = append(m.IPs, a.StaticIPs...)
		}
		switch {
		case n == 0:
			m.Members = append(m.Members, mapfile.Member{Kind: mapfile.MemberAccount, Identifier: a.ID})
		case n-1 < len(a.Zones):
			m.Members = append(m.Members, mapfile.Member{Kind: mapfile.MemberZone, Identifier: string(a.Zones[n-1].Name)})
		}
		a.Maps = append(a.Maps, m)
	}
	for n := range g.IntN(3) {
		if len(a.Zones) == 0 {
			return
		}
		app := mapfile.SpectrumApp{Name: g.name(a.Zones[g.IntN(len(a.Zones))].Name), Static: g.once(2), Pos: mapfile.Pos{Line: int32(40 + n), Col: 1}}
		if app.Static {
			app.IPs = g.some(1, g.held(a, i))
		} else {
			app.Connectivity = mapfile.Connectivity(g.IntN(3))
		}
		if n > 0 && app.Name == a.Spectrum[0].Name {
			return
		}
		a.Spectrum = append(a.Spectrum, app)
	}
}

// members makes some of the account's names members of its maps: marks and other names,
// now and then one of a zone of somebody else.
func (g *generator) members(a *mapfile.Account) {
	taken := make(map[fqdn.Name]bool)
	for i := range a.Maps {
		for range g.IntN(4) {
			if len(a.Zones) == 0 {
				return
			}
			z := &a.Zones[g.IntN(len(a.Zones))]
			name := g.name(z.Name)
			if len(z.Marks) > 0 && g.once(2) {
				name = z.Marks[g.IntN(len(z.Marks))].Owner
			} else if z.All && g.once(2) {
				name = name.Wildcard()
			}
			foreign := slices.ContainsFunc(g.apexes, func(apex fqdn.Name) bool { return len(apex) > len(z.Name) && name.In(apex) })
			if foreign && !g.once(20) || taken[name] && !g.once(20) {
				continue
			}
			taken[name] = true
			a.Maps[i].Members = append(a.Maps[i].Members, mapfile.Member{Kind: mapfile.MemberName, Name: name, Pos: a.Maps[i].Pos})
		}
	}
}

// some picks at least n of list, in its order.
func (g *generator) some(n int, list []mapfile.Addr) []mapfile.Addr {
	var out []mapfile.Addr
	for i, a := range list {
		if g.once(2) || len(list)-i <= n-len(out) {
			out = append(out, a)
		}
	}
	return out
}

func addrs(list ...string) []mapfile.Addr {
	out := make([]mapfile.Addr, len(list))
	for i, s := range list {
		out[i].IP = netip.MustParseAddr(s)
	}
	return out
}

// names returns names to ask for: all that the documents speak of, with what is
// around them, and random ones.
func (g *generator) names(sources []mapset.Source) []fqdn.Name {
	out := []fqdn.Name{".", "nowhere.", "example."}
	add := func(n fqdn.Name) {
		out = append(out, n, "q."+n, n.Wildcard())
		if up, ok := n.Parent(); ok {
			out = append(out, up)
		}
	}
	for _, s := range sources {
		for _, z := range s.Doc.Accounts[0].Zones {
			out = append(out, z.Name)
			for _, m := range z.Marks {
				add(m.Owner)
			}
			for range 10 {
				out = append(out, g.owner(z.Name))
			}
		}
		for _, f := range s.ZoneFiles {
			for n := range f.Owners {
				add(n)
			}
		}
		for _, app := range s.Doc.Accounts[0].Spectrum {
			add(app.Name)
		}
		for _, am := range s.Doc.Accounts[0].Maps {
			for _, mem := range am.Members {
				if mem.Kind == mapfile.MemberName {
					add(mem.Name)
				}
			}
		}
	}
	for i, n := range out {
		if len(n) > 3 && n[:3] == "q.." {
			out[i] = "q."
		}
	}
	return out
}
