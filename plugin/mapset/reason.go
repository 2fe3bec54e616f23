package mapset

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Cause is why a step of the fallback answers for a family, or does not.
type Cause uint8

// The causes. Of a step that would answer if it came first, the cause is NotReached;
// of every other one, it is what the step itself lacks.
const (
	Answers      Cause = iota
	NotReached         // a step before it answers
	Absent             // there is no such application or address map
	Disabled           // the address map is not enabled
	Unusable           // it has no address, or all of them are withdrawn
	OtherFamily        // it has usable addresses, but none of the family (missing_family next)
	BYOIPOnly          // the account is never answered for with anycast
	AllDrained         // all its usable addresses of the family are drained
	DrainIgnored       // it answers with addresses that are drained: no other step it may fall back to has any
)

// judge says what a step with this pool lacks, which may be nil.
func (p *Pool) judge() Cause {
	switch {
	case p == nil:
		return Absent
	case p.empty():
		return Unusable
	}
	return Answers
}

// judgeFor is judge where each family falls back by itself.
func (p *Pool) judgeFor(f Family) Cause {
	why := p.judge()
	if why == Answers && !p.has(f) {
		return OtherFamily
	}
	return why
}

// causes is why each step answers for a family, or does not.
type causes [Steps]Cause

// answers reports whether a step can answer. If so, the steps after it are not reached.
func (c *causes) answers(step Step) bool {
	if c[step] != Answers {
		return false
	}
	for after := step + 1; int(after) < Steps; after++ {
		if c[after] == Answers {
			c[after] = NotReached
		}
	}
	return true
}

// Reason is why one step of the fallback answers for a name, or does not.
type Reason struct {
	Step Step
	Map  string   // id of the address map, "" if there is none
	Why  [2]Cause // :: family

	pool    *Pool // usable addresses; nil if there are none
	drained *Pool // addresses that are drained; nil if no drain touches the name
}

// Reasons returns every step of the fallback in its order, a disabled address map as
// well, with the reason why it answers for the name of the decision or does not. There
// are none for a name that is not proxied.
func (d Decision) Reasons(name fqdn.Name) []Reason {
	if !d.Proxied() {
		return nil
	}
	out := []Reason{d.reason(StepSpectrum)}
	out = append(out, d.reasonsOfName(name)...)
	out = append(out, d.reasonsOfMaps(StepZone, member{mapfile.MemberZone, d.Zone()})...)
	out = append(out, d.reasonsOfMaps(StepAccount, memberAccount)...)
	return append(out, d.reason(StepAnycast))
}

// reasonsOfMaps returns the reason of each address map with that member, in the order
// of the document.
func (d Decision) reasonsOfMaps(step Step, member member) (out []Reason) {
	maps := d.zone.account.maps
	for i := range maps {
		switch m := &maps[i]; {
		case !slices.Contains(m.members, member):
		case m.enabled:
			out = append(out, d.reason(step))
		default:
			out = append(out, Reason{Step: step, Map: m.id, Why: [2]Cause{Disabled, Disabled}})
		}
	}
	if len(out) == 0 {
		out = append(out, d.reason(step))
	}
	return out
}

// reasonsOfName returns the reason of each address map that has the name as a member, and
// of those that have the wildcard that decides.
func (d Decision) reasonsOfName(name fqdn.Name) (out []Reason) {
	own := member{mapfile.MemberName, name}
	covering := own
	if d.ByWildcard {
		_, parent := d.zone.above(name)
		covering.name = parent.Wildcard()
	}
	maps, pool := d.zone.account.maps, d.outcome.pools[StepName]
	for i := range maps {
		switch m := &maps[i]; {
		case pool != nil && pool.Map == m.id:
			out = append(out, d.reason(StepName))
		case m.enabled && slices.Contains(m.members, own):
			out = append(out, Reason{Step: StepName, Map: m.id, Why: [2]Cause{Unusable, Unusable}})
		case !m.enabled && (slices.Contains(m.members, own) || slices.Contains(m.members, covering)):
			out = append(out, Reason{Step: StepName, Map: m.id, Why: [2]Cause{Disabled, Disabled}})
		}
	}
	if len(out) == 0 {
		out = append(out, d.reason(StepName))
	}
	return out
}

func (d Decision) reason(step Step) Reason {
	r := Reason{Step: step, Why: [2]Cause{d.outcome.why[IPv4][step], d.outcome.why[IPv6][step]}, pool: d.outcome.pools[step]}
	if r.pool != nil {
		r.Map = r.pool.Map
	}
	if d.outcome.drained != nil {
		r.drained = d.outcome.drained[step]
	}
	return r
}

// Answers reports whether the step answers for any family.
func (r Reason) Answers() bool { return r.Why[IPv4].answers() || r.Why[IPv6].answers() }

func (c Cause) answers() bool { return c == Answers || c == DrainIgnored }

// Addrs returns the addresses that the step answers with, or would: usable ones, IPv4 first.
func (r Reason) Addrs() []netip.Addr { return r.pool.all() }

// Drained returns the usable addresses of the step that are drained, IPv4 first. Where the
// drain is ignored for a family, they are among its Addrs.
func (r Reason) Drained() []netip.Addr { return r.drained.all() }

// String prints the reason for people, once if it is the same for both families.
func (r Reason) String() string {
	if r.Why[IPv4] == r.Why[IPv6] {
		return r.text(r.Why[IPv4])
	}
	return fmt.Sprintf("IPv4: %s; IPv6: %s", r.text(r.Why[IPv4]), r.text(r.Why[IPv6]))
}

func (r Reason) text(why Cause) string {
	dynamic := r.pool != nil && r.pool.dynamic
	switch why {
	case NotReached:
		return "not reached"
	case Disabled:
		return "disabled"
	case OtherFamily:
		return "no usable address of that family"
	case BYOIPOnly:
		return "the account is byoip_only"
	case AllDrained:
		return "all its addresses of that family are drained"
	case DrainIgnored:
		return "drained, and the drain is ignored: the step has no other address of that family"
	case Absent:
		if r.Step == StepSpectrum {
			return "no application has this name"
		}
		return "no address map has the " + r.Step.String() + " as a member"
	case Unusable:
		switch {
		case dynamic:
			return "dynamic: there are no anycast addresses that it connects with"
		case r.Step == StepAnycast:
			return "there are no anycast addresses"
		}
		return "all its addresses lie in withdrawn prefixes"
	}
	switch {
	case r.pool != nil && r.pool.empty(): // all that it has is of the other family, and drained
		return "it has no address of that family, drained or not"
	case dynamic:
		return "dynamic: anycast, as far as it connects"
	case r.Step == StepSpectrum:
		return "static: its own addresses"
	case r.Step == StepAnycast:
		return "the shared addresses"
	}
	return "enabled, with usable addresses"
}
