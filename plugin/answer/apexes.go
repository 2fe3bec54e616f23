package answer

import (
	"sync"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Apexes remembers, for as long as names are remembered, which declared zones the
// backend of a server block has, and which wildcards above them (R8). The zero Apexes
// is ready for use. It is safe for concurrent use.
type Apexes struct{ known sync.Map } // :: apex of a declared zone, or [above] → learned

// above is the wildcards between the apex of a declared zone and that of the next
// declared zone that encloses it.
type above struct{ zone, outer fqdn.Name }

// learned is what the backend said.
type learned struct {
	has  bool
	born uint32 // by the clock of the memory
}

// hasZone reports whether the backend has a zone with this apex, as far as it says.
// Where it fails to say, the zone counts as one that it has not: then what a zone
// further up says of the name holds.
func (c *conversation) hasZone(zone fqdn.Name) bool {
	return c.learn(zone, func() (bool, bool) {
		rep := c.ask(string(zone), dns.TypeSOA, false)
		f := find(&rep, zone, dns.TypeSOA)
		// A failure, a reply that was cut and one beside an alias say nothing.
		certain := f.known() && f != alias && (f == absent || rep.Msg.Rcode == dns.RcodeSuccess) && !rep.Msg.Truncated
		return certain && has(rep.Msg, zone, dns.TypeSOA), certain
	})
}

// hasWildcard reports whether the backend may answer for names of a zone that it does
// not have from a wildcard with an address or an alias, which lies above the zone and
// in the declared zone outer. Where it fails to say, it may.
func (c *conversation) hasWildcard(zone, outer fqdn.Name) bool {
	return c.learn(above{zone, outer}, func() (bool, bool) {
		for n, ok := zone.Parent(); ok && n.In(outer); n, ok = n.Parent() {
			for _, t := range []uint16{dns.TypeCNAME, dns.TypeA, dns.TypeAAAA} {
				rep := c.ask(string(n.Wildcard()), t, false)
				switch f := find(&rep, n.Wildcard(), t); f {
				case absent, empty, referred:
				default:
					return true, f.known()
				}
			}
		}
		return false, true
	})
}

// learn returns what is remembered, or asks and remembers the answer if it is certain.
func (c *conversation) learn(key any, ask func() (has, certain bool)) bool {
	remembering := c.names.Depth != nil && c.names.Memory.On()
	if remembering {
		if l, ok := c.names.Depth.known.Load(key); ok && c.names.Memory.Lasts(l.(learned).born) {
			return l.(learned).has
		}
	}
	has, certain := ask()
	if remembering && certain {
		c.names.Depth.known.Store(key, learned{has, c.born})
	}
	return has
}
