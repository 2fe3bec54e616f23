package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/exposure"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// exposed returns what makes origins of a map known, by the zone files that the map
// names. One that has become unreadable since the map was loaded is left out.
func exposed(c *live.Checked, zoneFiles []string) (out []finding) {
	dirs := live.NewZoneDirs(zoneFiles)
	until := time.Now().Add(time.Second)
	var zones []exposure.Zone
	for _, s := range c.Sources {
		for i := range s.Doc.Accounts {
			for _, z := range s.Doc.Accounts[i].Zones {
				if z.ZoneFile == "" {
					continue
				}
				path := z.ZoneFile
				if !filepath.IsAbs(path) {
					path = filepath.Join(filepath.Dir(s.Doc.Name), path)
				}
				text, err := dirs.Read(s.Doc.Name, path, func(path string, limit int64) ([]byte, error) { return source.Await(path, limit, until) })
				if err != nil {
					continue
				}
				if records, err := cloudflare.Records(path, text, z.Name); err == nil {
					zones = append(zones, exposure.Zone{Apex: z.Name, File: path, Records: records, Document: s.Doc.Name, Marks: z.Marks})
				}
			}
		}
	}
	for _, e := range exposure.Of(c.Snapshot, zones) {
		out = append(out, finding{Level: levelWarning, File: e.File, Line: e.Line, Rule: ruleExposure, Text: e.Text, Remedy: e.Remedy})
	}
	return out
}

// exposedBy returns a change to review for each record of an imported zone that makes
// the origin of a proxied name of the zone known.
func exposedBy(text []byte, apex fqdn.Name, proxiedDefault bool) []cloudflare.Change {
	const file = "the zone file"
	zone, err := zonefile.Parse(file, text, apex)
	if err != nil {
		return nil // The import has read it back already.
	}
	records, err := cloudflare.Records(file, text, apex)
	if err != nil {
		return nil
	}
	doc := &mapfile.Document{Accounts: []mapfile.Account{{Zones: []mapfile.Zone{{Name: apex, ZoneFile: file, ProxiedDefault: proxiedDefault}}}}}
	return exposedIn(doc, map[fqdn.Name]*zonefile.Zone{apex: zone}, []exposure.Zone{{Apex: apex, File: file, Records: records}})
}

// exposedByAPI is exposedBy of the document that an import has made of responses of the
// API.
func exposedByAPI(in *cloudflare.Import, text []byte) []cloudflare.Change {
	doc, _ := mapfile.Parse("the document", text)
	if doc == nil {
		return nil // The report says so.
	}
	var zones []exposure.Zone
	for i := range doc.Accounts {
		for _, z := range doc.Accounts[i].Zones {
			zones = append(zones, exposure.Zone{Apex: z.Name, Records: in.Records(z.Name)})
		}
	}
	return exposedIn(doc, nil, zones)
}

// exposedIn returns the exposures among records of zones of a document, which may be
// refused for what its names are answered with.
func exposedIn(doc *mapfile.Document, zoneFiles map[fqdn.Name]*zonefile.Zone, zones []exposure.Zone) (changes []cloudflare.Change) {
	marks := &mapfile.Document{Anycast: []mapfile.Addr{{IP: netip.IPv4Unspecified()}, {IP: netip.IPv6Unspecified()}}} // for nobody
	for i, a := range doc.Accounts {
		marks.Accounts = append(marks.Accounts, mapfile.Account{ID: strconv.Itoa(i), Zones: a.Zones})
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: marks, ZoneFiles: zoneFiles}}, mapset.Options{})
	if err := errs.Err(); err != nil {
		return []cloudflare.Change{{Kind: cloudflare.Review, Name: "records", Text: fmt.Sprintf("not looked through for what makes origins known: %v", err)}}
	}
	for _, e := range exposure.Of(snapshot, zones) {
		c := cloudflare.Change{Kind: cloudflare.Review, Name: strings.TrimSuffix(string(e.Owner), "."), Text: e.Text, Remedy: e.Remedy, Group: "records make origins known"}
		if e.Line > 0 {
			c.Text += fmt.Sprintf(" (line %d of the zone file)", e.Line)
		}
		changes = append(changes, c)
	}
	return changes
}

// revealed returns what a change from old to next makes known, or may: names that are
// not proxied any more, records by which an origin becomes known, protections that are
// lifted, and other default SNIs.
func revealed(old, next *live.Checked, groups []mapset.Group, zoneFiles []string) []finding {
	out := unmasked(old, next, groups)
	before := make(map[string]bool)
	for _, f := range exposed(old, zoneFiles) {
		before[f.Text] = true
	}
	for _, f := range exposed(next, zoneFiles) {
		if !before[f.Text] {
			out = append(out, f)
		}
	}
	return append(out, lifted(old, next)...)
}

// unmasked returns a finding for each zone that has names which are not proxied any more.
func unmasked(old, next *live.Checked, groups []mapset.Group) (out []finding) {
	now, was := zonePlaces(next), zonePlaces(old)
	index := make(map[finding]int) // :: place → in out
	names := make(map[int][]string)
	for _, g := range groups {
		if !g.OldProxied || g.NewProxied {
			continue
		}
		for _, name := range g.Names {
			at := placeOf(name, now)
			if at.File == "" {
				at = placeOf(name, was)
			}
			i, ok := index[at]
			if !ok {
				i = len(out)
				index[at] = i
				out = append(out, at)
			}
			names[i] = append(names[i], name)
		}
	}
	for i := range out {
		shown, others := firstNames(names[i], false)
		text := strings.Join(shown, ", ")
		if others > 0 {
			text += fmt.Sprintf(" and %d more", others)
		}
		out[i].Level, out[i].Rule = levelWarning, ruleExposure
		out[i].Text = "not proxied any more, their origins become visible: " + text
		out[i].Remedy = "mark them as proxied again, unless the origins may be known"
	}
	return out
}

// unmaskedBy returns a change to review for each name that an import into the map at path
// makes public: it was proxied in the map as it was, and is not in the one that is there.
func unmaskedBy(path string, old, next *live.Checked) (changes []cloudflare.Change) {
	if old.Snapshot == nil {
		if len(old.Problems) == 0 {
			return nil // There was no map.
		}
		return []cloudflare.Change{{
			Kind: cloudflare.Review, Name: path, Text: "the map was refused as it was: which names are not proxied any more is not known",
			Remedy: "compare it with the map in force: addressmap diff",
		}}
	}
	for _, g := range mapset.Groups(old.Snapshot, next.Snapshot) {
		if !g.OldProxied || g.NewProxied {
			continue
		}
		for _, name := range g.Names {
			changes = append(changes, cloudflare.Change{
				Kind: cloudflare.Review, Name: strings.TrimSuffix(name, "."), Text: "not proxied any more, its origin becomes visible",
				Remedy: "mark it as proxied again, unless the origin may be known",
				Group:  "names are not proxied any more, their origins become visible",
			})
		}
	}
	return changes
}

// zonePlaces returns where the zones of a map are declared.
func zonePlaces(c *live.Checked) map[fqdn.Name]finding {
	out := make(map[fqdn.Name]finding)
	for _, s := range c.Sources {
		for i := range s.Doc.Accounts {
			for _, z := range s.Doc.Accounts[i].Zones {
				out[z.Name] = finding{File: s.Doc.Name, Line: int(z.Pos.Line), Column: int(z.Pos.Col)}
			}
		}
	}
	return out
}

// placeOf returns the place of the deepest zone around a name of a group, which may be
// that of all other names of a zone.
func placeOf(name string, zones map[fqdn.Name]finding) finding {
	n := fqdn.Name(name[strings.LastIndexByte(name, ' ')+1:])
	for ok := true; ok; n, ok = n.Parent() {
		if at, is := zones[n]; is {
			return at
		}
	}
	return finding{}
}

// lifted returns the protections that a change lifts, and the default SNIs that it
// changes.
func lifted(old, next *live.Checked) (out []finding) {
	type key struct{ account, id string }
	was := make(map[key]*mapfile.AddressMap)
	eachMap(old, func(_ *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap) { was[key{a.ID, m.ID}] = m })
	eachMap(next, func(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap) {
		before := was[key{a.ID, m.ID}]
		if before == nil {
			return
		}
		warn := func(remedy, format string, args ...any) {
			text := fmt.Sprintf("address map %q of account %q ", m.ID, a.ID) + fmt.Sprintf(format, args...)
			out = append(out, finding{Level: levelWarning, File: doc.Name, Line: int(m.Pos.Line), Column: int(m.Pos.Col), Rule: ruleExposure, Text: text, Remedy: remedy})
		}
		const keep = "write false again, unless the map is to change with the next reload"
		if !before.CanDelete && m.CanDelete {
			warn(keep, "is not protected by can_delete: false any more: the next reload may take it away")
		}
		if !before.CanModifyIPs && m.CanModifyIPs {
			warn(keep, "is not protected by can_modify_ips: false any more: the next reload may change its addresses")
		}
		if before.DefaultSNI != m.DefaultSNI {
			warn("see to it that the edge has that certificate", "has %s as its default SNI instead of %s: clients without SNI get another certificate", sniText(m.DefaultSNI), sniText(before.DefaultSNI))
		}
	})
	return out
}

func sniText(name string) string {
	if name == "" {
		return "none"
	}
	return fmt.Sprintf("%q", name)
}

// eachMap calls f for each address map.
func eachMap(c *live.Checked, f func(*mapfile.Document, *mapfile.Account, *mapfile.AddressMap)) {
	for _, s := range c.Sources {
		for i := range s.Doc.Accounts {
			a := &s.Doc.Accounts[i]
			for j := range a.Maps {
				f(s.Doc, a, &a.Maps[j])
			}
		}
	}
}

// asErrors makes errors of all warnings.
func asErrors(findings []finding) {
	for i := range findings {
		findings[i].Level = levelError
	}
}
