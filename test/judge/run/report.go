package run

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/addressmap/addressmap/test/judge/world"
)

// Report is what a run found.
type Report struct {
	Began time.Time

	mu       sync.Mutex
	queries  int
	worlds   []world.Row
	arrays   map[*world.Array]map[int]bool // query rows that were sent
	verdicts map[judge.Kind]map[string]int // by rule
	failures map[string]*Failure
	errs     map[string]int
	used     time.Duration            // processor time of the servers
	slow     map[string]time.Duration // by backend, owner and type
	again    map[string]int           // how often each question was asked again, by its text
}

// slowAnswer is from when on an answer is listed although no fault is to blame.
const slowAnswer = 500 * time.Millisecond

func (r *Report) latency(s *site, q world.Query, took time.Duration) {
	if took < slowAnswer || s.Plan != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := s.Spec["backend"] + " " + s.Spec["front"] + " " + q.Text
	r.slow[k] = max(r.slow[k], took)
}

// asked is the part of a place that tells one query type from another; one
// kind of failure is shown for all types.
var asked = regexp.MustCompile(`,? ?asked for [A-Z0-9]+`)

// Failure is one kind of failure with its simplest case.
type Failure struct {
	judge.Verdict
	Times    int
	Backends map[string]int
	Fronts   map[string]int
	Types    map[string]int
	Spec     world.Spec
	Query    world.Query
	Repro    string
	weight   int
}

func newReport() *Report {
	return &Report{verdicts: map[judge.Kind]map[string]int{}, failures: map[string]*Failure{}, errs: map[string]int{}, slow: map[string]time.Duration{}, again: map[string]int{}, arrays: map[*world.Array]map[int]bool{}}
}

// Queries returns how many queries were judged.
func (r *Report) Queries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queries
}

// Rate returns queries a second.
func (r *Report) Rate() float64 { return float64(r.Queries()) / time.Since(r.Began).Seconds() }

// Count returns how many verdicts of the kind there are.
func (r *Report) Count(k judge.Kind) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.verdicts[k] {
		n += c
	}
	return n
}

func (r *Report) usedWorlds(rows []world.Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worlds = append(r.worlds, rows...)
}

func (r *Report) usedQueries(arr *world.Array, rows []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.arrays[arr] == nil {
		r.arrays[arr] = map[int]bool{}
	}
	for _, i := range rows {
		r.arrays[arr][i] = true
	}
}

func (r *Report) server(used time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += used
}

func (r *Report) broken(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs[err.Error()]++
}

// asksAgain notes that a question is asked again, or reports that too many have been.
func (r *Report) asksAgain(q world.Query) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again[q.Text]++
	return len(r.again) <= mostAgain
}

// weight is how far a world is from the plainest one.
func weight(s world.Spec) int {
	n := 0
	for _, d := range world.WorldDimensions {
		if s[d.Name] != d.Values[0] {
			n++
		}
	}
	return n
}

func (r *Report) add(s *site, q world.Query, responses [][]byte, v judge.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queries++
	if r.verdicts[v.Kind] == nil {
		r.verdicts[v.Kind] = map[string]int{}
	}
	r.verdicts[v.Kind][v.Rule]++
	if v.Kind == judge.OK {
		return
	}
	place := asked.ReplaceAllString(v.Place, "")
	key := v.Kind.String() + " " + v.Rule + ": " + place
	f := r.failures[key]
	if f == nil {
		f = &Failure{weight: 1000, Backends: map[string]int{}, Fronts: map[string]int{}, Types: map[string]int{}}
		r.failures[key] = f
	}
	f.Times++
	f.Types[dns.Type(q.Type).String()]++
	f.Backends[s.Spec["backend"]]++
	f.Fronts[s.Spec["front"]]++
	if w := weight(s.Spec)*100 + len(q.Name); w < f.weight || f.weight == 1000 {
		f.weight, f.Verdict, f.Spec, f.Query = w, v, s.Spec, q
		f.Repro = s.reproduction(q, responses)
	}
}

// reproduction is all that one needs to see the failure again.
func (s *site) reproduction(q world.Query, responses [][]byte) string {
	var b strings.Builder
	for _, d := range world.WorldDimensions {
		if s.Spec[d.Name] != d.Values[0] {
			fmt.Fprintf(&b, "%s=%s ", d.Name, s.Spec[d.Name])
		}
	}
	if s.Judge.Fault != nil {
		fmt.Fprintf(&b, "\nfault %s for types %v at half of the names; hits this question: %v", s.Judge.Fault.Kind, s.Judge.Fault.Types, s.Judge.Fault.Hits(q.Name, q.Type))
	}
	fmt.Fprintf(&b, "\n-- Corefile (%s/%s) --\n%s", s.dir, s.ID, shorten(s.Corefile(s.dir), 40))
	fmt.Fprintf(&b, "-- maps.yaml --\n%s", s.Files["maps.yaml"])
	b.WriteString("-- zone, as far as the name leads --\n")
	for _, rr := range s.related(q.Name) {
		b.WriteString(rr.String() + "\n")
	}
	fmt.Fprintf(&b, "-- query --\n%s\n%x\n", q.Text, q.Octets)
	for _, raw := range responses {
		m := new(dns.Msg)
		if err := m.Unpack(raw); err != nil {
			fmt.Fprintf(&b, "-- response that cannot be unpacked: %v --\n%x\n", err, raw)
			continue
		}
		fmt.Fprintf(&b, "-- response --\n%s", shorten(m.String(), 40))
	}
	return b.String()
}

func shorten(text string, lines int) string {
	l := strings.SplitAfter(text, "\n")
	if len(l) <= lines {
		return text
	}
	return strings.Join(l[:lines], "") + "…\n"
}

// related are the records at the name and at the names that these lead to.
func (s *site) related(name string) []dns.RR {
	todo, seen := []string{name}, map[string]bool{}
	var out []dns.RR
	for len(todo) > 0 && len(out) < 40 {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		found := false
		for _, rr := range s.Records {
			owner := dns.CanonicalName(rr.Header().Name)
			if owner != at && !(rr.Header().Rrtype == dns.TypeDNAME && dns.IsSubDomain(owner, at)) {
				continue
			}
			found = true
			out = append(out, rr)
			for i := 1; i <= dns.NumField(rr); i++ {
				if f := dns.Field(rr, i); dns.IsFqdn(f) && rr.Header().Rrtype != dns.TypeSOA {
					todo = append(todo, dns.CanonicalName(f))
				}
			}
		}
		if i, end := dns.NextLabel(at, 0); !found && !end && !strings.HasPrefix(at, "*.") {
			todo = append(todo, "*."+at[i:], at[i:])
		}
	}
	return out
}

// Failures returns the kinds of failures, leaks first, then by number.
func (r *Report) Failures() []*Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Collect(maps.Values(r.failures))
	slices.SortFunc(out, func(a, b *Failure) int {
		if a.Kind != b.Kind {
			return int(b.Kind) - int(a.Kind)
		}
		if a.Rule != b.Rule {
			return strings.Compare(a.Rule, b.Rule)
		}
		return b.Times - a.Times
	})
	return out
}

// Print writes the figures, and the failures of most weight with what is
// needed to see them again.
func (r *Report) Print(w io.Writer, show int) {
	took := time.Since(r.Began)
	fmt.Fprintf(w, "queries: %d in %s, %.0f a second\n", r.Queries(), took.Round(time.Second), float64(r.Queries())/took.Seconds())
	fmt.Fprintf(w, "the servers took %s of processor time\n", r.used.Round(time.Second))
	covered, permitted := world.CountPairs(world.WorldDimensions, world.ForbiddenWorld, r.worlds)
	fmt.Fprintf(w, "worlds: %d; pairs of world dimensions: %d of %d\n", len(r.worlds), covered, permitted)
	for arr, used := range r.arrays {
		var rows []world.Row
		for i := range used {
			rows = append(rows, arr.Rows[i])
		}
		covered, permitted := world.CountPairs(arr.Dimensions, world.ForbiddenQuery, rows)
		fmt.Fprintf(w, "questions: %d of %d; pairs of their dimensions: %d of %d\n", len(rows), len(arr.Rows), covered, permitted)
	}
	for _, k := range []judge.Kind{judge.OK, judge.Leak, judge.Wrong, judge.Closed} {
		fmt.Fprintf(w, "%s: %d", k, r.Count(k))
		for _, rule := range slices.Sorted(maps.Keys(r.verdicts[k])) {
			if rule != "" {
				fmt.Fprintf(w, "  %s %d", rule, r.verdicts[k][rule])
			}
		}
		fmt.Fprintln(w)
	}
	for q, n := range r.again {
		fmt.Fprintf(w, "refused without need, and asked again %d times: %s\n", n, q)
	}
	for err, n := range r.errs {
		fmt.Fprintf(w, "not sent: %d times: %s\n", n, err)
	}
	slow := slices.SortedFunc(maps.Keys(r.slow), func(a, b string) int { return int(r.slow[b] - r.slow[a]) })
	for i, k := range slow {
		if i == 25 {
			fmt.Fprintf(w, "… and %d slow answers more\n", len(slow)-i)
			break
		}
		fmt.Fprintf(w, "slow: %s took %s\n", k, r.slow[k].Round(time.Millisecond))
	}
	failures := r.Failures()
	for _, f := range failures {
		fmt.Fprintf(w, "%6d × %s %s: %s  [%s; %s; %s]\n", f.Times, f.Kind, f.Rule, asked.ReplaceAllString(f.Place, ""), text(f.Types), text(f.Backends), text(f.Fronts))
	}
	for i, f := range failures {
		if i == show {
			fmt.Fprintf(w, "… and %d kinds more: -judge.show\n", len(failures)-show)
			break
		}
		fmt.Fprintf(w, "\n==== %s %s: %s\n%s\ngot:  %s\nwant: %s\n%s", f.Kind, f.Rule, f.Place, f.Query.Text, f.Got, f.Want, f.Repro)
	}
}

func text(m map[string]int) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}
