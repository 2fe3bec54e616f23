package mapfile

import (
	"net/netip"
	"strings"
)

// addrs reads a list of addresses as text, and if objects is set also as mappings with
// the key "ip", which the API prints. Refused addresses are left out.
func (d *decoder) addrs(n *node, key string, objects bool) []Addr {
	items := d.list(n, key)
	if len(items) == 0 {
		return nil
	}
	out, first := make([]Addr, 0, len(items)), make(map[netip.Addr]Pos, len(items))
	for i := range items {
		item := &items[i]
		if objects && item.kind == kindMap {
			if item = d.ipObject(item); item == nil {
				continue
			}
		}
		s, ok := d.itemText(item, key)
		if !ok {
			continue
		}
		ip, ok := d.ip(item, s)
		if !ok {
			continue
		}
		if at, dup := first[ip]; dup {
			d.refuse(item.pos, "V2", "keep one of the two", "address %q stands twice in %q, first in line %d", ip, key, at.Line)
			continue
		}
		first[ip] = item.pos
		out = append(out, Addr{IP: ip, Pos: item.pos})
	}
	return out
}

// MaxAddrs is how many addresses of one family may be answered together (V16). An
// answer with more, or the HTTPS record that hints at them, would not fit a DNS
// message.
const MaxAddrs = 1000

// answerAddrs is addrs for a list that is answered as a whole, which has a limit.
func (d *decoder) answerAddrs(n *node, key string, objects bool) []Addr {
	out := d.addrs(n, key, objects)
	var v4, v6 []Pos
	for _, a := range out {
		if a.IP.Is4() {
			v4 = append(v4, a.Pos)
		} else {
			v6 = append(v6, a.Pos)
		}
	}
	d.checkCount(v4, "IPv4", key)
	d.checkCount(v6, "IPv6", key)
	return out
}

// checkCount refuses the first address beyond the limit.
func (d *decoder) checkCount(positions []Pos, family, key string) {
	if len(positions) > MaxAddrs {
		d.refuse(positions[MaxAddrs], "V16", "take addresses out: an answer with more does not fit a DNS message",
			"%q has %d %s addresses, more than %d", key, len(positions), family, MaxAddrs)
	}
}

// ipObject returns the value of "ip" in an entry of "ips" that is a mapping, or nil.
func (d *decoder) ipObject(n *node) *node {
	if len(n.children) == 2 && n.children[1].kind == kindNull && strings.Contains(n.children[0].text, ":") {
		d.refuse(n.pos, "V1", "put the IPv6 address in quotes", "an address must be text, not a mapping")
		return nil
	}
	o, _ := d.object(n, &ipKeys)
	if at := o.get("created_at"); at != nil {
		d.text(at, "created_at")
	}
	return d.required(&o, "ip")
}

// ip reads s, which stands at n, as an address that an answer may have.
func (d *decoder) ip(n *node, s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		remedy := "write an IPv4 or IPv6 address"
		if _, err := netip.ParsePrefix(s); err == nil {
			remedy = "write a single address, without the prefix length"
		}
		d.refuse(n.pos, "V2", remedy, "%s is no IP address", quoted(s))
		return ip, false
	}
	if text := Unfit(ip); text != "" {
		remedy := "write the unicast address of an edge server"
		if plain := ip.Unmap().WithZone(""); plain != ip && Unfit(plain) == "" {
			remedy = "write " + plain.String()
		}
		d.refuse(n.pos, "V2", remedy, "address %s %s", quoted(s), text)
		return ip, false
	}
	return ip, true
}

// broadcast is the address of all hosts of a network, and of no edge server.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// Unfit returns why ip is no address of an edge server (V2), as in "is multicast", or
// "".
func Unfit(ip netip.Addr) string {
	switch {
	case ip.Zone() != "":
		return "has a zone"
	case ip.Is4In6():
		return "is IPv4-mapped IPv6"
	case ip.IsUnspecified():
		return "is unspecified"
	case ip.IsMulticast():
		return "is multicast"
	case ip == broadcast:
		return "is the broadcast address"
	}
	return ""
}

// prefixes reads a list of prefixes as text, and if objects is set also as mappings.
func (d *decoder) prefixes(n *node, key string, objects bool) []Prefix {
	items := d.list(n, key)
	if len(items) == 0 {
		return nil
	}
	out, first := make([]Prefix, 0, len(items)), make(map[netip.Prefix]Pos, len(items))
	for i := range items {
		item, advertised := &items[i], true
		if objects && item.kind == kindMap {
			o, _ := d.object(item, &prefixKeys)
			advertised = d.flag(o.get("advertised"), "advertised", true)
			if item = d.required(&o, "cidr"); item == nil {
				continue
			}
		}
		s, ok := d.itemText(item, key)
		if !ok {
			continue
		}
		p, ok := d.prefix(item, s)
		if !ok {
			continue
		}
		if at, dup := first[p]; dup {
			d.refuse(item.pos, "V2", "keep one of the two", "prefix %q stands twice in %q, first in line %d", p, key, at.Line)
			continue
		}
		first[p] = item.pos
		out = append(out, Prefix{CIDR: p, Advertised: advertised, Pos: item.pos})
	}
	return out
}

// prefix reads s, which stands at n, as address space. Bits beyond the length are
// refused: either the address or the length is wrong, and only the author knows
// which.
func (d *decoder) prefix(n *node, s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		remedy := "write an address and a prefix length, as in 192.0.2.0/24"
		if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
			remedy = "write the prefix length: " + netip.PrefixFrom(ip, ip.BitLen()).String() + " is this one address"
		}
		d.refuse(n.pos, "V2", remedy, "%s is no IP prefix", quoted(s))
		return p, false
	}
	if text := Unfit(p.Addr()); text != "" {
		remedy := "write address space that an edge server can use"
		if p.Addr().Is4In6() {
			remedy = "write it as an IPv4 prefix"
		}
		d.refuse(n.pos, "V2", remedy, "prefix %s %s", quoted(s), text)
		return p, false
	}
	if p != p.Masked() {
		d.refuse(n.pos, "V2", "write "+p.Masked().String()+", or the length that was meant", "prefix %s has bits set beyond its length", quoted(s))
		return p, false
	}
	return p, true
}
