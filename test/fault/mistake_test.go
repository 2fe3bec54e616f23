package fault

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

func (w *world) brokenYAML(rng *rand.Rand) bool {
	w.await()
	tenant := rng.IntN(tenants)
	e := w.with(w.renewed(tenant))
	e.wrong = ": "
	at := rng.IntN(strings.Count(e.text, "\n"))
	lines := strings.SplitAfter(e.text, "\n")
	switch rng.IntN(5) {
	case 0:
		lines[at] = fmt.Sprintf("\tbroken-%d: [\n", w.serial)
	case 1:
		lines[at] += fmt.Sprintf("broken-%d: {\n", w.serial)
	case 2:
		lines[at] = fmt.Sprintf("# broken-%d \xff\n", w.serial)
	case 3:
		lines[1] = fmt.Sprintf("accounts: broken-%d\n", w.serial)
		lines = lines[:2]
		e.legible, e.accounts = true, nil // It is YAML, in which no account stands.
	case 4:
		lines = []string{fmt.Sprintf("%s ]broken-%d", strings.Repeat("[", 5+rng.IntN(1000)), w.serial)}
	}
	e.text = strings.Join(lines, "")
	w.write(rng, w.docs[tenant], e, false)
	return true
}

// brokenRule writes what is refused by a rule.
func (w *world) brokenRule(rng *rand.Rand) bool {
	w.await()
	tenant := rng.IntN(tenants)
	e := w.breakRule(rng, w.renewed(tenant))
	if e == nil {
		return false
	}
	w.say("  %s", e.wrong)
	w.write(rng, w.docs[tenant], e, false)
	return true
}

// breakRule makes an edition with the account that a rule refuses, nil if the
// account has nothing to break.
func (w *world) breakRule(rng *rand.Rand, a account) *edition {
	tenant := a.tenant
	e := w.with(a)
	before := e.text
	replace := func(rule, old, with string) {
		e.wrong = rule
		at := max(0, strings.Index(e.text, fmt.Sprintf("- id: t%d\n", tenant)))
		e.text = e.text[:at] + strings.Replace(e.text[at:], old, with, 1)
	}
	ips := a.addresses(a.version, 3)
	switch rng.IntN(6) {
	case 0:
		replace("V5", ips[0]+"\"\n          -", "203.0.113.1\"\n          -")
	case 1:
		replace("V2", ips[1], ips[0])
	case 2:
		replace("V8", "identifier: "+zoneName(tenant), "identifier: nowhere.example") // What is somebody's is said in other words.
	case 3:
		e.hazy = true
		replace("V1", "    zones:\n", fmt.Sprintf("    colour: %d\n    zones:\n", a.version))
	case 4:
		replace("V2", ips[2], "::ffff:"+ips[2])
	case 5:
		if tenant == tenantAnycast {
			return nil // It has no maps.
		}
		replace("V9", "    address_maps:\n", fmt.Sprintf("    address_maps:\n      - {id: more%d, enabled: true, memberships: [{kind: zone, identifier: %s}], ips: [%q]}\n", a.version, zoneName(tenant), ips[0]))
	}
	if e.text == before {
		return nil
	}
	e.legible = true
	return e
}

// conflict writes a document that claims the zone of another tenant. It comes
// into force if that one is not there.
func (w *world) conflict(rng *rand.Rand) bool {
	w.await()
	tenant := []int{tenantAnycast, tenantBorrower, tenantPlain}[rng.IntN(3)]
	a := w.renewed(tenant)
	a.also = rng.IntN(tenants)
	if a.also == tenant || a.also == tenantGuarded || w.single && w.now.account(a.also).version > 0 {
		return false
	}
	w.say("  t%d version %d claims %s", tenant, a.version, zoneName(a.also))
	w.tally.exact = false // the complaint says where, and that moves
	w.write(rng, w.docs[tenant], w.with(a), false)
	return true
}

// callIn lets the lender lend nothing. It may not while somebody uses that.
func (w *world) callIn(rng *rand.Rand) bool {
	w.await()
	if w.now.account(tenantLender).version == 0 || w.single && w.now.account(tenantBorrower).version > 0 {
		return false
	}
	a := w.renewed(tenantLender)
	a.lends = false
	if len(w.troubles) > 0 {
		w.tally.exact = false // What is wrong with the borrower may be told with this beside it.
	}
	w.write(rng, w.docs[tenantLender], w.with(a), false)
	return true
}

// breach does what a reload may not do (P1 to P3).
func (w *world) breach(rng *rand.Rand) bool {
	w.await()
	tenant := []int{tenantGuarded, tenantBYOIP}[rng.IntN(2)]
	if w.now.account(tenant).version == 0 {
		return false
	}
	a := w.renewed(tenant)
	what := rng.IntN(4)
	if a.open && tenant == tenantGuarded {
		return false
	}
	switch {
	case what == 0:
		w.remove(rng, tenant)
		return true
	case tenant == tenantBYOIP:
		a.unconfined = true
	case what == 1:
		a.keptIPs++
	case what == 2:
		a.disabled = true
	default:
		a.kept = false
	}
	w.say("  t%d version %d: %+v", tenant, a.version, a)
	w.write(rng, w.docs[tenant], w.with(a), false)
	return true
}
