package cfapi

import (
	"github.com/addressmap/addressmap/plugin/cfzone"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// addRecords makes marks of the DNS records. Proxied status is the name's: one
// proxied record at it is enough.
func (a *assembly) addRecords() {
	marks := make(map[*docZone]map[string]int) // :: zone → name → its place in the list
	others := make(map[*docZone]int)
	var order []*docZone
	for _, r := range a.records {
		z := a.recordZone(r)
		if z == nil {
			a.note(cfzone.Lost, r.Name, "%s record in no zone that is here: fetch the zone", r.Type)
			continue
		}
		if marks[z] == nil {
			marks[z] = make(map[string]int)
			order = append(order, z)
		}
		address := r.Type == "A" || r.Type == "AAAA" || r.Type == "CNAME"
		if !r.Proxied || !address {
			others[z]++
			if r.Settings.FlattenCNAME {
				a.note(cfzone.Kept, r.Name, "%s is flattened at Cloudflare: that is the zone file's business, see import zone", r.Type)
			}
			continue
		}
		mark := docMark{relative(r.Name, z.Name), r.Settings.IPv4Only, r.Settings.IPv6Only}
		at, known := marks[z][mark.Name]
		if !known {
			marks[z][mark.Name] = len(z.Proxied)
			z.Proxied = append(z.Proxied, mark)
			continue
		}
		a.join(r, &z.Proxied[at], mark)
	}
	for _, z := range order {
		if others[z] > 0 {
			a.note(cfzone.Kept, z.Name, "%d records are not proxied, and are not in the map: they belong in the zone file", others[z])
		}
	}
}

// join adds what another record at the name says of the families. One that
// wants both of them has them.
func (a *assembly) join(r record, mark *docMark, other docMark) {
	if *mark == other {
		return
	}
	mark.IPv4Only = mark.IPv4Only && other.IPv4Only
	mark.IPv6Only = mark.IPv6Only && other.IPv6Only
	a.note(cfzone.Lost, r.Name, "ipv4_only or ipv6_only of some of its records: proxied status is the name's")
}

func (a *assembly) recordZone(r record) *docZone {
	if z := a.ids[r.ZoneID]; z != nil {
		return z
	}
	if name, err := fqdn.Parse(r.ZoneName); err == nil && a.zones[name] != nil {
		return a.zones[name]
	}
	name, err := fqdn.Parse(r.Name)
	if err != nil {
		return nil
	}
	return a.zoneOf(name)
}

// relative returns an owner as the list of marks has it.
func relative(name, zone string) string {
	apex, err := fqdn.Parse(zone)
	if err != nil {
		return name
	}
	owner, err := fqdn.ParseIn(name, apex)
	switch {
	case err != nil:
		return name
	case owner == apex:
		return "@"
	}
	return string(owner[:len(owner)-len(apex)-1])
}
