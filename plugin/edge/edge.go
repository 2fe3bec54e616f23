// Package edge tells what the servers behind the mapped addresses need to know:
// which addresses to bind, which certificate a client without SNI gets on each,
// and where the origin of each proxied name is. It reads no disk and prints the
// configuration of common servers.
//
// What tenants write ends up in configuration files here, so that only what is a
// host name or an address is let through.
package edge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Address is an address that the edge answers on, and why. An address counts
// from when it stands in the map, for it must be bound before it is answered: on
// a disabled map or in a withdrawn prefix too.
type Address struct {
	Address    netip.Addr `json:"address"`
	Advertised bool       `json:"advertised"` // false: in a withdrawn prefix, not answered
	Anycast    bool       `json:"anycast,omitempty"`
	Maps       []string   `json:"maps,omitempty"`     // ids
	Spectrum   []string   `json:"spectrum,omitempty"` // names of applications
}

// Addresses returns the addresses of a map in order; anycast, if not empty, is
// in place of that of the documents.
func Addresses(sources []mapset.Source, anycast []netip.Addr) []Address {
	found := make(map[netip.Addr]*Address)
	at := func(ip netip.Addr) *Address {
		if found[ip] == nil {
			found[ip] = &Address{Address: ip, Advertised: advertised(sources, ip)}
		}
		return found[ip]
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
					at(ip.IP).Spectrum = append(at(ip.IP).Spectrum, host(app.Name))
				}
			}
		}
	}
	out := make([]Address, 0, len(found))
	for _, a := range found {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Address) int { return a.Address.Compare(b.Address) })
	return out
}

// advertised reports whether the smallest prefix that an address lies in, of
// whichever account, is not withdrawn.
func advertised(sources []mapset.Source, ip netip.Addr) bool {
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

// SNIs returns the default SNI of each address that has one, in order, and what
// is wrong with others. A disabled map counts: it is disabled for the DNS alone.
// Of several maps of an address, an enabled one comes first.
func SNIs(sources []mapset.Source) (out []SNI, warnings []string) {
	found := make(map[netip.Addr]SNI)
	add := func(acc *mapfile.Account, m *mapfile.AddressMap) {
		name := strings.ToLower(strings.TrimSuffix(m.DefaultSNI, "."))
		if !isHost(name) {
			warnings = append(warnings, "default_sni "+quote(m.DefaultSNI)+" of map "+m.ID+" is no host name: left out")
			return
		}
		for _, ip := range m.IPs {
			switch first, dup := found[ip.IP]; {
			case !dup:
				found[ip.IP] = SNI{ip.IP, name, m.ID, acc.ID}
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
	out = make([]SNI, 0, len(found))
	for _, s := range found {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b SNI) int { return a.Address.Compare(b.Address) })
	return out, warnings
}

// host is a name as a Host header and SNI have it.
func host(name fqdn.Name) string { return strings.TrimSuffix(string(name), ".") }

// isHost reports whether a name is a host name (RFC 952, RFC 1123, and the
// underscore), in lower case, with or without a wildcard label in front. Nothing
// in it means anything to the parsers of configuration files.
func isHost(name string) bool {
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
