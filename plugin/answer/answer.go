// Package answer decides what a client is told about a proxied name, and what
// of any response may leave. It speaks to the backend only through [Backend] and
// to the network not at all: the same questions, decisions and backend replies
// give the same answer.
//
// The backend's records may be shared with its in-memory zone. They are never
// written to, always replaced.
package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// Options is what the Corefile says about answers.
type Options struct {
	TTL  uint32   // of every substituted record, in seconds
	ALPN []string // of synthesized HTTPS records; none are synthesized if empty
}

// Names decides about owner names, on one snapshot.
type Names struct {
	Snapshot *mapset.Snapshot
	*Scope
}

// Scope is what all queries of a directive have in common. It does not change once
// there are any. What most of them need comes first.
type Scope struct {
	Memory  presence.View // of names that the backend has; the zero View to ask each time
	Tells   bool          // the backends tell which wildcard a record was made from
	Serials bool          // SOA serials are counted up by the changes of the map
	Options
	Acting fqdn.Zones // the zones that the directive acts for
	Zones  Zones      // of the backend; nil if they cannot be looked into
}

// Zones is what a backend serves, where it can be looked into without asking.
type Zones interface {
	// WithAddress returns the zone in which the backend has an A or AAAA record of
	// the name itself that it would answer with, authoritative, as the zone is now.
	// Nil says nothing.
	WithAddress(name fqdn.Name) presence.Version
}

// acts reports whether the directive acts for a name.
func (n *Names) acts(name fqdn.Name) bool { return n.Acting.Encloses(name) }

// Lookup decides for an owner name. A name outside the acting zones is none of
// ours.
func (n *Names) Lookup(name fqdn.Name) mapset.Decision {
	if !n.acts(name) {
		return mapset.Decision{}
	}
	return n.Snapshot.Lookup(name)
}

// ActsFor reports whether the directive acts for names of a backend's zone with
// this apex: for all of them, or for those of a zone of its own further down.
func (n *Names) ActsFor(apex fqdn.Name) bool {
	if n.acts(apex) {
		return true
	}
	for zone := range n.Acting.Set() {
		if zone.In(apex) {
			return true
		}
	}
	return false
}

// existing decides for the owner of a record in a response. A backend that tells
// its wildcards puts records there by their own names only (file's chains and
// additional records never come from a wildcard); any other backend may not.
func (n *Names) existing(name fqdn.Name) mapset.Decision {
	if !n.acts(name) {
		return mapset.Decision{}
	}
	if n.Tells {
		return n.Snapshot.LookupFrom(name, name)
	}
	return n.Snapshot.Lookup(name)
}

// from decides for a name of which the backend has replied, given the wildcard
// that it told, or "".
func (n *Names) from(name fqdn.Name, d mapset.Decision, wildcard fqdn.Name) mapset.Decision {
	switch {
	case !n.Tells || !d.ByWildcard:
		return d
	case wildcard != "":
		return n.Snapshot.LookupFrom(name, wildcard)
	}
	return n.Snapshot.LookupFrom(name, name)
}

// Backend asks whatever comes next in the chain.
type Backend interface {
	Ask(a Ask) Reply
}

// Ask is a question to the backend.
type Ask struct {
	Name string // as spelled by whoever asked
	Type uint16
	// Chase lets the backend resolve an alias that leaves its zones. Without it,
	// the backend answers at once with the alias and nothing behind it.
	Chase bool
	// Wildcard asks for [Reply.Wildcard], which costs something.
	Wildcard bool
}

// Reply is what the backend said.
type Reply struct {
	Msg      *dns.Msg  // nil: it wrote nothing, see Rcode and Err
	Wildcard fqdn.Name // the wildcard that the records were made from, if it told
	Chased   bool      // it wanted to resolve an alias, and was kept from it
	Rcode    int
	Err      error

	Malformed bool // what it wrote is no DNS message; Msg is nil

	// Facts, if not nil, stands for the message of an earlier reply, and Msg is
	// nil.
	Facts *presence.Facts
}

// Verdict says what happened to a response.
type Verdict uint8

// The verdicts.
const (
	Passed      Verdict = iota // as the backend has it
	Substituted                // a proxied name was answered in place of the backend's data
	Withheld                   // no rule covers it: refused rather than risk an origin address
)

// Outcome is the response to a question, and what the operator is shown of it.
type Outcome struct {
	Msg      *dns.Msg // nil if the backend wrote nothing: pass on Rcode and Err
	Rcode    int
	Err      error
	Verdict  Verdict
	Reason   string          // why it was withheld: a label of failures_total
	Decision mapset.Decision // of the proxied name that was answered, or of the question
	Type     uint16          // the type in question
	Void     bool            // the backend's signatures over it no longer hold (R17)
}

// Reasons to withhold a response.
const (
	ReasonAnswer     = "answer"     // a record that no rule lets into the answer section
	ReasonAuthority  = "authority"  // the same for the authority section
	ReasonAdditional = "additional" // the same for the additional section
	ReasonLoop       = "loop"       // aliases of proxied names that never end
	ReasonMalformed  = "malformed"  // bytes that are no DNS message
)
