package mapset

// fallback tells which pool answers for a proxied name of a zone, for each
// family. It is the precedence rule of the map format, and stands only here:
//
//   - the enabled address map with the zone as a member, if it has a usable address
//   - else the enabled address map with the account as a member, if it has one
//   - else anycast, unless the account is byoip_only
//   - else nothing
//
// A Spectrum application of exactly the name comes before all of these; see
// [Snapshot.Lookup]. The first step with a usable address of any family answers
// for both families, so that families are never mixed across steps, unless
// perFamily is set (missing_family next): then each family goes on by itself.
// zoneMap and accountMap may be nil.
func fallback(zoneMap, accountMap, anycast *Pool, byoipOnly, perFamily bool) [2]*Pool {
	first := func(has func(*Pool) bool) *Pool {
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
	if !perFamily || p == noPool {
		return [2]*Pool{p, p}
	}
	out := [2]*Pool{p, p}
	for f := range out {
		if q := first(func(p *Pool) bool { return len(p.addrs[f]) > 0 }); q != noPool {
			out[f] = q
		}
	}
	return out
}
