package rig

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// Fleet is a number of zones with a number of hosts each, and the accounts that
// own them: an account has ten zones, an address map for all of them and one for
// the first.
type Fleet struct {
	Zones, Hosts int
}

// TLD is what all zones of a fleet are delegated from.
const TLD = "example."

const zonesPerAccount = 10

// MaxAccounts is how many accounts of a fleet the address space below is enough for.
const MaxAccounts = 1 << 14

// Zone returns the name of a zone, fully qualified.
func (f Fleet) Zone(zone int) string { return fmt.Sprintf("z%06d.%s", zone, TLD) }

// Host returns the name of a host in its zone.
func (f Fleet) Host(host int) string { return fmt.Sprintf("h%06d", host) }

// Name returns the fully qualified name of a host.
func (f Fleet) Name(zone, host int) string { return f.Host(host) + "." + f.Zone(zone) }

// Names is the number of hosts in all zones.
func (f Fleet) Names() int { return f.Zones * f.Hosts }

// Accounts is the number of accounts.
func (f Fleet) Accounts() int { return (f.Zones + zonesPerAccount - 1) / zonesPerAccount }

// Addresses is what a name is answered with, each family in its order.
type Addresses struct {
	V4, V6 []netip.Addr
}

// Edge returns the addresses that a proxied name of a zone is answered with: two
// of each family, from the address space for benchmarks (RFC 2544, RFC 5180).
func (f Fleet) Edge(zone int) Addresses { return f.EdgeAt(zone, 0) }

// EdgeAt returns the same at a turn, of which [Fleet.Account] tells.
func (f Fleet) EdgeAt(zone, turn int) Addresses {
	pool := turn % 2 * 2
	if zone%zonesPerAccount == 0 {
		pool++
	}
	return poolOf(zone/zonesPerAccount, pool)
}

// pools is how many address maps of two addresses a family fit into what an
// account has.
const pools = 4

// AccountOf returns the number of the account that a zone belongs to.
func (f Fleet) AccountOf(zone int) int { return zone / zonesPerAccount }

// FirstOf returns the first zone of an account.
func (f Fleet) FirstOf(account int) int { return account * zonesPerAccount }

// poolOf returns one of an account's sets of addresses.
func poolOf(account, pool int) Addresses {
	n := account*2*pools + 2*pool
	v4 := netip.AddrFrom4([4]byte{198, byte(18 + n>>16), byte(n >> 8), byte(n)})
	b := [16]byte{0x20, 0x01, 0x00, 0x02, 6: byte(account >> 8), 7: byte(account), 15: byte(2 * pool)}
	v6 := netip.AddrFrom16(b)
	return Addresses{V4: []netip.Addr{v4, v4.Next()}, V6: []netip.Addr{v6, v6.Next()}}
}

// prefixesOf returns the address space of an account.
func prefixesOf(account int) []string {
	a := poolOf(account, 0)
	return []string{
		netip.PrefixFrom(a.V4[0], 29).String(),
		netip.PrefixFrom(a.V6[0], 64).String(),
	}
}

// Hidden returns the addresses of a host that its zone file holds: the
// origin's.
func (f Fleet) Hidden(zone, host int) Addresses {
	n := zone*f.Hosts + host
	v4 := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	v6 := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
	return Addresses{V4: []netip.Addr{v4}, V6: []netip.Addr{v6}}
}

// EdgeOf is Edge in the form that ZoneFile takes.
func (f Fleet) EdgeOf(zone, _ int) Addresses { return f.Edge(zone) }

// ZoneFile returns the file of a zone whose hosts have the addresses given. The
// comment, if any, stands behind every address record of a host.
func (f Fleet) ZoneFile(zone int, of func(zone, host int) Addresses, comment string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "$ORIGIN %s\n$TTL 300\n", f.Zone(zone))
	b.WriteString("@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ IN NS ns1\nns1 IN A 192.0.2.53\n")
	if comment != "" {
		comment = " ; " + comment
	}
	for host := range f.Hosts {
		a := of(zone, host)
		for _, ip := range a.V4 {
			fmt.Fprintf(&b, "%s IN A %s%s\n", f.Host(host), ip, comment)
		}
		for _, ip := range a.V6 {
			fmt.Fprintf(&b, "%s IN AAAA %s%s\n", f.Host(host), ip, comment)
		}
	}
	return []byte(b.String())
}

// HostsFile returns the edge addresses of a zone's hosts as the hosts plugin
// reads them.
func (f Fleet) HostsFile(zone int) []byte {
	var b strings.Builder
	a := f.Edge(zone)
	for host := range f.Hosts {
		for _, ip := range append(a.V4[:2:2], a.V6...) {
			fmt.Fprintf(&b, "%s %s\n", ip, f.Name(zone, host))
		}
	}
	return []byte(b.String())
}

// Random returns n questions for hosts drawn at random, half of them for A and
// half for AAAA, one on a line as dnsperf reads them. It is the same each time.
func (f Fleet) Random(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range n {
		i := rng.IntN(f.Names())
		f.question(&b, i, rng.IntN(2) == 0)
	}
	return []byte(b.String())
}

// Once returns questions for hosts in random order, at most n and no host twice.
func (f Fleet) Once(n int) []byte {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for k, i := range rng.Perm(f.Names()) {
		if k == n {
			break
		}
		f.question(&b, i, rng.IntN(2) == 0)
	}
	return []byte(b.String())
}

// All returns the two questions for each host, in random order.
func (f Fleet) All() []byte {
	rng := rand.New(rand.NewPCG(5, 6))
	var b strings.Builder
	for _, i := range rng.Perm(2 * f.Names()) {
		f.question(&b, i/2, i%2 == 0)
	}
	return []byte(b.String())
}

func (f Fleet) question(b *strings.Builder, i int, v4 bool) {
	b.WriteString(f.Name(i/f.Hosts, i%f.Hosts))
	if v4 {
		b.WriteString(" A\n")
	} else {
		b.WriteString(" AAAA\n")
	}
}
