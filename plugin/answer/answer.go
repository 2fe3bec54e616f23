// Package answer decides what a client is told about a proxied name, and is the gate
// that every response passes: nothing of a response leaves but by one of these rules.
//
//   - mapped: what the map alone makes: A and AAAA of a proxied name, an HTTPS record
//     synthesized for it, and messages without a record (release); the lane writes the
//     same A and AAAA, by [Names.Mapped]
//   - plain: a response about an unproxied name all of whose records stand at that
//     name and are no alias, HTTPS or SVCB (plain)
//   - address: A, AAAA and CNAME of an unproxied name that is not reached through the
//     alias of a proxied one; A and AAAA that are the mapped ones already, and what
//     another directive answered in the same query (address)
//   - chain: the aliases of unproxied names that lead to a proxied one (join)
//   - glue: A and AAAA of the name servers of a zone cut, below it (isGlue)
//   - additional: in place of A and AAAA of a proxied name, the mapped ones (substitute)
//   - service: HTTPS and SVCB, their hints where the target is certainly unproxied,
//     those of the map where it is proxied, none where that is undecided (service)
//   - zone: NS, DS, DNSKEY, NSEC, NSEC3, NSEC3PARAM and SOA, with its serial, and
//     DNAME of a name above the one in question (inAny, soa)
//   - other: any other type at an unproxied name; at a proxied one the type that was
//     asked for, if the name is no alias (other)
//   - signature: RRSIG over what leaves unchanged (signature, valid)
//   - opt: OPT, without the texts of errors where a proxied name is in play (opt)
//   - bare: header and question of the response to another opcode (Bare)
//   - behind: of a name that nothing but the alias of a proxied one leads to, no record
//     at all (inAny)
//   - transfer: of a zone, what the same rules let out of its records (Zone)
//
// What is undecided is closed: [standing] and [finding], the types that the rules go
// by, have zero values that let nothing out.
//
// The package speaks to the backend only through [Backend] and [Exchange], and to the
// network not at all. The backend's records may be shared with its in-memory zone: they are never
// written to, always replaced.
package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Options is what the Corefile says about answers.
type Options struct {
	TTL  uint32   // of every substituted record, in seconds
	ALPN []string // of synthesized HTTPS records; none are synthesized if empty
	// RefuseUnlisted answers names in zones that the directive acts for and the map
	// does not know with SERVFAIL (R29).
	RefuseUnlisted bool
}

// Names decides about owner names, on one snapshot.
type Names struct {
	Snapshot *mapset.Snapshot
	*Scope
}

// Scope is what all queries of a directive have in common. It does not change once
// there are any.
type Scope struct {
	Backend Backend // of the server block
	Serials bool    // SOA serials are counted up by the changes of the map
	Options
	Acting fqdn.Zones // the zones that the directive acts for
	// Home is the zones of the server block whose names are closed where a document
	// that nobody can read may declare them (R26): all but "." and reverse zones.
	Home fqdn.Set
	// MakesUp says that a backend makes SRV and PTR records from what is an alias to
	// whoever asks for addresses, as etcd does.
	MakesUp bool
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
	return n.acts(apex) || n.Acting.AnyBelow(apex)
}

// Exchange is the questioning of the backend about one query of a client.
type Exchange interface {
	Ask(a Ask) Reply
	// Datagram reports whether the client asked over plain UDP, so that it comes back
	// over TCP if it is told that the answer is truncated.
	Datagram() bool
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
	Gated    fqdn.Set  // owners of which another directive answered in this query
	Rcode    int
	Err      error

	Malformed bool // what it wrote is no DNS message; Msg is nil
	Nobody    bool // there was no plugin to ask; Msg is nil
}

// silent reports whether no backend has anything to say: each passed the question on,
// or, as hosts does, ended it without a word or an error.
func (r *Reply) silent() bool {
	return r.Msg == nil && !r.Malformed && (r.Nobody || r.Err == nil)
}

// gated reports whether another directive answered for the owner.
func (r *Reply) gated(owner fqdn.Name) bool {
	_, ok := r.Gated[owner]
	return ok
}

// Verdict says what happened to a response.
type Verdict uint8

// The verdicts.
const (
	Passed      Verdict = iota // as the backend has it, or without what may not leave
	Substituted                // a proxied name was answered in place of the backend's data
	Withheld                   // no rule covers it: refused rather than risk an origin address
	Truncated                  // the client is to come back over TCP
)

// Outcome is the response to a question, and what the operator is shown of it.
type Outcome struct {
	Released // none if the backend wrote nothing: pass on Rcode and Err
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
	ReasonLoop       = "loop"       // more aliases than are followed
	ReasonMalformed  = "malformed"  // bytes that are no DNS message
	ReasonQuestion   = "question"   // an answer to another question
	ReasonUndecided  = "undecided"  // an inner question failed or was truncated
	ReasonUnlisted   = "unlisted"   // the map does not know the zone (R29)
	ReasonClosed     = "closed"     // a document that may hold the name is refused (R26)
)

// Reasons lists them all.
var Reasons = []string{ReasonAnswer, ReasonAuthority, ReasonAdditional, ReasonLoop,
	ReasonMalformed, ReasonQuestion, ReasonUndecided, ReasonUnlisted, ReasonClosed}
