// Package who says who is on an address: the accounts, zones and names that are answered
// with it, where the map has it, and which of these places answer for nobody.
package who

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// Query is the addresses that are asked about: those of a prefix, or those of a name.
type Query struct {
	prefix netip.Prefix
	addrs  map[netip.Addr]struct{} // nil for a prefix
	// together: only names that have no other address count.
	together bool
}

// Parse reads an address or prefix as an operator has it at hand.
func Parse(text string) (Query, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	prefix, err := netip.ParsePrefix(bare)
	if err != nil {
		var ip netip.Addr
		if ip, err = netip.ParseAddr(bare); err == nil && ip.Zone() == "" {
			prefix = netip.PrefixFrom(ip, ip.BitLen())
		}
	}
	switch ip := prefix.Addr(); {
	case prefix.IsValid() && !ip.Is4In6():
		return Query{prefix: prefix.Masked()}, nil
	case prefix.IsValid() && prefix.Bits() >= 96:
		return Query{}, fmt.Errorf("%q is IPv4-mapped, which no answer is: write %s", text, shown(netip.PrefixFrom(ip.Unmap(), prefix.Bits()-96).Masked()))
	}
	remedy := "write one such as 203.0.113.10, 203.0.113.0/24 or 2001:db8::1"
	if host, _, err := net.SplitHostPort(text); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil {
			remedy = "write it without the port: " + ip.WithZone("").String()
		}
	} else if ip, err := netip.ParseAddr(bare); err == nil && ip.Zone() != "" {
		remedy = "write it without the zone: " + ip.WithZone("").String()
	}
	return Query{}, fmt.Errorf("%q is no address or prefix: %s", text, remedy)
}

// Of is the query for the names that have no address but those of a decision.
func Of(d mapset.Decision) Query {
	q := Query{addrs: make(map[netip.Addr]struct{}), together: true}
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		for _, ip := range d.Addrs(f) {
			q.addrs[ip] = struct{}{}
		}
	}
	return q
}

// String is the address or prefix; "" for the addresses of a name.
func (q Query) String() string {
	if q.addrs != nil {
		return ""
	}
	return shown(q.prefix)
}

// shown is a prefix, or the address if it is the only one.
func shown(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func (q Query) has(ip netip.Addr) bool {
	if q.addrs != nil {
		_, ok := q.addrs[ip]
		return ok
	}
	return q.prefix.Contains(ip)
}

// overlaps reports whether a prefix has an address that is asked about.
func (q Query) overlaps(p netip.Prefix) bool {
	for ip := range q.addrs {
		if p.Contains(ip) {
			return true
		}
	}
	return q.addrs == nil && q.prefix.Overlaps(p)
}

// of returns those of some addresses that are asked about.
func (q Query) of(all []netip.Addr) (out []netip.Addr) {
	for _, ip := range all {
		if q.has(ip) {
			out = append(out, ip)
		}
	}
	return out
}
