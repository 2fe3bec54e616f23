package property

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// world is zones as backing have them, and a map over them, both made up by
// chance. Every address in it, and every label of an owner or a target, is a
// token of its own.
type world struct {
	*rand.Rand
	last     token
	zones    []*zone
	accounts []*account
	mapZones map[string]*mapZone // :: apex → zone of the map
	apps     map[string]*app     // :: owner → Spectrum application
	general  pool                // the anycast addresses of the map, those of its site, and those that are answered
	atSite   pool
	anycast  pool
	pools    map[string]*pool // :: name or wildcard → the addresses of its address map
	shape    shape

	backing backing
}

// backing is what the plugins that hold the zones are like.
type backing struct {
	kinds []kind // what they can hold; nil: anything
	tells bool   // they tell the wildcard that a record was made from, as file does
	lax   bool   // an empty non-terminal is answered from a wildcard beside it, as by file
	bare  bool   // they have no SOA
	hides bool   // an alias is not there if they find no address behind it
	// shallow: a wildcard covers one label, not more
	shallow bool
}

// zone is one zone of a backend.
type zone struct {
	apex   string
	signed bool
	lax    bool // see backing
	rrs    []dns.RR
	plan   []planned
	at     map[string][]dns.RR // :: owner in lower case → its records
	exists map[string]bool     // :: owner or empty non-terminal
}

// planned is an owner and what is to stand there.
type planned struct {
	owner string
	kind  kind
}

type kind int

const (
	kindHost kind = iota
	kindHost6
	kindAlias
	kindText
	kindMail
	kindService
	kindRedirect  // DNAME
	kindCut       // NS
	kindWildHost  // as kindHost, at a wildcard
	kindWildAlias // as kindAlias, at a wildcard
	kindWildText
	kinds
)

// outside is where names lie that no zone here has.
const outside = "elsewhere.invalid."

// newWorld makes up a world. The same choices make the same world.
func newWorld(choices rand.Source, b backing) *world {
	w := &world{Rand: rand.New(choices), backing: b}
	w.shape = newShape(w)
	for _, apex := range w.shape.apexes() {
		w.zones = append(w.zones, &zone{apex: apex, lax: b.lax, signed: b.kinds == nil && w.shape.front != "dnssec" && w.chance(1, 3)})
	}
	for _, z := range w.zones {
		w.planZone(z)
	}
	for _, z := range w.zones {
		w.fill(z)
		if b.bare {
			z.rrs = slices.DeleteFunc(z.rrs, func(rr dns.RR) bool { return !slices.Contains(aliasTypes, rr.Header().Rrtype) })
		}
		z.index()
	}
	if b.kinds != nil {
		w.straighten()
	}
	w.makeMap()
	return w
}

// straighten takes out aliases that never end: template follows them until the
// stack is full.
func (w *world) straighten() {
	for _, z := range w.zones {
		z.rrs = slices.DeleteFunc(z.rrs, func(rr dns.RR) bool {
			name, ok := dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype == dns.TypeCNAME
			for i := 0; ok && i < 8; i++ {
				name, ok = w.aliasOf(name)
			}
			if ok {
				delete(z.at, dns.CanonicalName(rr.Header().Name))
			}
			return ok
		})
		z.index()
	}
}

func (w *world) chance(n, of int) bool { return w.IntN(of) < n }

func (w *world) next() token {
	w.last++
	return w.last
}

// label makes up a label, now and then one that needs an escape.
func (w *world) label() string {
	if l := w.next().label(); !w.chance(1, 25) || w.backing.kinds != nil {
		return l
	} else if w.chance(1, 2) {
		return l + `\.x`
	} else {
		return l + `\007`
	}
}

// planZone makes up owners.
func (w *world) planZone(z *zone) {
	parents := []string{z.apex}
	var wild []string
	for range 5 + w.IntN(9) {
		parent := parents[w.IntN(len(parents))]
		if len(wild) > 0 && w.chance(1, 3) {
			parent = wild[w.IntN(len(wild))] // a name that exists by itself
		}
		if w.chance(1, 6) {
			parent = w.label() + "." + parent // an empty non-terminal
		}
		p := planned{kind: kind(w.IntN(int(kinds)))}
		if k := w.backing.kinds; k != nil {
			p.kind = k[w.IntN(len(k))]
		}
		switch p.kind {
		case kindWildHost, kindWildAlias, kindWildText:
			if parent != z.apex || slices.Contains(wild, parent) || w.chance(4, 5) {
				parent = w.label() + "." + parent
			}
			p.owner = "*." + parent
			wild = append(wild, parent)
		case kindRedirect, kindCut:
			p.owner = w.label() + "." + parent
		default:
			p.owner = w.label() + "." + parent
			parents = append(parents, p.owner)
		}
		z.plan = append(z.plan, p)
	}
	for _, other := range w.zones {
		if w.backing.kinds == nil && other != z && dns.IsSubDomain(z.apex, other.apex) && other.parentOf(w.zones) == z && w.chance(4, 5) {
			z.plan = append(z.plan, planned{other.apex, kindCut})
		}
	}
}

// parentOf returns the zone that a zone would be delegated from.
func (z *zone) parentOf(zones []*zone) *zone {
	var out *zone
	for _, p := range zones {
		if p != z && dns.IsSubDomain(p.apex, z.apex) && (out == nil || len(p.apex) > len(out.apex)) {
			out = p
		}
	}
	return out
}

// target makes up what an alias, an MX or the like of z leads to.
func (w *world) target(z *zone) string {
	name := ""
	switch n := w.IntN(20); {
	case n < 8:
		name = w.below(z)
	case n < 15:
		name = w.below(w.zones[w.IntN(len(w.zones))])
	case n < 16:
		name = w.label() + "." + z.apex
	default:
		name = w.label() + "." + outside
	}
	if w.chance(1, 5) {
		name = mixed(name)
	}
	return name
}

// below picks a name that the zone answers for.
func (w *world) below(z *zone) string {
	p := z.plan[w.IntN(len(z.plan))]
	parent, isWild := strings.CutPrefix(p.owner, "*.")
	if isWild || p.kind == kindRedirect || p.kind == kindCut && w.chance(1, 2) {
		return w.label() + "." + parent
	}
	return p.owner
}

// mixed spells a name in both cases.
func mixed(name string) string {
	b := []byte(name)
	for i := range b {
		if i%3 == 0 && 'a' <= b[i] && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// index makes the tables that the model looks records up in.
func (z *zone) index() {
	z.at, z.exists = make(map[string][]dns.RR), make(map[string]bool)
	for _, rr := range z.rrs {
		owner := dns.CanonicalName(rr.Header().Name)
		z.at[owner] = append(z.at[owner], rr)
		for n := owner; dns.IsSubDomain(z.apex, n) && !z.exists[n]; n = parent(n) {
			z.exists[n] = true
		}
	}
}

// owners returns the owner names, in order.
func (z *zone) owners() []string { return slices.Sorted(maps.Keys(z.at)) }

// parent returns the name one label up.
func parent(name string) string {
	if next, end := dns.NextLabel(name, 0); !end {
		return name[next:]
	}
	return "."
}
