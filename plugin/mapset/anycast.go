package mapset

import (
	"fmt"
	"net/netip"

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
