package cloudflare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// zoneConverter changes the records of one export.
type zoneConverter struct {
	apex         fqdn.Name
	opt          ZoneOptions
	records      []*Record
	byOwner      map[fqdn.Name][]*Record     // :: owner → its records
	above        fqdn.Set                    // the names above owners
	marks        map[fqdn.Name]zonefile.Mark // :: owner → the mark of its records
	replaced     map[*Record][]*Record       // :: record → those in its place, or none
	changes      []Change
	newlyProxied fqdn.Set // names that became proxied because their alias leads to a proxied name
}

// add adds a change of the record r.
func (c *zoneConverter) add(r *Record, change Change) {
	change.Line, change.Name = r.Line, strings.TrimSuffix(string(r.Owner), ".")
	c.changes = append(c.changes, change)
}

// addOfZone adds a change of the zone as a whole.
func (c *zoneConverter) addOfZone(change Change) {
	change.Name = strings.TrimSuffix(string(c.apex), ".")
	c.changes = append(c.changes, change)
}

// typeOf is the type of a record as text.
func typeOf(r *Record) string { return dns.Type(r.RR.Header().Rrtype).String() }

// has reports whether a name has a record of one of the types.
func (c *zoneConverter) has(owner fqdn.Name, types ...uint16) bool {
	return slices.ContainsFunc(c.byOwner[owner], func(r *Record) bool { return slices.Contains(types, r.RR.Header().Rrtype) })
}

// first returns the first record of a type at the apex, or nil.
func (c *zoneConverter) first(rrtype uint16) *Record {
	for _, r := range c.byOwner[c.apex] {
		if r.RR.Header().Rrtype == rrtype {
			return r
		}
	}
	return nil
}

// proxied reports whether an owner name is proxied.
func (c *zoneConverter) proxied(owner fqdn.Name) bool {
	if _, ok := c.newlyProxied[owner]; ok {
		return true
	}
	mark := c.marks[owner]
	return mark == zonefile.Proxied || mark == zonefile.Unmarked && c.opt.ProxiedDefault && c.has(owner, dns.TypeA, dns.TypeAAAA, dns.TypeCNAME)
}

// insert inserts a record at an index of the records.
func (c *zoneConverter) insert(i int, r *Record) {
	c.records = slices.Insert(c.records, i, r)
	c.byOwner[r.Owner] = append(c.byOwner[r.Owner], r)
}

// replace replaces a record by others, or by none.
func (c *zoneConverter) replace(r *Record, by []*Record) {
	if c.replaced == nil {
		c.replaced = make(map[*Record][]*Record)
	}
	c.replaced[r] = by
	i := slices.Index(c.byOwner[r.Owner], r)
	c.byOwner[r.Owner] = slices.Replace(slices.Clone(c.byOwner[r.Owner]), i, i+1, by...)
}

// applyReplaced puts the replacements into the list of records: one by one, each would
// move all records behind it.
func (c *zoneConverter) applyReplaced() {
	out := make([]*Record, 0, len(c.records))
	for _, r := range c.records {
		if by, ok := c.replaced[r]; ok {
			out = append(out, by...)
		} else {
			out = append(out, r)
		}
	}
	c.records, c.replaced = out, nil
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
