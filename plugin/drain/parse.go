package drain

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Parse reads one file of drains, in YAML or JSON; errors call it name. A file is
// accepted or refused whole: with errors, there are no drains. It returns every error, in
// the order of their places. Parse is safe for concurrent use.
func Parse(name string, text []byte) ([]Drain, mapfile.Errors) {
	r, root := mapfile.ReadStrict(name, text)
	if root.IsNone() {
		return nil, r.Errors()
	}
	p := parser{r, name}
	drains := p.file(root)
	if errs := r.Errors(); len(errs) > 0 {
		return nil, errs
	}
	return drains, nil
}

type parser struct {
	*mapfile.Reader
	name string
}

// file reads the whole file.
func (p parser) file(root mapfile.Value) []Drain {
	if root.IsNull() {
		p.Refuse(root, "V1", "write drains: [] for none", "the file of drains is empty")
		return nil
	}
	values, ok := p.Mapping(root, "a file of drains", "drains")
	if !ok {
		return nil
	}
	if values[0].IsNone() {
		p.Refuse(root, "V1", "write drains: [] for none", `a file of drains has no "drains"`)
		return nil
	}
	var out []Drain
	items, _ := p.List(values[0], "drains", "write drains: [] for none, or a list of entries such as "+
		"{addresses: [203.0.113.0/24], reason: fibre cut, until: 2026-11-29T04:14:00Z}")
	for _, item := range items {
		out = append(out, p.drain(item))
	}
	return out
}

// drain reads one entry.
func (p parser) drain(v mapfile.Value) Drain {
	d := Drain{Source: fmt.Sprintf("%s:%d", p.name, v.Line())}
	values, ok := p.Mapping(v, "a drain", "addresses", "site", "map", "reason", "by", "since", "until")
	if !ok {
		return d
	}
	addresses, site, addressMap := values[0], values[1], values[2]
	reason, by, since, until := values[3], values[4], values[5], values[6]

	named := 0
	for _, of := range values[:3] {
		if of.IsNone() {
			continue
		}
		if named++; named == 2 {
			p.Refuse(of, "V1", "make a drain of its own of each", "a drain has more than one of addresses, site and map")
		}
	}
	if named == 0 {
		p.Refuse(v, "V1", "write addresses: [PREFIX], site: NAME or map: ID", "a drain does not say what it drains")
	}
	d.Addresses = p.addresses(addresses)
	d.Site = p.optional(site, "site")
	d.Map = p.optional(addressMap, "map")
	d.By = p.optional(by, "by")
	if d.Reason = p.optional(reason, "reason"); reason.IsNone() {
		p.Refuse(v, "V1", `add "reason": who finds the drain at night wants to know why`, `a drain has no "reason"`)
	}
	if until.IsNone() {
		p.Refuse(v, "V1", `add "until", when the drain ends by itself`, `a drain has no "until"`)
	}
	sinceOK, untilOK := false, false
	d.Since, sinceOK = p.time(since, "since")
	if d.Until, untilOK = p.time(until, "until"); sinceOK && untilOK && !d.Until.After(d.Since) {
		p.Refuse(until, "V1", "write a later time", `"until" is not after "since"`)
	}
	return d
}

// addresses reads what a drain drains.
func (p parser) addresses(v mapfile.Value) []netip.Prefix {
	if v.IsNone() {
		return nil
	}
	items, ok := p.List(v, "addresses", "write a list, as in addresses: [203.0.113.0/24]")
	if ok && len(items) == 0 {
		p.Refuse(v, "V1", "write at least one prefix or address", `"addresses" is empty`)
	}
	var out []netip.Prefix
	first := make(map[netip.Prefix]int) // :: prefix → line
	for _, item := range items {
		space, ok := p.Space(item, "addresses")
		if !ok {
			continue
		}
		if line, twice := first[space]; twice {
			p.Refuse(item, "V2", "keep one of the two", `%s stands twice in "addresses", first in line %d`, space, line)
			continue
		}
		first[space] = item.Line()
		out = append(out, space)
	}
	return out
}

// optional reads the value of key as text, "" if there is none.
func (p parser) optional(v mapfile.Value, key string) string {
	if v.IsNone() {
		return ""
	}
	s, _ := p.Text(v, key)
	return s
}

// time reads the value of key as a time. It reports false if there is no time to go by.
func (p parser) time(v mapfile.Value, key string) (time.Time, bool) {
	if v.IsNone() {
		return time.Time{}, false
	}
	s, ok := p.Text(v, key)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		p.Refuse(v, "V1", "write date, time and zone, as in 2026-11-29T04:14:00Z", "%q is no time: %s", key, mapfile.Quoted(s))
		return time.Time{}, false
	}
	return t, true
}
