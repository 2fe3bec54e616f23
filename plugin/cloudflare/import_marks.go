package cloudflare

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// addRecords makes marks of the DNS records. Proxied is a property of the owner name: one
// proxied record at the name is enough.
func (a *assembly) addRecords(objects []object) {
	marks := make(map[*docZone]map[string]int) // :: zone → name → its place in the list
	others := make(map[*docZone]int)
	var order []*docZone
	for _, o := range objects {
		record, ok := o.value.(*apiRecord)
		if !ok {
			continue
		}
		r := *record
		z := a.zoneOfRecord(r, o.from)
		if z == nil {
			a.addChange(Lost, r.Name, "%s record in no zone that is here: fetch the zone", r.Type)
			continue
		}
		a.keep(r, z)
		if marks[z] == nil {
			marks[z] = make(map[string]int)
			order = append(order, z)
		}
		address := r.Type == "A" || r.Type == "AAAA" || r.Type == "CNAME"
		if r.Proxied == nil && address {
			a.addLost(r.Name, r.Type+" record without proxied: nobody can tell whether it is proxied", "fetch its list anew", "records do not say whether they are proxied")
			continue
		}
		if !address || !*r.Proxied {
			others[z]++
			if r.Settings.FlattenCNAME {
				a.addChange(Review, r.Name, "%s is flattened at Cloudflare: that is the zone file's business, see import zone", r.Type)
			}
			continue
		}
		if name, err := fqdn.Parse(r.Name); err == nil && a.zoneOf(name) != z && a.zoneOf(name) != nil {
			a.changes = append(a.changes, Change{Kind: Review, Name: r.Name, Text: fmt.Sprintf("%s record of zone %s: zone %s decides for the name", r.Type, z.Name, a.zoneOf(name).Name),
				Group: "records lie in a zone below theirs, which decides for the name"})
			continue
		}
		relative, err := relativeName(r.Name, z.Name)
		if err != nil {
			a.addChange(Lost, r.Name, "%s record that is proxied, of a name that no map can have: %v", r.Type, err)
			continue
		}
		mark := docMark{relative, r.Settings.IPv4Only, r.Settings.IPv6Only}
		at, known := marks[z][mark.Name]
		if !known {
			marks[z][mark.Name] = len(z.Proxied)
			z.Proxied = append(z.Proxied, mark)
			continue
		}
		a.mergeMark(r, &z.Proxied[at], mark)
	}
	for _, z := range order {
		if others[z] > 0 {
			a.addChange(Review, z.Name, "%d records are not proxied, and are not in the map: they belong in the zone file", others[z])
		}
	}
}

// Records returns the records of a zone that [Import.Document] has seen; those that cannot
// be read are left out.
func (i *Import) Records(apex fqdn.Name) []Record { return i.records[apex] }

// keep keeps a record of a zone as a zone file would have it.
func (a *assembly) keep(r apiRecord, z *docZone) {
	apex, err := fqdn.Parse(z.Name)
	owner, other := fqdn.ParseIn(r.Name, apex)
	if err != nil || other != nil {
		return
	}
	content := r.Content
	if (r.Type == "TXT" || r.Type == "SPF") && !strings.HasPrefix(content, `"`) {
		content = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(content) + `"`
	}
	for _, value := range []string{content, fmt.Sprintf("%d %s", r.Priority, content)} {
		if rr, err := dns.NewRR(fmt.Sprintf("%s 300 IN %s %s", owner, r.Type, value)); err == nil && rr != nil {
			a.records[apex] = append(a.records[apex], Record{RR: rr, Owner: owner})
			return
		}
	}
}

// mergeMark applies the families of another record at the name to its mark. A record
// without ipv4_only and ipv6_only makes both families answered.
func (a *assembly) mergeMark(r apiRecord, mark *docMark, other docMark) {
	if *mark == other {
		return
	}
	mark.IPv4Only = mark.IPv4Only && other.IPv4Only
	mark.IPv6Only = mark.IPv6Only && other.IPv6Only
	a.addChange(Lost, r.Name, "ipv4_only or ipv6_only of some of its records: proxied status is the name's")
}

// zoneOfRecord returns the zone that a record names, the one whose list it is in, or the
// deepest zone that encloses its name. Of a list without result_info nothing tells that
// all its records are of one zone.
func (a *assembly) zoneOfRecord(r apiRecord, from *answer) *docZone {
	if z := a.zonesByID[r.ZoneID]; z != nil {
		return z
	}
	if name, err := fqdn.Parse(r.ZoneName); err == nil && a.zones[name] != nil {
		return a.zones[name]
	}
	if from.call.list != "" || from.info != nil {
		if z := a.listZones[from]; z != nil {
			return z
		}
	}
	name, err := fqdn.Parse(r.Name)
	if err != nil {
		return nil
	}
	return a.zoneOf(name)
}

// relativeName returns an owner relative to its zone, as a list of marks has it.
func relativeName(name, zone string) (string, error) {
	apex, err := fqdn.Parse(zone)
	if err != nil {
		return "", err
	}
	owner, err := fqdn.Parse(name)
	switch {
	case err != nil:
		return "", err
	case !owner.In(apex):
		return "", fmt.Errorf("it lies outside of zone %s", zone)
	case owner == apex:
		return "@", nil
	case strings.Contains(string(owner), ".*."):
		return "", errors.New(`"*" is not its first label`)
	}
	return string(owner[:len(owner)-len(apex)-1]), nil
}
