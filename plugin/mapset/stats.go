package mapset

import (
	"net/netip"

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
func statsOf(doc *mapfile.Document, b *block) Stats {
	st := Stats{Accounts: len(doc.Accounts), Zones: len(b.zones)}
	for _, z := range b.zones {
		st.ProxiedNames += z.names()
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

// addresses returns every address that stands in anycast, on a map or on an
// application, and whether it is usable.
func (s *Snapshot) addresses() map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	add := func(set addrSet) {
		for _, ip := range set.written {
			out[ip] = false
		}
		for _, ip := range set.usable {
			out[ip] = true
		}
	}
	add(addrSet{s.anycast, s.anycast})
	for _, a := range s.accounts {
		for _, m := range a.maps {
			add(m.ips)
		}
	}
	for z := range s.zones.all() {
		for _, app := range z.apps {
			add(app.ips)
		}
	}
	return out
}
