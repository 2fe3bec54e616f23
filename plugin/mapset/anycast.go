package mapset

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// ParseAnycast reads the anycast of [Options] as the Corefile and the command line
// have it. The rules are those of a document (V2 and V16).
func ParseAnycast(args []string) ([]netip.Addr, error) {
	var out []netip.Addr
	seen := make(map[netip.Addr]bool)
	v4 := 0
	for _, arg := range args {
		ip, err := netip.ParseAddr(arg)
		switch {
		case err != nil || ip.Zone() != "":
			return nil, fmt.Errorf("%q is no IP address: write one such as 192.0.2.1 or 2001:db8::1", arg)
		case ip.Is4In6():
			return nil, fmt.Errorf("%q is an IPv4-mapped IPv6 address: write %s", arg, ip.Unmap())
		case mapfile.Unfit(ip) != "":
			return nil, fmt.Errorf("%q is no unicast address: write that of an edge server", arg)
		case seen[ip]:
			return nil, fmt.Errorf("%q stands twice: keep one of the two", arg)
		}
		seen[ip] = true
		out = append(out, ip)
		if ip.Is4() {
			v4++
		}
	}
	if n := max(v4, len(out)-v4); n > mapfile.MaxAddrs {
		return nil, fmt.Errorf("%d addresses of one family are more than %d: an answer with them does not fit a DNS message", n, mapfile.MaxAddrs)
	}
	return out, nil
}

// anycast takes the addresses of the Corefile, else those that the one document with any
// has for the site. It reports whether they are others than before.
func (b *builder) anycast(changed []*mapfile.Document) bool {
	override := b.opt.Anycast
	var holder *mapfile.Document
	if d := b.snap.documents[b.anycastIn]; d != nil {
		holder = d.source
	}
	for _, doc := range changed {
		b.anycastUnknown = b.anycastUnknown || doc.AnycastInvalid && len(override) == 0
		switch {
		case !doc.HoldsAnycast():
		case holder != nil:
			b.refuse(doc, doc.Pos, "V4", "keep anycast and sites in one document of the directory", "%s in %s already", whichAnycast(holder), holder.Name)
		default:
			holder, b.anycastIn = doc, doc.Name
		}
	}
	addrs := slices.Clone(override)
	b.snap.unknownSite = ""
	if holder != nil && len(override) == 0 {
		addrs = b.ofSite(holder)
	} else if b.opt.Site != "" {
		b.snap.unknownSite = unknownSite(b.opt.Site, nil)
	}
	b.everyone = new(Pool).of(StepAnycast, "", addrs)
	if slices.Equal(addrs, b.snap.anycast) {
		return false
	}
	b.snap.anycast = addrs
	return true
}

// whichAnycast says which of the anycast addresses the document that has any has.
func whichAnycast(doc *mapfile.Document) string {
	if len(doc.Anycast) > 0 {
		return "anycast stands"
	}
	return "sites stand"
}

// ofSite returns the anycast addresses of the document for the site: of each family those
// of the site, or the general ones where it has none.
func (b *builder) ofSite(doc *mapfile.Document) []netip.Addr {
	general := mapfile.IPs(doc.Anycast)
	if b.opt.Site == "" {
		return general
	}
	i := slices.IndexFunc(doc.Sites, func(s mapfile.Site) bool { return s.Name == b.opt.Site })
	if i < 0 {
		b.snap.unknownSite = unknownSite(b.opt.Site, doc)
		return general
	}
	own := mapfile.IPs(doc.Sites[i].Anycast)
	for _, is4 := range [...]bool{true, false} {
		ofFamily := func(ip netip.Addr) bool { return ip.Is4() == is4 }
		if slices.ContainsFunc(own, ofFamily) {
			general = slices.DeleteFunc(general, ofFamily)
		}
	}
	return append(own, general...)
}

// unknownSite says that the document does not know the site. doc is nil if none has sites.
func unknownSite(site string, doc *mapfile.Document) string {
	const few = 5 // sites that a line can name
	known := "no document has sites"
	if doc != nil && len(doc.Sites) > 0 {
		names := make([]string, 0, few)
		for _, s := range doc.Sites[:min(few, len(doc.Sites))] {
			names = append(names, s.Name)
		}
		known = doc.Name + " has " + strings.Join(names, ", ")
		if len(doc.Sites) > few {
			known += ", …"
		}
	}
	return fmt.Sprintf("site %q is unknown to the map (%s)", site, known)
}

// refuseUnreachable refuses what has no address to be answered with (V15). Where anycast
// might have been it and the site is unknown, that is said: its name may be misspelt.
func (b *builder) refuseUnreachable(doc *mapfile.Document, a *mapfile.Account, pos mapfile.Pos, remedy, format string, args ...any) {
	if b.snap.unknownSite != "" && !a.BYOIPOnly {
		remedy = "correct the site that the server names, or " + remedy
		format, args = format+"; %s", append(args, b.snap.unknownSite)
	}
	b.refuse(doc, pos, "V15", remedy, format, args...)
}
