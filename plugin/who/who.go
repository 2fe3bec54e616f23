package who

import (
	"cmp"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Ask says who is on the addresses of a query. Of each zone, names are listed up to a
// limit, all if it is 0: a report of a large map is small with one. The name without is
// left out, unless it is "".
func Ask(s *mapset.Snapshot, q Query, limit int, without fqdn.Name) *Report {
	g := &gatherer{
		Query: q, limit: limit, places: make(map[key]*Place), pools: make(map[*byte]touch), passes: make(map[passedKey]*Passed),
		report: &Report{Space: []Space{}, Places: []*Place{}, Accounts: []*Account{}},
	}
	g.written(s)
	accounts := make(map[string]*Account)
	for name, d := range s.Known() {
		if d != g.last {
			g.decide(d)
		}
		for _, p := range g.passing {
			p.Names++
		}
		if !g.on.in() {
			continue
		}
		g.countPlaces(name, d)
		if name == without && without != "" {
			continue
		}
		g.count()
		if q.together && g.on.out() {
			continue
		}
		a := accounts[d.Account()]
		if a == nil {
			a = &Account{ID: d.Account()}
			accounts[a.ID] = a
			g.report.Accounts = append(g.report.Accounts, a)
		}
		g.add(a, name, d)
	}
	return g.finish()
}

// key tells the places of a map apart. That of anycast is the zero one.
type key struct {
	account, addressMap string
	app                 fqdn.Name
	site                string
	general             bool
}

// touch is whether addresses are asked about, and whether there are others.
type touch struct{ in, out bool }

// touches is touch for each family.
type touches [2]touch

func (t touches) in() bool  { return t[mapset.IPv4].in || t[mapset.IPv6].in }
func (t touches) out() bool { return t[mapset.IPv4].out || t[mapset.IPv6].out }

// gatherer makes a report.
type gatherer struct {
	Query
	limit  int
	report *Report
	places map[key]*Place
	pools  map[*byte]touch // by where the addresses of a pool begin: many names share one
	passes map[passedKey]*Passed
	ofZone map[string]bool // the steps of the last zone

	last    mapset.Decision // names come zone by zone: the next one is most often decided alike
	on      touches         // of last
	passing []*Passed       // what counts a name with the decision last
	from    []*Place        // that answer for it with addresses asked about
	steps   []string        // the same as texts
}

// decide prepares for names with the decision d.
func (g *gatherer) decide(d mapset.Decision) {
	g.last, g.passing, g.from, g.steps = d, nil, nil, nil
	for _, f := range [...]mapset.Family{mapset.IPv4, mapset.IPv6} {
		g.on[f] = g.touch(d, f)
		if step := stepText(d.Step(f).String(), d.Map(f)); g.on[f].in && !slices.Contains(g.steps, step) {
			g.steps = append(g.steps, step)
			if p := g.placeOf(d, d.Map(f)); p != nil {
				g.from = append(g.from, p)
			}
		}
	}
	if len(g.places) == 0 {
		return
	}
	tried := d.Tried()
	by := ""
	for _, r := range tried {
		if r.Answers() {
			by = stepText(r.Step.String(), r.Map)
		}
	}
	for _, r := range tried {
		p := g.placeOf(d, r.Map)
		if p == nil || slices.Contains(g.from, p) || r.Answers() || r.Step == mapset.StepSpectrum {
			continue
		}
		g.passing = append(g.passing, g.passed(p, r.String(), by))
	}
}

// touch says how the addresses of a decision meet the query.
func (g *gatherer) touch(d mapset.Decision, f mapset.Family) touch {
	octets := d.Octets(f)
	if len(octets) == 0 {
		return touch{}
	}
	t, known := g.pools[&octets[0]]
	if !known {
		for _, ip := range d.Addrs(f) {
			if g.has(ip) {
				t.in = true
			} else {
				t.out = true
			}
		}
		g.pools[&octets[0]] = t
	}
	return t
}

// placeOf returns the place of an address map of the account that a decision is of, or that
// of anycast if the id is "". Of a static application, only the name tells.
func (g *gatherer) placeOf(d mapset.Decision, id string) *Place {
	if id == "" {
		return g.places[key{}]
	}
	return g.places[key{account: d.Account(), addressMap: id}]
}

// passed returns what counts the names that a place does not answer for, by a reason.
func (g *gatherer) passed(p *Place, reason, by string) *Passed {
	at := passedKey{p, reason, by}
	if g.passes[at] == nil {
		g.passes[at] = &Passed{Reason: reason, By: by}
		p.Passed = append(p.Passed, g.passes[at])
	}
	return g.passes[at]
}

type passedKey struct {
	of         *Place
	reason, by string
}

func stepText(step, addressMap string) string {
	return strings.TrimSpace(step + " " + addressMap)
}

// countPlaces counts a name where its addresses come from.
func (g *gatherer) countPlaces(name fqdn.Name, d mapset.Decision) {
	places := g.from
	if d.Spectrum {
		if p := g.places[key{account: d.Account(), app: name}]; p != nil {
			places = []*Place{p}
		}
	}
	for _, p := range places {
		p.Names++
	}
}

// count counts a name by the addresses that it has beside those asked about.
func (g *gatherer) count() {
	lacks := false
	for _, t := range g.on {
		lacks = lacks || t.in && !t.out
	}
	switch n := &g.report.Names; {
	case !lacks:
		n.WithOthers++
	case g.on.out():
		n.OtherFamilyOnly++
	default:
		n.WithoutOthers++
	}
}

// add adds a name to its zone.
func (g *gatherer) add(a *Account, name fqdn.Name, d mapset.Decision) {
	var z *Zone
	if n := len(a.Zones); n > 0 && a.Zones[n-1].Name == d.Zone() {
		z = a.Zones[n-1]
	} else {
		z = &Zone{Name: d.Zone(), List: []fqdn.Name{}}
		a.Zones = append(a.Zones, z)
		g.ofZone = make(map[string]bool)
	}
	a.Names++
	z.Names++
	for _, step := range g.steps {
		if !g.ofZone[step] {
			g.ofZone[step] = true
			z.Steps = append(z.Steps, step)
		}
	}
	switch i, _ := slices.BinarySearch(z.List, name); {
	case name == "":
		z.Throughout = true
	case g.limit == 0:
		z.List = append(z.List, name)
	case i < g.limit:
		z.List = slices.Insert(z.List, i, name)
		z.List = z.List[:min(len(z.List), g.limit)]
	}
}

// finish sums up and sorts.
func (g *gatherer) finish() *Report {
	r := g.report
	for _, a := range r.Accounts {
		for _, z := range a.Zones {
			slices.Sort(z.List)
			slices.Sort(z.Steps)
			r.Names.Zones++
			if z.Throughout {
				r.Names.Throughout++
			}
		}
		r.Names.All += a.Names
		slices.SortFunc(a.Zones, func(a, b *Zone) int { return cmp.Or(b.Names-a.Names, cmp.Compare(a.Name, b.Name)) })
	}
	r.Names.Accounts = len(r.Accounts)
	slices.SortFunc(r.Accounts, func(a, b *Account) int { return cmp.Or(b.Names-a.Names, cmp.Compare(a.ID, b.ID)) })
	for _, p := range r.Places {
		p.Passed = slices.DeleteFunc(p.Passed, func(o *Passed) bool { return o.Names == 0 })
		slices.SortFunc(p.Passed, func(a, b *Passed) int {
			return cmp.Or(b.Names-a.Names, cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.By, b.By))
		})
	}
	slices.SortStableFunc(r.Places, func(a, b *Place) int { return b.Names - a.Names })
	return r
}
