package mapset

import (
	"iter"
	"net/netip"
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

// counted counts what the document gave. An address counts once in an account.
func (d *document) counted() Stats {
	st := Stats{Accounts: len(d.accounts), Zones: len(d.zones)}
	for i := range d.zones {
		st.ProxiedNames += d.zones[i].names()
	}
	type address struct {
		of *account
		ip netip.Addr
	}
	distinct := make(map[address]struct{})
	for a, set := range d.addresses() {
		for _, ip := range set.written {
			distinct[address{a, ip}] = struct{}{}
		}
	}
	for i := range d.accounts {
		st.AddressMaps += len(d.accounts[i].maps)
	}
	st.Addresses = len(distinct)
	return st
}

// addresses yields those on each map and application of the document.
func (d *document) addresses() iter.Seq2[*account, addrSet] {
	return func(yield func(*account, addrSet) bool) {
		for i := range d.accounts {
			for _, m := range d.accounts[i].maps {
				if !yield(&d.accounts[i], m.ips) {
					return
				}
			}
		}
		for i := range d.zones {
			for _, app := range d.zones[i].apps {
				if !yield(d.zones[i].account, app.ips) {
					return
				}
			}
		}
	}
}
