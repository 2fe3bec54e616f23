package mapset

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// account compiles the account with that number in its document.
func (b *builder) account(s Source, n int) {
	a, acct := &s.Doc.Accounts[n], &b.doc.accounts[n]
	acct.id, acct.file, acct.byoipOnly = a.ID, s.Doc.Name, a.BYOIPOnly
	b.addresses(s.Doc, a)
	att := b.attach(s.Doc, a)
	b.protectedFallback(s.Doc, a, att)
	acct.maps = b.addressMaps(s.Doc, a, att)
	acct.inForce = len(acct.addresses())
	base := candidates{byoipOnly: a.BYOIPOnly, perFamily: b.opt.PerFamily}
	base.usable[StepAnycast], base.written[StepAnycast] = b.everyone, b.everyone
	if m := att.account; m != nil {
		base.put(StepAccount, m.ID, b.reg.set(a.ID, mapfile.IPs(m.IPs)))
	}
	base.outcome = base.fallback()
	of := make(map[*mapfile.AddressMap]*candidates) // shared by the zones that a map is attached to, or none
	apps := appsByZone(a, att)
	for i := range a.Zones {
		z := &a.Zones[i]
		m := att.zones[z.Name]
		steps := of[m]
		if steps == nil {
			steps = &base
			if m != nil {
				steps = base.with(StepZone, m.ID, b.reg.set(a.ID, mapfile.IPs(m.IPs)))
			}
			of[m] = steps
		}
		b.doc.zones = append(b.doc.zones, zone{apex: z.Name, pos: z.Pos, account: acct, autoV6: z.IPv6, outcome: steps.outcome})
		out := &b.doc.zones[len(b.doc.zones)-1]
		named := b.named(a, out, steps, att)
		for _, app := range apps[z.Name] {
			b.spectrum(s.Doc, a, out, app, *cmp.Or(named[app.Name], steps), att)
		}
		if b.last == nil {
			b.marks(s, out, z, att.ofZone[z.Name])
		} else {
			last := &b.last.zones[len(b.doc.zones)-1]
			out.apex, out.marks, out.rest = last.apex, last.marks, last.rest
		}
		b.judgeMembers(s, out, z, att)
		b.reachable(s.Doc, a, out, z, steps, named, att)
	}
	b.snap.accounts[a.ID] = acct
}

// addressMaps compiles what outlives the decisions of the account's address maps.
func (b *builder) addressMaps(doc *mapfile.Document, a *mapfile.Account, att *attachments) []addressMap {
	out := make([]addressMap, len(a.Maps))
	for i := range a.Maps {
		m := &a.Maps[i]
		ips := mapfile.IPs(m.IPs)
		slices.SortFunc(ips, netip.Addr.Compare)
		members := make([]member, len(m.Members))
		for j, mem := range m.Members {
			members[j] = att.member(mem)
		}
		slices.SortFunc(members, member.compare)
		out[i] = addressMap{
			id: m.ID, enabled: m.Enabled, canDelete: m.CanDelete, canModifyIPs: m.CanModifyIPs,
			ips: b.reg.set(a.ID, ips), members: members,
		}
		if out[i].ips.withdrawn() {
			b.warn(doc, m.Pos, "all addresses of address map %q are withdrawn: it counts as disabled", m.ID)
		}
	}
	return out
}

// reachable refuses a zone with proxied names that have no address at all (V15). named is
// as [builder.named] returns it.
func (b *builder) reachable(doc *mapfile.Document, a *mapfile.Account, out *zone, z *mapfile.Zone, steps *candidates, named map[fqdn.Name]*candidates, att *attachments) {
	if !b.judgesAddresses(a, att) || !b.isFirst(doc, z) {
		return
	}
	written := steps.asWritten()
	if out.needsPools(named) && !written.answers(markProxied) {
		b.refuseUnreachable(doc, a, z.Pos, "write anycast addresses, or an enabled address map for the zone or its account",
			"zone %q has proxied names, and there is no address for them", z.Name)
		return
	}
	for _, m := range z.Marks {
		written := written
		if own := named[m.Owner]; own != nil {
			written = own.asWritten()
		}
		if bits := bitsOf(m); bits&markProxied != 0 && !written.answers(bits) && out.apps[relative(m.Owner, len(z.Name))] == nil {
			b.refuseUnreachable(doc, a, m.Pos, "write an address of that family where its zone is answered from, or lift the limit",
				"%q is answered with %s only, and there is no such address for it", m.Owner, onlyFamily(bits))
		}
	}
}

// judgesAddresses reports whether it is known from where the account's names
// are answered, so that it can be told whether there is any address.
func (b *builder) judgesAddresses(a *mapfile.Account, att *attachments) bool {
	return !b.anycastUnknown && !a.MapsInvalid && !att.incomplete
}

func onlyFamily(m mark) string {
	if m.answers(IPv4) {
		return "IPv4"
	}
	return "IPv6"
}
