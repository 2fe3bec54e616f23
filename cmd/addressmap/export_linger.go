package main

import (
	"net/netip"
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/edge"
)

// lingering keeps addresses that have gone for a while, with their certificate names:
// clients have answers with them until the TTL is over, which a resolver may begin to
// count late.
type lingering struct {
	pause time.Duration
	known map[netip.Addr]*bound
}

// bound is an address as it was last in force.
type bound struct {
	address edge.Address
	sni     *edge.SNI
	gone    time.Time // zero while it is in force
}

// add adds to the addresses and default SNIs of a version those that have gone. It returns
// the addresses that have gone since the last call, and when the next one leaves, zero for
// never.
func (g *lingering) add(l *loaded, now time.Time) (gone []netip.Addr, next time.Time) {
	if g.known == nil {
		g.known = make(map[netip.Addr]*bound)
	}
	is := make(map[netip.Addr]bool, len(l.addresses))
	for _, a := range l.addresses {
		is[a.Address] = true
		g.known[a.Address] = &bound{address: a}
	}
	for _, s := range l.snis {
		if b := g.known[s.Address]; b != nil {
			b.sni = &s
		}
	}
	for ip, b := range g.known {
		if is[ip] {
			continue
		}
		if b.gone.IsZero() {
			b.gone = now
			gone = append(gone, ip)
		}
		end := b.gone.Add(g.pause)
		if !now.Before(end) {
			delete(g.known, ip)
			continue
		}
		if next.IsZero() || end.Before(next) {
			next = end
		}
		l.addresses = append(l.addresses, b.address)
		if b.sni != nil {
			l.snis = append(l.snis, *b.sni)
		}
	}
	slices.SortFunc(gone, netip.Addr.Compare)
	slices.SortFunc(l.addresses, func(a, b edge.Address) int { return a.Address.Compare(b.Address) })
	slices.SortFunc(l.snis, func(a, b edge.SNI) int { return a.Address.Compare(b.Address) })
	return gone, next
}
