package mapset

// fallback tells which pool answers for a proxied name, for each family. It is
// the precedence rule of the map format, and stands only here:
//
//   - the Spectrum application of exactly the name, if it has a usable address
//   - else the enabled address map with the zone as a member, if it has one
//   - else the enabled address map with the account as a member, if it has one
//   - else anycast, unless the account is byoip_only
//   - else nothing
//
// The first step with a usable address of any family answers for both families,
// so that families are never mixed across steps, unless perFamily is set
// (missing_family next): then each family goes on by itself, but not that of an
// application, which is a record of its own and has no other addresses (R24). A
// pool is nil where there is no such step.
func fallback(app, zoneMap, accountMap, anycast *Pool, byoipOnly, perFamily bool) outcome {
	first := func(has func(*Pool) bool) *Pool {
		if app != nil && has(app) {
			return app
		}
		if zoneMap != nil && has(zoneMap) {
			return zoneMap
		}
		if accountMap != nil && has(accountMap) {
			return accountMap
		}
		if anycast != nil && has(anycast) && !byoipOnly {
			return anycast
		}
		return noPool
	}
	p := first(func(p *Pool) bool { return !p.empty() })
	out := outcome{p, p}
	if !perFamily || p == noPool || p == app {
		return out
	}
	for _, f := range [...]Family{IPv4, IPv6} {
		if q := first(func(p *Pool) bool { return p.has(f) }); q != noPool {
			out[f] = q
		}
	}
	return out
}

// rung is what one step of the fallback has.
type rung struct {
	usable  *Pool
	written *Pool // as if no prefix were withdrawn
}

func (b *builder) rung(step Step, mapID string, addrs addrSet) *rung {
	r := &rung{written: b.room.pool().of(step, mapID, addrs.written)}
	if r.usable = r.written; len(addrs.usable) < len(addrs.written) {
		r.usable = b.room.pool().of(step, mapID, addrs.usable)
	}
	return r
}

// ladder is the steps that a name can be answered by, nil where there is none.
type ladder struct {
	app, zoneMap, accountMap, anycast *rung
	byoipOnly, perFamily              bool
}

func (l ladder) outcome() outcome {
	usable := func(r *rung) *Pool {
		if r == nil {
			return nil
		}
		return r.usable
	}
	return fallback(usable(l.app), usable(l.zoneMap), usable(l.accountMap), usable(l.anycast), l.byoipOnly, l.perFamily)
}

// asWritten is the outcome as if no prefix were withdrawn. Rules go by it: that
// an account withdraws a prefix must not make its document a wrong one.
func (l ladder) asWritten() outcome {
	written := func(r *rung) *Pool {
		if r == nil {
			return nil
		}
		return r.written
	}
	return fallback(written(l.app), written(l.zoneMap), written(l.accountMap), written(l.anycast), l.byoipOnly, l.perFamily)
}

// answers reports whether a name with mark m has an address in o.
func (o outcome) answers(m mark) bool {
	return m.answers(IPv4) && o[IPv4].has(IPv4) || m.answers(IPv6) && o[IPv6].has(IPv6)
}
