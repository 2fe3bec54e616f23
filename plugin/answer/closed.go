package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// shuts reports whether a name of the directive is closed (R26): a document of which no
// version is in force declares its zone, or may declare it.
func (n *Names) shuts(name fqdn.Name) bool {
	if n.Snapshot.Closed() == nil || !n.acts(name) {
		return false
	}
	return n.Snapshot.IsClosed(name) || n.Home.Encloses(name) && n.Snapshot.IsUnknown(name)
}

// shutsAny reports whether the owner of one of the records is closed.
func (n *Names) shutsAny(rrs []dns.RR) bool {
	return n.Snapshot.Closed() != nil && slices.ContainsFunc(rrs, func(rr dns.RR) bool {
		owner := fqdn.Canonical(rr.Header().Name)
		return n.Snapshot.IsClosed(owner) || n.shuts(owner)
	})
}

// ClosesTransfer reports whether the transfer of the zone with this apex would hold a
// closed owner (R26).
func (n *Names) ClosesTransfer(apex fqdn.Name) bool {
	return n.Snapshot.Closed() != nil && n.ActsFor(apex) && (n.shuts(apex) || n.Snapshot.ClosedIn(apex))
}

// aboutZone reports whether the question is for what a resolver needs of a zone, whatever
// its names are answered with.
func (q *Query) aboutZone() bool {
	switch q.qtype {
	case dns.TypeSOA, dns.TypeNS, dns.TypeDS, dns.TypeDNSKEY:
		return true
	}
	return false
}

// isApex reports whether the name in question is the apex of a zone that is closed, that
// the server block names, or that the directive acts for.
func (q *Query) isApex() bool {
	for _, apexes := range [...]fqdn.Set{q.names.Snapshot.Closed().Zones, q.names.Home, q.names.Acting.Set()} {
		if _, is := apexes[q.owner]; is {
			return true
		}
	}
	return false
}

// closed answers with SERVFAIL where the name in question is closed. To a question for
// SOA, NS, DS or DNSKEY at an apex, which the backend tells by having such a record, it
// lets out what the gate lets out of a name of which nothing is known.
func (q *Query) closed(x Exchange, moment Moment) (Outcome, bool) {
	if q.names.Snapshot.Closed() == nil || !q.inet() {
		return Outcome{}, false
	}
	c := q.conversation(x, moment)
	switch {
	case q.names.shuts(q.owner) && q.aboutZone():
		rep := x.Ask(Ask{Name: q.name, Type: q.qtype})
		if q.isApex() || findingOf(&rep, q.owner, q.qtype) == present {
			return c.pass(q.question, standing{}, &rep), true
		}
		return c.withhold(q.known.Decision, ReasonClosed), true
	case q.names.shuts(q.owner), q.shutAbove(c):
		return c.withhold(q.known.Decision, ReasonClosed), true
	}
	return Outcome{}, false
}

// shutAbove reports whether a name of a declared zone is answered from a closed one that
// lies around it, because the backend does not have the declared zone (R8).
func (q *Query) shutAbove(c *conversation) bool {
	zone := q.known.Decision.Zone()
	if zone == "" || q.known.Decision.Proxied() {
		return false
	}
	up, ok := zone.Parent()
	return ok && q.names.Snapshot.IsClosed(up) && !c.hasZone(zone)
}
