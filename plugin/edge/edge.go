// Package edge exports a map for the servers behind the mapped addresses: which
// addresses to bind, which certificate a client without SNI gets on each address, and
// where the origin of each proxied name is. It prints the configuration of common
// servers and reads no disk.
//
// Names that tenants write become part of configuration files, so that package edge
// writes only host names and addresses.
package edge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Address is an address that the edge must bind, with its uses. An address on a
// disabled map or in a withdrawn prefix counts too, because an address must be bound
// before it is answered.
type Address struct {
	Address    netip.Addr `json:"address"`
	Advertised bool       `json:"advertised"` // false: in a withdrawn prefix, not answered
	Anycast    bool       `json:"anycast,omitempty"`
	Maps       []string   `json:"maps,omitempty"`     // ids
	Spectrum   []string   `json:"spectrum,omitempty"` // names of applications
}

// Addresses returns the addresses of a map in order; anycast, if not empty, replaces
// the anycast addresses of the documents.
func Addresses(sources []mapset.Source, anycast []netip.Addr) []Address {
	byAddress := make(map[netip.Addr]*Address)
	at := func(ip netip.Addr) *Address {
		if byAddress[ip] == nil {
			byAddress[ip] = &Address{Address: ip, Advertised: isAdvertised(sources, ip)}
		}
		return byAddress[ip]
	}
	for _, ip := range anycast {
		at(ip).Anycast = true
	}
	for _, s := range sources {
		for _, ip := range s.Doc.Anycast {
			if len(anycast) == 0 {
				at(ip.IP).Anycast = true
			}
		}
		for i := range s.Doc.Accounts {
			acc := &s.Doc.Accounts[i]
			for _, m := range acc.Maps {
				for _, ip := range m.IPs {
					at(ip.IP).Maps = append(at(ip.IP).Maps, m.ID)
				}
			}
			for _, app := range acc.Spectrum {
				for _, ip := range app.IPs {
					at(ip.IP).Spectrum = append(at(ip.IP).Spectrum, hostName(app.Name))
				}
			}
		}
	}
	out := make([]Address, 0, len(byAddress))
	for _, a := range byAddress {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Address) int { return a.Address.Compare(b.Address) })
	return out
}

// isAdvertised reports whether the longest prefix of all accounts that contains an
// address is not withdrawn.
func isAdvertised(sources []mapset.Source, ip netip.Addr) bool {
	bits, out := -1, true
	for _, s := range sources {
		for i := range s.Doc.Accounts {
			for _, p := range s.Doc.Accounts[i].Prefixes {
				if p.CIDR.Contains(ip) && p.CIDR.Bits() > bits {
					bits, out = p.CIDR.Bits(), p.Advertised
				}
			}
		}
	}
	return out
}

// SNI is the certificate name of connections without SNI to one address.
type SNI struct {
	Address netip.Addr `json:"address"`
	Name    string     `json:"name"` // may begin with "*."
	Map     string     `json:"map"`
	Account string     `json:"account"`
}

// SNIs returns the default SNI of each address that has one, in order, and warnings
// about the default SNIs that are left out. A disabled map counts: it is disabled for
// the DNS alone. Of several maps of an address, an enabled one comes first.
func SNIs(sources []mapset.Source) (out []SNI, warnings []string) {
	byAddress := make(map[netip.Addr]SNI)
	add := func(acc *mapfile.Account, m *mapfile.AddressMap) {
		parsed, err := fqdn.Parse(m.DefaultSNI) // Clients send A-labels (RFC 6066, section 3).
		name := hostName(parsed)
		if err != nil || !isHostName(name) || strings.HasPrefix(name, "_.") { // The latter is how the file of a wildcard is called.
			warnings = append(warnings, "default_sni "+quoted(m.DefaultSNI)+" of map "+m.ID+" is no name of a certificate: left out")
			return
		}
		for _, ip := range m.IPs {
			switch first, dup := byAddress[ip.IP]; {
			case !dup:
				byAddress[ip.IP] = SNI{ip.IP, name, m.ID, acc.ID}
			case first.Name != name:
				warnings = append(warnings, ip.IP.String()+" has the default SNI "+first.Name+" of map "+first.Map+", and not "+name+" of map "+m.ID)
			}
		}
	}
	for _, enabled := range []bool{true, false} {
		for _, s := range sources {
			for i := range s.Doc.Accounts {
				acc := &s.Doc.Accounts[i]
				for j := range acc.Maps {
					if m := &acc.Maps[j]; m.Enabled == enabled && m.DefaultSNI != "" {
						add(acc, m)
					}
				}
			}
		}
	}
	out = make([]SNI, 0, len(byAddress))
	for _, s := range byAddress {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b SNI) int { return a.Address.Compare(b.Address) })
	return out, warnings
}

// hostName is a name without its last dot, as in a Host header and SNI.
func hostName(name fqdn.Name) string { return strings.TrimSuffix(string(name), ".") }

// blockName names the part of a configuration that is for one name, such as an upstream of
// nginx. Two names never have the same: no host name has a "*".
func blockName(name string) string {
	if below, is := strings.CutPrefix(name, "*."); is {
		return "addressmap_wildcard_" + below
	}
	return "addressmap_name_" + name
}

// isHostName reports whether a name is a host name (RFC 952, RFC 1123, and the
// underscore), in lower case, with or without a wildcard label in front. No character
// of a host name is special in configuration files.
func isHostName(name string) bool {
	name = strings.TrimPrefix(name, "*.")
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
