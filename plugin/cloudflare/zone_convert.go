package cloudflare

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

const proxiedTag = "cf-proxied"

// zoneConverter changes the records of one export.
type zoneConverter struct {
	apex         fqdn.Name
	marks        *zonefile.Zone
	opt          ZoneOptions
	records      []*Record
	byOwner      map[fqdn.Name][]*Record // :: owner → its records
	changes      []Change
	newlyProxied fqdn.Set // names that became proxied because their alias leads to a proxied name
}

// addChange adds a change of the record r.
func (c *zoneConverter) addChange(kind Kind, r *Record, format string, args ...any) {
	c.changes = append(c.changes, Change{kind, r.Line, strings.TrimSuffix(r.RR.Header().Name, "."), fmt.Sprintf(format, args...)})
}

// addRecords adds the records that lie in the zone, with 300 for the TTL "automatic".
func (c *zoneConverter) addRecords(records []Record) {
	for i := range records {
		r := &records[i]
		h := r.RR.Header()
		if !r.Owner.In(c.apex) {
			c.addChange(Lost, r, "%s record outside the zone %s", typeOf(r), c.apex)
			continue
		}
		if h.Rrtype == dns.TypeSOA && c.has(c.apex, dns.TypeSOA) {
			c.addChange(Lost, r, "a second SOA record")
			continue
		}
		if r.undottedOwner {
			c.addChange(Changed, r, "%s: the owner got its last dot", typeOf(r))
		}
		if h.Ttl == automatic {
			h.Ttl = automaticTTL
			c.addChange(Changed, r, "%s: TTL 1 (automatic) became %d", typeOf(r), automaticTTL)
		}
		c.records = append(c.records, r)
		c.byOwner[r.Owner] = append(c.byOwner[r.Owner], r)
	}
}

// typeOf is the type of a record as text.
func typeOf(r *Record) string { return dns.TypeToString[r.RR.Header().Rrtype] }

// has reports whether a name has a record of one of the types.
func (c *zoneConverter) has(owner fqdn.Name, types ...uint16) bool {
	return slices.ContainsFunc(c.byOwner[owner], func(r *Record) bool { return slices.Contains(types, r.RR.Header().Rrtype) })
}

// proxied reports whether an owner name is proxied.
func (c *zoneConverter) proxied(owner fqdn.Name) bool {
	if _, ok := c.newlyProxied[owner]; ok {
		return true
	}
	return isProxied(c.marks.Owners[owner], c.opt)
}

// markGenerated writes the marks behind the records that a $GENERATE has made, which
// come without its comment.
func (c *zoneConverter) markGenerated() {
	for owner, records := range c.byOwner {
		mark := c.marks.Owners[owner].Mark
		if mark == zonefile.Unmarked || slices.ContainsFunc(records, func(r *Record) bool { _, ok := r.Tag(proxiedTag); return ok }) {
			continue
		}
		for _, r := range records {
			if t := r.RR.Header().Rrtype; t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeCNAME {
				r.addTag(zonefile.Tag{Name: proxiedTag, Value: fmt.Sprint(mark == zonefile.Proxied)})
			}
		}
	}
}

// addTag adds a tag to the comment of a record.
func (r *Record) addTag(t zonefile.Tag) {
	value := t.Value
	if strings.ContainsAny(value, `"=,\ `) {
		quoted, _ := json.Marshal(value) // Marshal does not fail for a string.
		value = string(quoted)
	}
	text := t.Name + ":" + value
	switch {
	case len(r.Tags()) > 0:
		r.Comment += "," + text
	case r.Comment == "":
		r.Comment = "; cf_tags=" + text
	default:
		r.Comment += " cf_tags=" + text
	}
}

// print returns the zone with the records as text, the SOA first.
func (c *zoneConverter) print() *Zone {
	out := &Zone{Changes: c.changes, Records: len(c.records)}
	var b strings.Builder
	print := func(r *Record) {
		b.WriteString(r.RR.String())
		if r.Comment != "" {
			b.WriteString(" " + r.Comment)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "; The zone %s, made from an export of Cloudflare's by \"addressmap import zone\".\n\n", c.apex)
	for _, r := range c.records {
		if r.RR.Header().Rrtype == dns.TypeSOA {
			print(r)
		}
	}
	for _, r := range c.records {
		if r.RR.Header().Rrtype != dns.TypeSOA {
			print(r)
		}
	}
	for owner := range c.byOwner {
		if c.proxied(owner) {
			out.Proxied++
		}
	}
	out.Text = []byte(b.String())
	return out
}
