package mapset

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Violation is a change that a reload may not make.
type Violation struct {
	Rule    string // P1 to P5
	Account string // "" for P4 and P5
	Map     string // id of the address map, "" if it is about none
	Text    string
	Remedy  string
}

// Error prints the violation and how to make the change on purpose.
func (v Violation) Error() string {
	return fmt.Sprintf("%s: %s\n  remedy: %s", v.Rule, v.Text, v.Remedy)
}

// Violations is every violation of one change, at least one.
type Violations []Violation

// Error prints the violations one after the other. The last line says where the
// rules are explained.
func (vs Violations) Error() string {
	var b strings.Builder
	rules := make([]string, len(vs))
	for i, v := range vs {
		b.WriteString(v.Error() + "\n")
		rules[i] = v.Rule
	}
	return b.String() + mapfile.SeeRules(rules)
}

// Protect judges next against the version in force (P1 to P5 of the map format).
// guard is the percentage of the names, zones or map addresses in force that may
// go at once; 0 is for any as long as some are left. The violations are in a fixed
// order; none means that next may come into force.
func Protect(old, next *Snapshot, guard int) []Violation {
	return append(ProtectAccounts(old, next), ProtectWhole(old, next, guard)...)
}

// ProtectAccounts is the part of [Protect] that is about single accounts (P1 to P3).
func ProtectAccounts(old, next *Snapshot) []Violation {
	var out []Violation
	for _, id := range changedAccounts(old, next) {
		if was := old.accounts[id]; was != nil {
			out = append(out, protectAccount(was, next.accounts[id])...)
		}
	}
	return out
}

// ProtectWhole is the part of [Protect] that is about the whole map (P4 and P5).
func ProtectWhole(old, next *Snapshot, guard int) []Violation {
	if guard > 0 {
		return guarded(old, next, guard)
	}
	return emptied(old, next)
}

// emptied refuses a version that leaves no zone, or no proxied name, as an empty
// document does: all origins would be shown (P5).
func emptied(old, next *Snapshot) []Violation {
	var text string
	switch {
	case old.stats.Zones > 0 && next.stats.Zones == 0:
		text = fmt.Sprintf("none of the %d zones in force would be left", old.stats.Zones)
	case old.hasProxied() && !next.hasProxied():
		text = "no name would be proxied any more, and all origins would be shown"
	default:
		return nil
	}
	return []Violation{{Rule: "P5", Text: text, Remedy: "put them back; if it is meant so, write guard 100% in the Corefile for this reload"}}
}

// hasProxied reports whether any name of the map is proxied.
func (s *Snapshot) hasProxied() bool {
	for _, z := range s.zones {
		if z.hasProxied() {
			return true
		}
	}
	return false
}

// protectAccount judges an account; now is nil if it would disappear.
func protectAccount(was, now *account) []Violation {
	var out []Violation
	if was.byoipOnly && now != nil && !now.byoipOnly {
		out = append(out, Violation{
			Rule: "P3", Account: was.id,
			Text:   fmt.Sprintf("account %q would lose byoip_only, and its names could be answered with anycast", was.id),
			Remedy: "keep byoip_only: true; if it has to go, move the zones to another account first",
		})
	}
	if !slices.ContainsFunc(was.maps, addressMap.protected) {
		return out
	}
	next := successors(was, now)
	for i := range was.maps {
		out = append(out, protectMap(was, &was.maps[i], next[i])...)
	}
	return out
}

// protected reports whether there is anything that a reload may not do to m.
func (m addressMap) protected() bool { return !m.canDelete || !m.canModifyIPs }

// protectMap judges an address map of an account, by the flags that are in
// force; now is nil if it would disappear.
func protectMap(of *account, m, now *addressMap) []Violation {
	var out []Violation
	refuse := func(rule, flag, would, after string) {
		first := "nothing else changes"
		if of.byoipOnly && m.enabled && slices.Contains(m.members, memberAccount) { // V11
			first = "another map, protected like it, has the account as its member in its place"
		}
		out = append(out, Violation{
			Rule: rule, Account: of.id, Map: m.id,
			Text:   fmt.Sprintf("address map %q of account %q has %s: false and would %s", m.id, of.id, flag, would),
			Remedy: fmt.Sprintf("first load a version in which it has %s: true and %s, then %s", flag, first, after),
		})
	}
	switch {
	case m.canDelete:
	case now == nil:
		refuse("P1", "can_delete", "disappear", "the one without it")
	case m.enabled && !now.enabled:
		refuse("P1", "can_delete", "be disabled", "the one that disables it")
	}
	if now != nil && !m.canModifyIPs && !m.sameIPs(now) {
		refuse("P2", "can_modify_ips", "have other ips", "the one with the new ips")
	}
	return out
}

// guarded judges how much would go (P4). A name stays if it is proxied by
// itself or by what its zone says of all names: by a wildcard it would be only
// if it did not exist.
func guarded(old, next *Snapshot, guard int) []Violation {
	var out []Violation
	judge := func(what string, gone, had int) {
		if gone*100 > guard*had {
			out = append(out, Violation{
				Rule:   "P4",
				Text:   fmt.Sprintf("%d of %d %s in force would go at once, more than %d %%", gone, had, what, guard),
				Remedy: "remove them in smaller steps, or raise guard for this reload",
			})
		}
	}
	var zones, names int
	for _, apex := range mayDiffer(old, next) {
		was, now := old.zones[apex], next.zones[apex]
		switch {
		case was == nil:
		case now == nil:
			zones++
			names += was.names()
		default:
			for owner := range was.proxied() {
				if !now.known(owner).Proxied() {
					names++
				}
			}
		}
	}
	judge("zones", zones, old.stats.Zones)
	judge("proxied names", names, old.stats.ProxiedNames)
	gone, had := goneAddresses(old, next)
	judge("map addresses", gone, had)
	return out
}

// goneAddresses counts the map addresses in force, for each account those that
// its maps can answer with: one that is withdrawn, or on a map that is disabled,
// is not in force. It has gone if no account has it in force any more.
func goneAddresses(old, next *Snapshot) (gone, had int) {
	lost := make(map[netip.Addr]int) // :: address → accounts that had it
	for id, a := range old.accounts {
		had += a.inForce
		if next.accounts[id] != a {
			for _, ip := range a.addresses() {
				lost[ip]++
			}
		}
	}
	keep := func(a *account) {
		for i := range a.maps {
			if m := &a.maps[i]; m.enabled {
				for _, ip := range m.ips.usable {
					delete(lost, ip)
				}
			}
		}
	}
	for id, a := range next.accounts {
		if old.accounts[id] != a {
			keep(a)
		}
	}
	if len(lost) > 0 { // Another account may have it yet, as a lender does.
		for _, a := range next.accounts {
			keep(a)
		}
	}
	for _, n := range lost {
		gone += n
	}
	return gone, had
}
