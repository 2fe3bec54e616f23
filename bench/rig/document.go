package rig

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Document is a map document, as far as the yardsticks need one.
type Document struct {
	Anycast  []string  `json:"anycast,omitempty"`
	Accounts []Account `json:"accounts,omitempty"`
}

// Account is one account of a Document.
type Account struct {
	ID       string       `json:"id"`
	Prefixes []string     `json:"prefixes"`
	Zones    []Zone       `json:"zones"`
	Maps     []AddressMap `json:"address_maps"`
}

// Zone is one zone of an Account. Either Proxied or ZoneFile is set.
type Zone struct {
	Name     string   `json:"name"`
	Proxied  []string `json:"proxied,omitempty"`
	ZoneFile string   `json:"zone_file,omitempty"`
}

// AddressMap is one address map of an Account.
type AddressMap struct {
	ID          string       `json:"id"`
	Enabled     bool         `json:"enabled"`
	IPs         []string     `json:"ips"`
	Memberships []Membership `json:"memberships"`
}

// Membership is what an AddressMap is for.
type Membership struct {
	Kind       string `json:"kind"`
	Identifier string `json:"identifier"`
}

// Marks says which owner names of a zone are proxied, or from which file that
// is read.
type Marks func(zone int) (proxied []string, zoneFile string)

// Proxied marks every host.
func (f Fleet) Proxied(int) (proxied []string, zoneFile string) {
	return f.owners("h"), ""
}

// Others marks as many names as there are hosts, none of which is one.
func (f Fleet) Others(int) (proxied []string, zoneFile string) {
	return f.owners("o"), ""
}

func (f Fleet) owners(first string) []string {
	owners := make([]string, f.Hosts)
	for host := range owners {
		owners[host] = first + f.Host(host)[1:]
	}
	return owners
}

// Document returns the map of all accounts at turn 0. It panics if there are more zones
// than the address space for benchmarks has room for.
func (f Fleet) Document(marks Marks) *Document { return f.DocumentAt(0, marks) }

// DocumentAt returns the map of all accounts at a turn.
func (f Fleet) DocumentAt(turn int, marks Marks) *Document {
	d := new(Document)
	for account := range f.Accounts() {
		d.Accounts = append(d.Accounts, f.Account(account, turn, marks))
	}
	return d
}

// Account returns one account. Each turn gives its address maps other addresses
// than the one before; [Fleet.Edge] tells those of turn 0.
func (f Fleet) Account(account, turn int, marks Marks) Account {
	if account >= MaxAccounts {
		panic(fmt.Sprintf("%d zones need more than %d accounts", f.Zones, MaxAccounts))
	}
	a := Account{ID: fmt.Sprintf("account%05d", account), Prefixes: prefixesOf(account)}
	first := account * zonesPerAccount
	for zone := first; zone < min(first+zonesPerAccount, f.Zones); zone++ {
		z := Zone{Name: strings.TrimSuffix(f.Zone(zone), ".")}
		z.Proxied, z.ZoneFile = marks(zone)
		a.Zones = append(a.Zones, z)
	}
	swing := turn % 2 * 2
	a.Maps = []AddressMap{
		addressMap(a.ID+"-all", poolOf(account, swing), Membership{"account", a.ID}),
		addressMap(a.ID+"-first", poolOf(account, swing+1), Membership{"zone", a.Zones[0].Name}),
	}
	return a
}

func addressMap(id string, a Addresses, m Membership) AddressMap {
	am := AddressMap{ID: id, Enabled: true, Memberships: []Membership{m}}
	for _, ips := range [][]netip.Addr{a.V4, a.V6} {
		for _, ip := range ips {
			am.IPs = append(am.IPs, ip.String())
		}
	}
	return am
}

// JSON returns the document as an indented JSON text, as tools print it.
func (d *Document) JSON() []byte {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // there is nothing in it that JSON has not
	}
	return append(b, '\n')
}

// YAML returns the document as people write it.
func (d *Document) YAML() []byte {
	var b strings.Builder
	if len(d.Anycast) > 0 {
		fmt.Fprintf(&b, "anycast: %s\n", flow(d.Anycast))
	}
	if len(d.Accounts) > 0 {
		b.WriteString("accounts:\n")
	}
	for _, a := range d.Accounts {
		fmt.Fprintf(&b, "  - id: %s\n    prefixes: %s\n    zones:\n", a.ID, flow(a.Prefixes))
		for _, z := range a.Zones {
			fmt.Fprintf(&b, "      - name: %s\n", z.Name)
			if z.ZoneFile != "" {
				fmt.Fprintf(&b, "        zone_file: %s\n", z.ZoneFile)
				continue
			}
			b.WriteString("        proxied:\n")
			for _, owner := range z.Proxied {
				fmt.Fprintf(&b, "          - %s\n", owner)
			}
		}
		b.WriteString("    address_maps:\n")
		for _, m := range a.Maps {
			fmt.Fprintf(&b, "      - id: %s\n        enabled: %t\n        ips: %s\n        memberships:\n", m.ID, m.Enabled, flow(m.IPs))
			for _, member := range m.Memberships {
				fmt.Fprintf(&b, "          - {kind: %s, identifier: %s}\n", member.Kind, member.Identifier)
			}
		}
	}
	return []byte(b.String())
}

// flow returns a list in brackets. IPv6 addresses need quotes there.
func flow(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		if strings.Contains(s, ":") {
			s = strconv.Quote(s)
		}
		quoted[i] = s
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
