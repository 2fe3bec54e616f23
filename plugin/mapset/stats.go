package mapset

import (
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Stats counts what a snapshot holds.
type Stats struct {
	Accounts, Zones, ProxiedNames, AddressMaps, Addresses int
}

// Stats returns how much the snapshot holds. The names are those of [Changes].
func (s *Snapshot) Stats() Stats { return s.stats }

func (s *Stats) add(o Stats) {
	s.Accounts += o.Accounts
	s.Zones += o.Zones
	s.ProxiedNames += o.ProxiedNames
	s.AddressMaps += o.AddressMaps
	s.Addresses += o.Addresses
}

// statsOf counts what one document gave. An address counts once in an account.
func statsOf(doc *mapfile.Document, zones []zone) Stats {
	st := Stats{Accounts: len(doc.Accounts), Zones: len(zones)}
	for i := range zones {
		st.ProxiedNames += zones[i].names()
	}
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		st.AddressMaps += len(a.Maps)
		distinct := make(map[netip.Addr]struct{})
		for j := range a.Maps {
			for _, ip := range a.Maps[j].IPs {
				distinct[ip.IP] = struct{}{}
			}
		}
		for j := range a.Spectrum {
			for _, ip := range a.Spectrum[j].IPs {
				distinct[ip.IP] = struct{}{}
			}
		}
		st.Addresses += len(distinct)
	}
	return st
}

// addressesOf returns the addresses that stand in anycast, on a map of one of the
// accounts or on an application of one of the zones, and whether each is usable.
func (s *Snapshot) addressesOf(accounts []string, zones []fqdn.Name) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	add := func(set addrSet) {
		for _, ip := range set.written {
			if _, known := out[ip]; !known {
				out[ip] = false
			}
		}
		for _, ip := range set.usable {
			out[ip] = true
		}
	}
	add(addrSet{s.anycast, s.anycast})
	for _, id := range accounts {
		if a := s.accounts[id]; a != nil {
			for _, m := range a.maps {
				add(m.ips)
			}
		}
	}
	for _, apex := range zones {
		z := s.zones[apex]
		if z == nil {
			continue
		}
		for _, app := range z.apps {
			add(app.ips)
		}
	}
	return out
}

// unchanged calls f for the addresses of accounts that are the same in other, and
// of the applications of all zones but these.
func (s *Snapshot) unchanged(other *Snapshot, zones []fqdn.Name, f func(netip.Addr)) {
	for id, a := range s.accounts {
		if other.accounts[id] != a {
			continue
		}
		for _, m := range a.maps {
			for _, ip := range m.ips.written {
				f(ip)
			}
		}
	}
	touched := fqdn.NewSet(zones...)
	for apex, z := range s.zones {
		if _, skip := touched[apex]; skip {
			continue
		}
		for _, app := range z.apps {
			for _, ip := range app.ips.written {
				f(ip)
			}
		}
	}
}
