package world

import (
	"net/netip"

	"github.com/addressmap/addressmap/test/judge"
)

// memberNames are the names that are members of an address map themselves.
func memberNames(spec Spec) []string {
	switch spec["members"] {
	case "names":
		return []string{"www", "flat", "x.wild", "www." + Net}
	case "wildcard":
		return []string{"*.wild"}
	}
	return nil
}

// members gives names the addresses of the address map that they are members of: those
// named, and those that the mark of a wildcard covers. In a zone of which everything is
// proxied, the membership of a wildcard is its mark.
func (b *builder) members() {
	for _, o := range memberNames(b.spec) {
		b.ofMap(o)
		b.names[full(o)].Own = true
	}
	if rw := b.names[full("rw")]; b.spec["members"] == "names" && b.spec["front"] == "rewrite" && rw.Status == judge.Proxied {
		b.ofMap("rw") // www is asked in its place
	}
	if b.spec["members"] != "wildcard" {
		return
	}
	b.ofMap("x.wild")
	b.ofMap("a.b.wild")
	if b.tells() || b.spec["marks"] == "zone_file_default" {
		return // what exists by itself, or has a mark, is not covered
	}
	list := []string{"own.wild"}
	if b.spec["marks"] == "all" {
		list = append(list, "ex.wild", "*.deep.wild", "own.deep.wild", "z.deep.wild")
	}
	for _, o := range list {
		switch b.spec["backend"] {
		case "hosts+file", "template+file":
			b.name(full(o), judge.Unsure) // one of the two tells, the other does not
		default:
			b.ofMap(o)
		}
	}
}

// ofMap gives a name the addresses of the map of names.
func (b *builder) ofMap(owner string) {
	n := b.names[full(owner)]
	n.V4, n.V6 = []netip.Addr{netip.MustParseAddr("203.0.113.20")}, []netip.Addr{netip.MustParseAddr("2001:db8:100::20")}
}

// anycast4 is the IPv4 anycast address that is answered: at a site that has one, its own.
func (b *builder) anycast4() netip.Addr {
	if b.spec["site"] == "fra" {
		return netip.MustParseAddr("192.0.2.65")
	}
	return netip.MustParseAddr("192.0.2.1")
}

// memberships are those of the map of names, as the document has them.
func (w *World) memberships() string {
	out := ""
	for i, o := range memberNames(w.Spec) {
		if i > 0 {
			out += ", "
		}
		out += `{kind: name, identifier: "` + full(o) + `"}`
	}
	return out
}
