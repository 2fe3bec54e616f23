package exposure

import (
	"net"
	"net/netip"
	"sort"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// The longest networks of which a text about them tells nobody where a host is: those of
// a whole site or provider are no address.
const maxHostBits4, maxHostBits6 = 8, 64

// addressesIn returns the addresses in the RDATA of a record.
func addressesIn(rr dns.RR) (out []netip.Addr) {
	add := func(ips ...net.IP) {
		for _, ip := range ips {
			if addr, ok := netip.AddrFromSlice(ip); ok {
				out = append(out, addr.Unmap())
			}
		}
	}
	switch rr := rr.(type) {
	case *dns.A:
		add(rr.A)
	case *dns.AAAA:
		add(rr.AAAA)
	case *dns.HTTPS:
		add(hintsOf(rr.Value)...)
	case *dns.SVCB:
		add(hintsOf(rr.Value)...)
	}
	return out
}

// hintsOf returns the hints among the parameters of a record (RFC 9460, section 7.3).
func hintsOf(params []dns.SVCBKeyValue) (out []net.IP) {
	for _, p := range params {
		switch p := p.(type) {
		case *dns.SVCBIPv4Hint:
			out = append(out, p.Hint...)
		case *dns.SVCBIPv6Hint:
			out = append(out, p.Hint...)
		}
	}
	return out
}

// originIn returns the proxied name whose origin a text has the address of, or "": by
// itself, or in an ip4 or ip6 mechanism of SPF (RFC 7208, section 5.6), which may be a
// small network.
func (s *search) originIn(texts []string) fqdn.Name {
	for _, word := range strings.Fields(strings.Join(texts, "")) {
		word = strings.Trim(word, `"',;+?~-`)
		for _, mechanism := range []string{"ip4:", "ip6:"} {
			if len(word) > len(mechanism) && strings.EqualFold(word[:len(mechanism)], mechanism) {
				word = word[len(mechanism):]
			}
		}
		if ip, err := netip.ParseAddr(word); err == nil {
			if hidden := s.originOf([]netip.Addr{ip}); hidden != "" {
				return hidden
			}
		}
		if prefix, err := netip.ParsePrefix(word); err == nil {
			if hidden := s.originWithin(prefix.Masked()); hidden != "" {
				return hidden
			}
		}
	}
	return ""
}

// originWithin returns a proxied name with its origin in a network, or "".
func (s *search) originWithin(prefix netip.Prefix) fqdn.Name {
	most := maxHostBits6
	if prefix.Addr().Is4() {
		most = maxHostBits4
	}
	if prefix.Addr().BitLen()-prefix.Bits() > most {
		return ""
	}
	i := sort.Search(len(s.sorted), func(i int) bool { return s.sorted[i].Compare(prefix.Addr()) >= 0 })
	if i == len(s.sorted) || !prefix.Contains(s.sorted[i]) {
		return ""
	}
	return s.origins[s.sorted[i]]
}
