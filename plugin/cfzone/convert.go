package cfzone

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

// converter changes the records of one export.
type converter struct {
	apex    fqdn.Name
	marks   *zonefile.Zone
	opt     Options
	records []*Record
	at      map[fqdn.Name][]*Record // :: owner → its records
	changes []Change
	masked  fqdn.Set // names that became proxied because an alias of them led to one
}

func (c *converter) note(kind Kind, r *Record, format string, args ...any) {
	c.changes = append(c.changes, Change{kind, r.Line, strings.TrimSuffix(r.RR.Header().Name, "."), fmt.Sprintf(format, args...)})
}

// take takes the records in that lie in the zone, with a TTL that means what it
// says.
func (c *converter) take(records []Record) {
	for i := range records {
		r := &records[i]
		h := r.RR.Header()
		if !r.Owner.In(c.apex) {
			c.note(Lost, r, "%s record outside the zone %s", typeOf(r), c.apex)
			continue
		}
		if h.Rrtype == dns.TypeSOA && c.has(c.apex, dns.TypeSOA) {
			c.note(Lost, r, "a second SOA record")
			continue
		}
		if r.undotted {
			c.note(Changed, r, "%s: the owner got its last dot", typeOf(r))
		}
		if h.Ttl == automatic {
			h.Ttl = automaticTTL
			c.note(Changed, r, "%s: TTL 1 (automatic) became %d", typeOf(r), automaticTTL)
		}
		c.records = append(c.records, r)
		c.at[r.Owner] = append(c.at[r.Owner], r)
	}
}

func typeOf(r *Record) string { return dns.TypeToString[r.RR.Header().Rrtype] }

// has reports whether a name has a record of one of the types.
func (c *converter) has(owner fqdn.Name, types ...uint16) bool {
	return slices.ContainsFunc(c.at[owner], func(r *Record) bool { return slices.Contains(types, r.RR.Header().Rrtype) })
}

// proxied reports whether an owner name is marked so.
func (c *converter) proxied(owner fqdn.Name) bool {
	if _, ok := c.masked[owner]; ok {
		return true
	}
	return isProxied(c.marks.Owners[owner], c.opt)
}

// markGenerated writes the marks behind records that have lost them: those that
// a $GENERATE makes come without its comment.
func (c *converter) markGenerated() {
	for owner, records := range c.at {
		mark := c.marks.Owners[owner].Mark
		if mark == zonefile.Unmarked || slices.ContainsFunc(records, func(r *Record) bool { _, ok := r.Tag(proxiedTag); return ok }) {
			continue
		}
		for _, r := range records {
			if t := r.RR.Header().Rrtype; t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeCNAME {
				r.tag(zonefile.Tag{Name: proxiedTag, Value: fmt.Sprint(mark == zonefile.Proxied)})
			}
		}
	}
}

// tag adds a tag to the comment of a record.
func (r *Record) tag(t zonefile.Tag) {
	value := t.Value
	if strings.ContainsAny(value, `"=,\ `) {
		quoted, _ := json.Marshal(value) // a string has JSON
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

// zone prints the records.
func (c *converter) zone() *Zone {
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
	for owner := range c.at {
		if c.proxied(owner) {
			out.Proxied++
		}
	}
	out.Text = []byte(b.String())
	return out
}
