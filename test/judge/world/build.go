package world

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/miekg/dns"
)

// The zones of every world.
const (
	Main = "example.org."
	Net  = "example.net."
	Com  = "example.com." // the map does not know it
	Nest = "nest." + Main // nested in Main
	Far  = "far.example." // only our own upstream has it
)

// builder collects what a world holds.
type builder struct {
	spec    Spec
	rng     *rand.Rand
	used    map[string]bool
	records []dns.RR
	names   map[string]*judge.Name
	secrets []judge.Secret
	marks   map[string]string // owner → what the map's list says: true, false, v4 or v6
	targets []string          // names behind proxied aliases
	beside  bool
}

// everything says whether every name of the main zone is proxied.
func (b *builder) everything() bool {
	return b.spec["marks"] == "all" || b.spec["marks"] == "zone_file_default"
}

// tells says whether the backend tells which wildcard it answers from.
func (b *builder) tells() bool {
	switch b.spec["backend"] {
	case "file", "auto", "secondary", "signed", "file+forward":
		return true
	}
	return false
}

func (b *builder) rr(format string, args ...any) dns.RR {
	rr, err := dns.NewRR(fmt.Sprintf(format, args...))
	if err != nil {
		panic(fmt.Sprintf(format, args...) + ": " + err.Error())
	}
	b.records = append(b.records, rr)
	return rr
}

// v4 and v6 make addresses that no other record has.
func (b *builder) v4() netip.Addr {
	for {
		a := netip.AddrFrom4([4]byte{10, 66, byte(b.rng.IntN(250) + 1), byte(b.rng.IntN(250) + 1)})
		if !b.used[a.String()] {
			b.used[a.String()] = true
			return a
		}
	}
}

func (b *builder) v6() netip.Addr {
	for {
		a := netip.MustParseAddr(fmt.Sprintf("2001:db8:66:%x::%x", b.rng.IntN(0xffff), b.rng.IntN(0xfffe)+1))
		if !b.used[a.String()] {
			b.used[a.String()] = true
			return a
		}
	}
}

// label makes a label that stands nowhere else.
func (b *builder) label() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789"
	for {
		l := "zq"
		for range 6 {
			l += string(letters[b.rng.IntN(len(letters))])
		}
		if !b.used[l] {
			b.used[l] = true
			return l
		}
	}
}

// name returns the entry of a name, made if need be.
func (b *builder) name(owner string, status judge.Status) *judge.Name {
	owner = dns.CanonicalName(owner)
	n := b.names[owner]
	if n == nil {
		n = &judge.Name{Name: owner, Beside: map[uint16][]dns.RR{}}
		b.names[owner] = n
	}
	n.Status = status
	if status == judge.Proxied {
		b.addresses(n)
	}
	return n
}

// full makes an owner of the main zone fully qualified.
func full(owner string) string {
	switch {
	case owner == "@":
		return Main
	case strings.HasSuffix(owner, "."):
		return owner
	}
	return owner + "." + Main
}

// proxied marks a name. Unproxied ones are marked too, for zones of which
// everything else is proxied.
func (b *builder) proxied(owner, how string) *judge.Name {
	b.marks[full(owner)] = how
	n := b.name(full(owner), judge.Proxied)
	switch how {
	case "v4":
		n.V6 = nil
	case "v6":
		n.V4 = nil
	}
	return n
}

// plain names an owner that is not marked: proxied only where everything is.
func (b *builder) plain(owner string) *judge.Name {
	if b.everything() && dns.IsSubDomain(Main, full(owner)) && !b.nested(full(owner)) {
		return b.name(full(owner), judge.Proxied)
	}
	return b.name(full(owner), judge.Unproxied)
}

func (b *builder) nested(name string) bool {
	return b.spec["nested"] != "none" && dns.IsSubDomain(Nest, name)
}

// a and aaaa give a name an address, which is a secret if the name is proxied.
func (b *builder) a(owner string) netip.Addr {
	addr := b.v4()
	b.rr("%s 3600 IN A %s", full(owner), addr)
	b.keep(addr, owner)
	return addr
}

func (b *builder) aaaa(owner string) netip.Addr {
	addr := b.v6()
	b.rr("%s 3600 IN AAAA %s", full(owner), addr)
	b.keep(addr, owner)
	return addr
}

// keep makes the address a secret of the owner if that is proxied.
func (b *builder) keep(addr netip.Addr, owner string) {
	if n := b.names[full(owner)]; n != nil && n.Status == judge.Proxied {
		b.secrets = append(b.secrets, judge.Secret{Addr: addr, Of: full(owner)})
	}
}

// hint makes an address that stands only in hints of a proxied target.
func (b *builder) hint(owner string) netip.Addr {
	addr := b.v4()
	b.secrets = append(b.secrets, judge.Secret{Addr: addr, Of: full(owner), Rule: "R9"})
	return addr
}

// hidden makes a name behind a proxied alias, with data that is reached only
// through that.
func (b *builder) hidden(owner string, zone string) string {
	label := b.label()
	target := label + "." + zone
	b.targets = append(b.targets, target)
	b.secrets = append(b.secrets, judge.Secret{Label: label, Names: []string{target}, Of: full(owner)})
	status := judge.Unproxied
	if dns.IsSubDomain(Main, target) && b.everything() {
		status = judge.Proxied
	}
	b.name(target, status)
	for _, addr := range []netip.Addr{b.v4(), b.v6()} {
		t := "A"
		if addr.Is6() {
			t = "AAAA"
		}
		b.rr("%s 3600 IN %s %s", target, t, addr)
		s := judge.Secret{Addr: addr, Of: full(owner)}
		if status == judge.Unproxied {
			s.KnownBy = []string{label}
		}
		b.secrets = append(b.secrets, s)
	}
	text := b.label()
	b.rr("%s 3600 IN TXT \"behind the alias %s\"", target, text)
	if b.spec["backend"] == "etcd" {
		return target // etcd answers for the names above with the texts below them
	}
	b.rr("%s 3600 IN MX 10 %s", target, target)
	b.secrets = append(b.secrets, judge.Secret{Label: text, Of: full(owner), Rule: "R6", KnownBy: []string{label}})
	return target
}

// alias gives a proxied name an alias to a hidden one.
func (b *builder) alias(owner, zone string) {
	b.rr("%s 3600 IN CNAME %s", full(owner), b.hidden(owner, zone))
}

// secretTarget makes a name that does not exist but must not be shown.
func (b *builder) secretTarget(owner, zone string) string {
	label := b.label()
	b.secrets = append(b.secrets, judge.Secret{Label: label, Names: []string{label + "." + zone}, Of: full(owner)})
	return label + "." + zone
}

// addresses gives the name the mapped addresses of its zone.
func (b *builder) addresses(n *judge.Name) {
	p := netip.MustParseAddr
	n.V4, n.V6, n.AAAAOnly = []netip.Addr{b.anycast4()}, []netip.Addr{p("2001:db8::1")}, false
	if !dns.IsSubDomain(Main, n.Name) || b.nested(n.Name) {
		return
	}
	v4, v6 := []netip.Addr{p("203.0.113.10"), p("203.0.113.11")}, []netip.Addr{p("2001:db8:100::10")}
	next := b.spec["missing_family"] == "next"
	switch b.spec["family"] {
	case "both":
		n.V4, n.V6 = v4, v6
	case "noipv6":
		n.V4, n.V6, n.AAAAOnly = v4, v6, true
	case "v4":
		n.V4 = v4
		if !next {
			n.V6 = nil
		}
	case "v6":
		n.V6 = v6
		if !next {
			n.V4 = nil
		}
	}
}
