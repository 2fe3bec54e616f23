package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// hasZone reports whether the backend has a zone with this apex, as far as it says.
// Where it fails to say, the zone counts as one that it has not: then what a zone
// further up says of the name holds.
func (c *conversation) hasZone(zone fqdn.Name) bool {
	return c.learn(Apex{Zone: zone}, func() (bool, bool) {
		rep := c.ask(string(zone), dns.TypeSOA, false)
		f := findingOf(&rep, zone, dns.TypeSOA)
		// A failure, a reply that was cut and one beside an alias say nothing.
		certain := f.known() && f != alias && (f == absent || rep.Msg.Rcode == dns.RcodeSuccess) && !rep.Msg.Truncated
		return certain && has(rep.Msg, zone, dns.TypeSOA), certain
	})
}

// hasWildcard reports whether the backend may answer for names of a zone that it does
// not have from a wildcard with an address or an alias, which lies above the zone and
// in the declared zone outer. Where it fails to say, it may.
func (c *conversation) hasWildcard(zone, outer fqdn.Name) bool {
	return c.learn(Apex{zone, outer}, func() (bool, bool) {
		for n, ok := zone.Parent(); ok && n.In(outer); n, ok = n.Parent() {
			for _, t := range []uint16{dns.TypeCNAME, dns.TypeA, dns.TypeAAAA} {
				rep := c.ask(string(n.Wildcard()), t, false)
				switch f := findingOf(&rep, n.Wildcard(), t); f {
				case absent, empty, referred:
				default:
					return true, f.known()
				}
			}
		}
		return false, true
	})
}

// learn returns what is known of z, or asks, and lets the backend learn the answer if
// that is certain.
func (c *conversation) learn(z Apex, ask func() (has, certain bool)) bool {
	if has, known := c.names.Backend.KnownZone(z); known {
		return has
	}
	has, certain := ask()
	if certain {
		c.names.Backend.LearnZone(z, has, c.moment)
	}
	return has
}
