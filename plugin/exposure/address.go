package exposure

import (
	"net"
	"net/netip"
	"regexp"
	"sort"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// The longest networks of which a text about them tells nobody where a host is: those of
// a whole site or provider are no address.
const maxHostBits4, maxHostBits6 = 8, 64

// nobodys are addresses that tell no origin: those in its place where there is none (RFC
// 6666, and that of a placeholder), and those that every host has for itself.
var nobodys = []netip.Prefix{netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("192.0.0.8/32"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// addressesIn returns the addresses in the RDATA of a record.
func addressesIn(rr dns.RR) (out []string) {
	add := func(ips ...net.IP) {
		for _, ip := range ips {
			if addr, ok := netip.AddrFromSlice(ip); ok {
				out = append(out, addr.Unmap().String())
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

// addressText matches what may be an address or a network.
var addressText = regexp.MustCompile(`[0-9]+(?:\.[0-9]+){3}(?:/[0-9]+)?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:/[0-9]+)?`)

// nameText matches what may be a host name.
var nameText = regexp.MustCompile(`[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)+`)

// originIn returns the proxied name whose origin a text has the address or name of, or
// "": by itself, or as a small network, as in SPF (RFC 7208, section 5.6).
func (s *search) originIn(text string) fqdn.Name {
	for _, word := range nameText.FindAllString(text, -1) {
		if hidden := s.originOf(string(fqdn.Canonical(word))); hidden != "" {
			return hidden
		}
	}
	for _, word := range addressText.FindAllString(text, -1) {
		// The first letters may be another word's: "ip6:2001:db8::1".
		for ok := true; ok; _, word, ok = strings.Cut(word, ":") {
			if ip, err := netip.ParseAddr(strings.TrimRight(word, ".")); err == nil {
				if hidden := s.originOf(ip.Unmap().String()); hidden != "" {
					return hidden
				}
			}
			if prefix, err := netip.ParsePrefix(word); err == nil {
				if hidden := s.originWithin(prefix.Masked()); hidden != "" {
					return hidden
				}
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
	return s.origins[s.sorted[i].String()]
}

// originBySPF returns the proxied name to whose origin the mechanisms a and mx of an SPF
// record lead (RFC 7208, sections 5.3 and 5.4), or "".
func (s *search) originBySPF(text string, owner fqdn.Name) fqdn.Name {
	words := strings.Fields(text)
	if len(words) == 0 || !strings.EqualFold(words[0], "v=spf1") {
		return ""
	}
	for _, word := range words[1:] {
		word, bits6, _ := strings.Cut(strings.TrimLeft(word, "+-~?"), "//")
		word, bits4, _ := strings.Cut(word, "/")
		mechanism, host, given := strings.Cut(word, ":")
		domain := owner
		if given {
			domain = fqdn.Canonical(host)
		}
		hosts := []fqdn.Name{domain}
		switch strings.ToLower(mechanism) {
		case "a":
		case "mx":
			_, records := s.at(domain)
			hosts = nil
			for _, r := range records {
				if mx, ok := r.RR.(*dns.MX); ok {
					hosts = append(hosts, fqdn.Canonical(mx.Mx))
				}
			}
		default:
			continue
		}
		for _, h := range hosts {
			for _, end := range s.ends(h, false) {
				if hidden := s.originOf(end); hidden != "" {
					return hidden
				}
				network := end + "/" + bits4
				if strings.Contains(end, ":") {
					network = end + "/" + bits6
				}
				if prefix, err := netip.ParsePrefix(network); err == nil {
					if hidden := s.originWithin(prefix.Masked()); hidden != "" {
						return hidden
					}
				}
			}
		}
	}
	return ""
}
