package mapset

// fallback says which step answers for a proxied name, for each family, and why. It
// is the precedence rule of the map format, and stands only here:
//
//   - the Spectrum application of exactly the name, if it has a usable address
//   - else the enabled address map with the name as a member, if it has one; with the
//     wildcard that covers the name, where none has the name itself
//   - else the enabled address map with the zone as a member, if it has one
//   - else the enabled address map with the account as a member, if it has one
//   - else anycast, unless the account is byoip_only
//   - else nothing
//
// The first step with a usable address of any family answers for both families,
// so that families are never mixed across steps, unless perFamily is set
// (missing_family next): then each family goes on by itself. That a dynamic
// application connects with one family alone is a mark of its name, so that
// the other is not answered by a later step either. A pool is nil where there
// is no such step.
func fallback(pools [Steps]*Pool, byoipOnly, perFamily bool) *outcome {
	pools[StepNone] = noPool
	first := func(judge func(*Pool) Cause) (Step, causes) {
		why := causes{
			StepSpectrum: judge(pools[StepSpectrum]), StepName: judge(pools[StepName]), StepZone: judge(pools[StepZone]),
			StepAccount: judge(pools[StepAccount]), StepAnycast: judge(pools[StepAnycast]),
		}
		if byoipOnly {
			why[StepAnycast] = BYOIPOnly
		}
		if why.answers(StepSpectrum) {
			return StepSpectrum, why
		}
		if why.answers(StepName) {
			return StepName, why
		}
		if why.answers(StepZone) {
			return StepZone, why
		}
		if why.answers(StepAccount) {
			return StepAccount, why
		}
		if why.answers(StepAnycast) {
			return StepAnycast, why
		}
		return StepNone, why
	}
	step, why := first((*Pool).judge)
	out := &outcome{pools: pools, step: [2]Step{step, step}, why: [2]causes{why, why}}
	if !perFamily || step == StepNone {
		return out
	}
	for _, f := range [...]Family{IPv4, IPv6} {
		if step, why := first(func(p *Pool) Cause { return p.judgeFor(f) }); step != StepNone {
			out.step[f], out.why[f] = step, why
		}
	}
	return out
}

// outcome is what the fallback comes to for the names of a zone, for a name that is a
// member of an address map itself, or for an application.
type outcome struct {
	pools [Steps]*Pool // of each step, nil where there is none; of StepNone one without addresses
	step  [2]Step      // :: family → the step that answers
	why   [2]causes    // :: family → the reason of every step

	drained *[Steps]*Pool // of each step, the addresses that are drained; nil of what no drain touches
}

// pool returns the addresses that answer for a family.
func (o *outcome) pool(f Family) *Pool { return o.pools[o.step[f]] }

// unusable reports whether a step has no usable address, be it drained or not.
func (o *outcome) unusable(step Step) bool {
	return o.pools[step].empty() && (o.drained == nil || o.drained[step].empty())
}

// answers reports whether a name with mark m has an address in o.
func (o *outcome) answers(m mark) bool {
	return m.answers(IPv4) && o.pool(IPv4).has(IPv4) || m.answers(IPv6) && o.pool(IPv6).has(IPv6)
}

// candidates is what a zone or an application can be answered from. A pool is nil where
// there is no such step.
type candidates struct {
	usable, written      [Steps]*Pool // written: as if no prefix were withdrawn
	byoipOnly, perFamily bool
	outcome              *outcome
}

func (c *candidates) put(step Step, mapID string, addrs addrSet) {
	p := new(Pool).of(step, mapID, addrs.written)
	c.usable[step], c.written[step] = p, p
	if len(addrs.usable) < len(addrs.written) {
		c.usable[step] = new(Pool).of(step, mapID, addrs.usable)
	}
}

// with returns the candidates with an address map as one more step.
func (c candidates) with(step Step, mapID string, addrs addrSet) *candidates {
	c.put(step, mapID, addrs)
	c.outcome = c.fallback()
	return &c
}

func (c *candidates) fallback() *outcome { return fallback(c.usable, c.byoipOnly, c.perFamily) }

// asWritten is the outcome as if no prefix were withdrawn. Rules go by it: that
// an account withdraws a prefix must not make its document a wrong one.
func (c *candidates) asWritten() *outcome { return fallback(c.written, c.byoipOnly, c.perFamily) }
