package mapfile

// sites reads the mapping of sites, whose keys are the names of the sites. A nil n has
// none.
func (d *decoder) sites(n *node) []Site {
	if n == nil {
		return nil
	}
	if n.kind != kindMap {
		d.refuse(n.pos, "V1", "write sites: {fra: {anycast: [192.0.2.65]}}, or leave the key out", `"sites" must be a mapping of names to sites, not %s`, n.kind)
		return nil
	}
	var out []Site
	first := make(map[string]Pos)
	for i := 0; i+1 < len(n.children); i += 2 {
		key := &n.children[i]
		name, named := d.scalarText(key, "the name of a site in %q", "sites")
		if at, twice := first[name]; named && twice {
			d.refuse(key.pos, "V1", "keep one of the two", "site %s stands twice, first in line %d", quoted(name), at.Line)
			continue
		}
		first[name] = key.pos
		o, ok := d.object(&n.children[i+1], &siteKeys)
		if !ok {
			continue
		}
		list := d.required(&o, "anycast")
		s := Site{Name: name, Pos: key.pos, Anycast: d.answerAddrs(list, "anycast", false)}
		if named && list != nil {
			out = append(out, s)
		}
	}
	return out
}
