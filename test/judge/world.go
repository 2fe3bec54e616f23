// Package judge says of a response of a DNS server with addressmap whether the
// rules of the specification allow it. It shares no code with the plugin: it
// knows a world (who is proxied, with which addresses, what must not leave), one
// query and one response, all as data and as raw octets.
package judge

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Status says whether a name is proxied.
type Status int

// The judge demands of a name of status Unsure only that nothing leaks.
const (
	Unsure Status = iota
	Proxied
	Unproxied
)

// Name is what the judge knows of one owner name.
type Name struct {
	Name      string // fully qualified, lower case
	Status    Status
	V4, V6    []netip.Addr        // mapped addresses by family, in the map's order
	AAAAOnly  bool                // the zone is ipv6: false: AAAA only if the backend has AAAA
	Spectrum  bool                // a Spectrum application: answered without the backend
	Elsewhere bool                // in a zone that another server block serves
	Own       bool                // the map gives it addresses that other names of its wildcard have not
	Beside    map[uint16][]dns.RR // records that the backend has beside a CNAME
}

// Zone is one zone of the world.
type Zone struct {
	Name     string // fully qualified, lower case
	Declared bool   // the map knows it
	ActedFor bool   // the directive of the asked server block acts for it
	Served   bool   // the asked server block's backend has it
}

// Options are those of the directive that a query reaches.
type Options struct {
	TTL      uint32
	OtherTTL uint32   // of another directive that chains may pass, 0 if there is none
	ALPN     []string // of the option https; nil is off
	Transfer string   // mapped, origin or refuse
	Unlisted bool     // unlisted refuse: names of zones that the map does not know are refused
}

// Fault is a mistake that the backend makes in answer to some questions.
type Fault struct {
	Kind  string          // see package upstream
	Types []uint16        // nil is every type
	Names map[string]bool // nil is every name
}

// Hits says whether the fault concerns the question.
func (f *Fault) Hits(name string, qtype uint16) bool {
	if f == nil || f.Names != nil && !f.Names[dns.CanonicalName(name)] {
		return false
	}
	if f.Types == nil {
		return true
	}
	for _, t := range f.Types {
		if t == qtype {
			return true
		}
	}
	return false
}

// World is all that the judge knows of a server.
type World struct {
	ID      string
	Names   map[string]*Name
	Zones   []Zone
	Secrets []Secret
	Options Options
	Front   string // the plugin before addressmap, "none" if there is none
	Backend string
	Fault   *Fault // nil if the backend makes no mistakes
	Signed  bool   // records carry signatures of the zone's file
	Chaos   bool   // the server hands other classes on to the plugins

	index *index
}

// Find returns what is known of a name, or nil.
func (w *World) Find(name string) *Name { return w.Names[dns.CanonicalName(name)] }

// IsProxied says whether the name is known to be proxied.
func (w *World) IsProxied(name string) bool {
	n := w.Find(name)
	return n != nil && n.Status == Proxied
}

// Closest returns the deepest zone around the name that has the property.
func (w *World) Closest(name string, has func(Zone) bool) *Zone {
	var best *Zone
	for i := range w.Zones {
		z := &w.Zones[i]
		if has(*z) && dns.IsSubDomain(z.Name, strings.ToLower(name)) && (best == nil || len(z.Name) > len(best.Name)) {
			best = z
		}
	}
	return best
}

// ActsFor says whether the directive acts for the name: whether the name is in
// a zone that is both declared and the directive's.
func (w *World) ActsFor(name string) bool {
	z := w.Closest(name, func(z Zone) bool { return z.Declared })
	return z != nil && z.ActedFor
}

// Backend is what the backend alone says of a question, without faults and
// without the directive; nil if that is not known.
type Backend interface {
	Ask(name string, qtype uint16) *dns.Msg
}

// Case is one query and what came of it.
type Case struct {
	World     *World
	Query     []byte
	Responses [][]byte // none: no answer; several: a transfer
	Closed    bool     // the connection was closed in place of an answer
	Transport string   // udp, tcp, tls, https, quic or grpc
	Backend   Backend  // nil: only leaks and the form are judged
	Transfer  []dns.RR // what the backend transfers, for AXFR; nil if unknown
}
