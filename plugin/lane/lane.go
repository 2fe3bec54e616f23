// Package lane answers queries where their packets are read, before CoreDNS makes a
// message and a goroutine of each: those for the addresses of a name of which enough is
// known without a question to the backend. Every other packet goes on to CoreDNS as it
// came.
//
// A packet's way, a function each:
//
//   - [worker.run] reads a batch of packets and sends the answers to those that have one
//   - [parse] reads the one question of a plain query for A or AAAA
//   - [Table.answer] finds the zone's directive and asks it, as CoreDNS would
//   - [appendAnswer] writes the response, octet for octet what CoreDNS would send
//   - [Conn.ReadFrom] gives CoreDNS the packets that are left
//
// What an answer holds is decided in plugin/answer, by the rule "mapped" of its gate. No
// plugin sees an answer of the lane: whoever makes a [Table] leaves the zones out in which
// one has to.
package lane

import (
	"net"
	"time"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Zone is one zone of a server, which answers from the lane. It is safe for concurrent
// use.
type Zone struct {
	// Names returns the snapshot in force, and the scope of the zone's directive.
	Names func() answer.Names
	// Observe sees each answer once it is sent; nil if nobody has to. It must not keep a.
	Observe func(a *Answer)
}

// Answer is what there is to know of an answer of the lane.
type Answer struct {
	zone              *Zone
	Step              mapset.Step
	Family            mapset.Family
	Client            net.Addr
	DO                bool          // the query's
	Request, Response int           // sizes of both in octets, the latter without OPT
	Elapsed           time.Duration // since the packet was read, with others; if the table is timed
}

// Tally is how many answers a batch had.
type Tally [mapset.Steps][2]uint32 // :: step of the fallback, family

// Table is the zones of a server. It does not change once a [Conn] has it.
type Table struct {
	// Zones has each zone of the server by its name, in lower case and fully qualified: nil
	// where CoreDNS answers. A name belongs to the one that encloses it most closely.
	Zones map[string]*Zone
	Timed bool // a zone has Observe
	// Cookies says that a query with a DNS cookie is answered as one without.
	Cookies bool
	// Count adds what a batch had; it is called by several goroutines.
	Count func(*Tally)
}

// zone returns the zone of a name, or nil if CoreDNS answers for it. The octets of the
// labels lie in wire as they do in the name, each after its length.
func (t *Table) zone(name, wire []byte) *Zone {
	for i := 0; i < len(name); i += int(wire[i]) + 1 {
		if z, ok := t.Zones[string(name[i:])]; ok {
			return z
		}
	}
	return t.Zones["."]
}
