package property

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

var (
	propertyZones = flag.Int("property.zones", 20, "how many zones the property test makes up")
	propertySeed  = flag.Uint64("property.seed", 1, "seed of the first world of the property test")
)

// figures counts what a property test covered.
type figures struct{ zones, queries, octets, compared, wanted, withheld int }

func (f *figures) add(g figures) {
	f.zones += g.zones
	f.queries += g.queries
	f.octets += g.octets
	f.compared += g.compared
	f.wanted += g.wanted
	f.withheld += g.withheld
}

func (f figures) String() string {
	return fmt.Sprintf("%d zones, %d queries, %d octets in responses; %d compared with the backend's, %d with the map, %d withheld",
		f.zones, f.queries, f.octets, f.compared, f.wanted, f.withheld)
}

// hold starts the world, with addressmap and without it, and asks questions:
// whatever the zones and the map are, and however they are asked, no address or
// alias of a proxied name leaves, what is not proxied is answered as the backend
// answers it, and what is, by the map. backend prints the lines of a server block
// that answer for its zones.
func (w *world) hold(t testing.TB, backend func([]string) string, questions [][]query) figures {
	t.Helper()
	p := &property{w: w, plain: server.Start(t, w.corefile(false, backend), nil), mapped: server.Start(t, w.corefile(true, backend), nil), queries: make(chan []query)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(p.work)
	}
	for _, qs := range questions {
		p.queries <- qs
	}
	close(p.queries)
	wg.Wait()
	p.figures.zones = len(w.zones)
	for i, f := range p.findings {
		if t.Errorf("%s", f); i == 4 {
			t.Errorf("… and %d more", len(p.findings)-5)
			break
		}
	}
	if len(p.findings) > 0 {
		t.Logf("%s\n%s", w.corefile(true, backend), w.document())
		for _, z := range w.zones {
			t.Logf("; zone %s\n%s", z.apex, w.printFile(z))
		}
	}
	return p.figures
}

// place writes the files of the world to a working directory of its own.
func (w *world) place(t testing.TB) {
	t.Helper()
	all := map[string]string{"map.yaml": w.document()}
	for _, z := range w.zones {
		all[z.name()] = w.printFile(z)
	}
	server.Place(t, all)
	if w.shape.front == "dnssec" {
		for _, z := range w.zones {
			server.NewKey(t, strings.TrimSuffix(z.apex, "."))
		}
	}
}

// property is a world that runs twice.
type property struct {
	w             *world
	plain, mapped *server.Server
	queries       chan []query

	mu       sync.Mutex
	figures  figures
	findings []string
}

// work asks the questions about one name after the other.
func (p *property) work() {
	plain, mapped := &wire{c: p.plain}, &wire{c: p.mapped}
	defer plain.close()
	defer mapped.close()
	for qs := range p.queries {
		var f figures
		var found []string
		may := p.w.mayLeave(qs[0].name)
		wrong := make(map[uint16]bool) // of types, one finding each is enough
		for _, q := range qs {
			if err := p.one(q, plain, mapped, may, &f); err != nil && !wrong[q.qtype] {
				wrong[q.qtype] = true
				found = append(found, fmt.Sprintf("%s: %v", q, err))
			}
		}
		p.mu.Lock()
		p.figures.add(f)
		p.findings = append(p.findings, found...)
		p.mu.Unlock()
	}
}

// one asks both servers one question.
func (p *property) one(q query, plain, mapped *wire, may map[token]bool, f *figures) error {
	m := q.msg(1)
	got, err := mapped.ask(q, m)
	if err != nil {
		return fmt.Errorf("with addressmap: %w", err)
	}
	f.queries++
	for _, octets := range got {
		f.octets += len(octets)
	}
	if q.transfers() {
		return p.transfer(q, m, got, plain, f)
	}
	resp := new(dns.Msg)
	if err := resp.Unpack(got[0]); err != nil {
		return err
	}
	if leaked := p.w.leaked(got[0], may); len(leaked) > 0 && p.w.guarded(q.name) {
		return fmt.Errorf("%v may not leave:\n%s", leaked, resp)
	}
	theirs, err := plain.ask(q, m)
	if err != nil {
		return fmt.Errorf("without addressmap: %w", err)
	}
	want := new(dns.Msg)
	if err := want.Unpack(theirs[0]); err != nil {
		return err
	}
	if resp.Truncated || want.Truncated {
		return nil
	}
	if name, addrs, ok := p.w.wanted(q); ok && !failed(want) {
		f.wanted++
		if wrong := p.w.unlike(resp, name, addrs); wrong != "" {
			return fmt.Errorf("%s:\n%s", wrong, resp)
		}
		return nil
	}
	if p.w.covered(q.name) || p.w.touches(want) {
		if withheld(resp) {
			f.withheld++
		}
		return nil
	}
	f.compared++
	if (want.Rcode == dns.RcodeServerFailure || !p.w.backing.lax) && resp.Rcode == dns.RcodeServerFailure && p.w.loops(dns.CanonicalName(q.name)) {
		return nil // a loop is a loop, however many rounds of it are shown
	}
	if q.qtype == dns.TypeANY && p.w.isAliasAlone(resp, want) {
		return nil // R28, also where what is behind the alias is undecided
	}
	if p.w.mayCover(want) {
		// The backend was asked for the end of the chain by itself, which another
		// server block may have: then it refers to that.
		want.Ns, want.Extra, resp.Ns, resp.Extra = nil, nil, nil, nil
		if len(resp.Answer) < len(want.Answer) {
			want.Answer = want.Answer[:len(resp.Answer)]
		}
	}
	if a, b := p.w.comparable(want), p.w.comparable(resp); a != b {
		return fmt.Errorf("not as the backend has it:\n%s\n%s", want, resp)
	}
	return nil
}

// isAliasAlone reports whether a response to ANY is the alias that the backend's
// answer begins with, and nothing that is behind the alias.
func (w *world) isAliasAlone(resp, want *dns.Msg) bool {
	name := dns.CanonicalName(want.Question[0].Name)
	var first, shown []string
	for _, rr := range want.Answer {
		owner, t := dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype
		if t == dns.TypeCNAME && owner == name || t == dns.TypeDNAME && dns.IsSubDomain(owner, name) {
			first = append(first, w.comparableRecord(rr))
		}
		if t == dns.TypeCNAME {
			break // a loop may come back to the same aliases
		}
	}
	for _, rr := range slices.Concat(resp.Answer, resp.Ns) {
		if rr.Header().Rrtype != dns.TypeRRSIG {
			shown = append(shown, w.comparableRecord(rr))
		}
	}
	return len(first) > 0 && resp.Rcode == dns.RcodeSuccess && slices.Equal(first, shown)
}

// failed reports whether a backend says nothing of the name (R23), as file does
// of an alias of itself.
func failed(m *dns.Msg) bool { return m.Rcode == dns.RcodeServerFailure && len(m.Answer) == 0 }

// withheld reports whether a response is [answer.Failure].
func withheld(m *dns.Msg) bool {
	opt := m.IsEdns0()
	return m.Rcode == dns.RcodeServerFailure && opt != nil && slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool {
		ede, ok := o.(*dns.EDNS0_EDE)
		return ok && strings.HasPrefix(ede.ExtraText, "addressmap:")
	})
}

// qtypes are what is asked of every name.
var qtypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeANY, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeHTTPS, dns.TypeSVCB,
	dns.TypeTXT, dns.TypeMX, dns.TypeSRV, dns.TypeNS, dns.TypeSOA, dns.TypeDNAME, dns.TypeDS, dns.TypeDNSKEY, dns.TypeCAA,
	dns.TypePTR, dns.TypeNSEC3PARAM, 65400,
}

// questions returns everything that can be asked, by name.
func (w *world) questions() [][]query {
	var out [][]query
	for _, name := range w.names() {
		var qs []query
		for _, t := range qtypes {
			for _, way := range ways {
				qs = append(qs, query{name, t, way})
			}
		}
		for _, t := range []uint16{dns.TypeAXFR, dns.TypeIXFR} {
			qs = append(qs, query{name, t, ways[0]}, query{name, t, ways[3]})
		}
		out = append(out, qs)
	}
	return out
}

// names returns the names to ask for: all that there are, names that only
// wildcards and redirections answer for, and names that nothing answers for.
func (w *world) names() []string {
	all := make(map[string]bool)
	for _, z := range w.zones {
		for name := range z.exists {
			all[name] = true
		}
		for owner := range z.at {
			below, isWild := strings.CutPrefix(owner, "*.")
			if isWild || z.has(owner, dns.TypeDNAME, dns.TypeNS) || w.chance(1, 6) {
				all["below."+below] = true
				all["further.below."+below] = true
			}
		}
	}
	for _, m := range w.mapZones {
		for name := range m.marks {
			all[name] = true
		}
	}
	for name := range w.apps {
		all[name] = true
	}
	out := slices.Sorted(maps.Keys(all))
	for i, name := range out {
		if i%4 == 3 {
			out[i] = mixed(name)
		}
	}
	return out
}
