package fault

import (
	"fmt"
	"strings"
)

func zoneName(z int) string { return fmt.Sprintf("t%d.example", z) }

// mapYAML is an address map of an account.
type mapYAML struct {
	id, extra string
	disabled  bool
	ips       []string
	members   []string // as YAML
}

// addresses returns n IPv4 and n IPv6 addresses of the account's space. Those of
// different versions have none in common.
func (a account) addresses(version, n int) (out []string) {
	v4, v6 := fmt.Sprintf("10.%d", a.tenant), fmt.Sprintf("2001:db8:1%d:", a.tenant)
	high := version >> 6
	switch a.tenant {
	case tenantBorrower:
		v4, high = fmt.Sprintf("10.%d", tenantLender), high+128
	case tenantAnycast:
		v4 = "172.16"
	}
	for i := range n {
		out = append(out, fmt.Sprintf("%s.%d.%d", v4, high, version&63<<2+i), fmt.Sprintf("%s:%x:%x", v6, version, i+1))
	}
	return out
}

// maps returns the address maps of the account. The protected ones have
// addresses that no version of another map has.
func (a account) maps() (out []mapYAML) {
	if a.version == 0 {
		return nil
	}
	members := func(zoneCount ...int) (out []string) {
		for _, z := range zoneCount {
			if a.claims(z) && (z != secondZone || !a.kept || a.disabled) {
				out = append(out, fmt.Sprintf("{kind: zone, identifier: %s}", zoneName(z)))
			}
		}
		return out
	}
	if a.kept {
		m := mapYAML{id: fmt.Sprintf("kept%d", a.tenant), extra: "\n        enabled: true", ips: a.addresses(16000+a.keptIPs, 1)}
		if a.disabled {
			m.extra, m.disabled = "\n        enabled: false", true
		}
		if !a.open {
			m.extra += "\n        can_delete: false\n        can_modify_ips: false"
		}
		m.members = []string{fmt.Sprintf("{kind: account, identifier: t%d}", a.tenant)}
		out = append(out, m)
	}
	if a.tenant == tenantAnycast {
		return out
	}
	zoneCount := []int{a.tenant}
	if a.also != a.tenant {
		zoneCount = append(zoneCount, a.also)
	}
	if a.tenant == tenantGuarded {
		zoneCount = append(zoneCount, secondZone)
	}
	m := mapYAML{id: fmt.Sprintf("map%d", a.tenant), extra: "\n        enabled: true", ips: a.addresses(a.version, 3), members: members(zoneCount...)}
	return append(out, m)
}

// owners returns the owner names of a zone of the account that have a mark.
func (a account) owners(zone int) []string {
	names := []string{"@", "www", "*.wild"}
	for bit := range 4 {
		if zone == tenantMarked && a.tenant == tenantMarked && a.marks > 0 && a.marks&(1<<bit) != 0 {
			names = append(names, fmt.Sprintf("b%d", bit))
		}
	}
	return names
}

// space is the address space of the account, as YAML.
func (a account) space() string {
	own := fmt.Sprintf("10.%d.0.0/16, ", a.tenant)
	if a.tenant == tenantBorrower {
		own = ""
	}
	if a.tenant == tenantLender && !a.lends {
		own = "10.3.0.0/17, "
	}
	out := fmt.Sprintf("    prefixes: [%s\"2001:db8:1%d::/48\"]\n", own, a.tenant)
	if a.tenant == tenantBorrower {
		out += fmt.Sprintf("    delegated_prefixes: [10.%d.128.0/17]\n", tenantLender)
	}
	return out
}

// text returns the account as it stands in a document. What may be missing at
// its end without the document becoming invalid comes last: addresses, and in a
// document of all accounts the last of these.
func (a account) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - id: t%d\n%s", a.tenant, a.space())
	if a.tenant == tenantBYOIP && !a.unconfined {
		b.WriteString("    byoip_only: true\n")
	}
	b.WriteString("    zones:\n")
	for z := range zoneCount {
		if !a.claims(z) {
			continue
		}
		marks := `proxied: ["@", www, "*.wild"]`
		if z == tenantMarked && a.tenant == tenantMarked && a.marks >= 0 {
			marks = "zone_file: marks.zone"
		}
		fmt.Fprintf(&b, "      - {name: %s, %s}\n", zoneName(z), marks)
	}
	if a.tenant == tenantPlain {
		fmt.Fprintf(&b, "    spectrum_apps:\n      - {dns: {name: app.%s, type: ADDRESS}, edge_ips: {type: static, ips: [%q]}}\n",
			zoneName(tenantPlain), a.app())
	}
	if maps := a.maps(); len(maps) > 0 {
		b.WriteString("    address_maps:\n")
		for _, m := range maps {
			fmt.Fprintf(&b, "      - id: %s%s\n        memberships:\n", m.id, m.extra)
			for _, member := range m.members {
				fmt.Fprintf(&b, "          - %s\n", member)
			}
			b.WriteString("        ips:\n")
			for _, ip := range m.ips {
				fmt.Fprintf(&b, "          - %q\n", ip)
			}
		}
	}
	return b.String()
}

// app returns the address of the Spectrum application.
func (a account) app() string { return a.addresses(a.version, 4)[6] }

// writeEdition makes an edition of these accounts. serial tells it from others that say
// the same.
func writeEdition(serial int, accounts ...account) *edition {
	var b strings.Builder
	fmt.Fprintf(&b, "# edition %d\n", serial)
	for _, a := range accounts {
		if a.tenant == tenantAnycast && a.version > 0 {
			quoted := strings.Join(a.addresses(a.version, 3), `", "`)
			fmt.Fprintf(&b, "anycast: [\"%s\"]\n", quoted)
		}
	}
	b.WriteString("accounts:\n")
	var there []account
	for _, a := range accounts {
		if a.version > 0 {
			there = append(there, a)
			b.WriteString(a.text())
		}
	}
	if len(there) == 0 {
		b.WriteString("  []\n")
	}
	return &edition{text: b.String(), accounts: there}
}

// marksFile is the zone file that the marked tenant's document names.
func marksFile(marks int) string {
	mark := func(proxied bool) string { return fmt.Sprintf("; cf_tags=cf-proxied:%t\n", proxied) }
	text := fmt.Sprintf("$ORIGIN %s.\n@ 60 IN SOA ns h 1 7200 3600 1209600 60\n@ 60 IN A 198.51.100.2 %s", zoneName(tenantMarked), mark(true))
	text += "www 60 IN CNAME @ " + mark(true) + "*.wild 60 IN A 198.51.100.2 " + mark(true)
	for bit := range 4 {
		text += fmt.Sprintf("b%d 60 IN A 198.51.100.2 %s", bit, mark(marks&(1<<bit) != 0))
	}
	return text
}

// zoneText is the zone file of the backend.
func zoneText(z int) string {
	text := fmt.Sprintf(`$ORIGIN %s.
@ 60 IN SOA ns h 1 7200 3600 1209600 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.53
@ 60 IN A 198.51.100.%d
www 60 IN CNAME @
*.wild 60 IN A 198.51.100.%[2]d
plain 60 IN A 192.0.2.%[2]d
`, zoneName(z), z+1)
	for bit := range 4 {
		text += fmt.Sprintf("b%d 60 IN A 198.51.100.%d\n", bit, z+1)
	}
	return text
}
