package fault

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// isDocument reports whether a file is a document of the map.
func (w *world) isDocument(name string) bool { return name != marksName }

// trouble is why a document is not in force as it is on disk.
type trouble struct {
	why     string // one of these, with | between them, is in what is logged
	version string // of the document that is wrong
}

// candidates returns the documents that are not on disk as they are in force, and
// what is wrong with those of which nothing is known.
func (w *world) candidates() (out []candidate, troubles map[string]trouble) {
	troubles = make(map[string]trouble)
	names := make(map[string]bool)
	there := false
	for name := range w.disk.files {
		names[name] = w.isDocument(name)
		there = there || names[name]
	}
	for name := range w.now {
		names[name] = true
	}
	if !there {
		troubles = maps.Clone(w.troubles) // nothing is known of the documents
		troubles[w.path()] = trouble{why: cmp.Or(w.unreadable, "the map is missing")}
		return nil, troubles
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !names[name] {
			continue
		}
		e, wrong := w.onDisk(name)
		path := w.disk.path(name)
		if _, onDisk := w.disk.files[name]; !onDisk && w.isUntold() && !w.hasMoved(name) {
			if t, refused := w.troubles[path]; refused && t.version == e.version() {
				troubles[path] = t
			}
			continue
		}
		switch {
		case wrong != "" && (e == nil || !e.legible):
			troubles[path] = trouble{wrong, cmp.Or(e, new(edition)).version()}
		case wrong != "" || !e.same(w.now[name]):
			before, known := w.troubles[path]
			out = append(out, candidate{name, e, wrong, !known || before.version != e.version()})
		}
	}
	return out, troubles
}

// version tells editions of a document apart, by its text and that of the zone file
// it names.
func (e *edition) version() string {
	if e == nil {
		return "of nothing"
	}
	return e.text + e.zoneFile
}

// onDisk returns the edition that is on disk, nil if there is none or it cannot be
// read, and what is wrong with it.
func (w *world) onDisk(name string) (e *edition, wrong string) {
	f, ok := w.disk.files[name]
	switch {
	case !ok:
		return nil, ""
	case f.kind != aFile:
		return nil, f.kind
	case f.hidden:
		return nil, "permission denied"
	}
	a := f.account(tenantMarked)
	if f.wrong != "" && !f.legible || a.version == 0 || a.marks < 0 {
		return f.edition, f.wrong
	}
	edition := *f.edition
	e = &edition
	e.legible = true
	e.accounts = slices.Clone(f.accounts)
	m, ok := w.disk.files[marksName]
	if !ok || m.kind != aFile || m.hidden {
		return e, cmp.Or(f.wrong, "zone_file of")
	}
	e.zoneFile = m.text
	if m.wrong != "" {
		return e, cmp.Or(f.wrong, "zone_file of")
	}
	for i := range e.accounts {
		if e.accounts[i].tenant == tenantMarked {
			e.accounts[i].marks = m.marks
		}
	}
	return e, f.wrong
}

// judge makes the model read the disk.
func (w *world) judge() {
	w.troubles = maps.Clone(w.troubles) // Whoever judges in vain wants them back.
	candidates, troubles := w.candidates()
	units := unitsOf(w.now, candidates)
	next, unguarded := admitAll(w.now, units, w.conf.guard), admitAll(w.now, units, 0)
	if len(next) == 0 && len(w.now) > 0 {
		next, units = w.now, nil
		troubles[w.path()] = trouble{why: "holds no good document"}
	}
	refused, lent := 0, false
	for _, u := range units {
		if u.wrong() == "" && u.inForce(next) {
			continue
		}
		together := u.onto(next).wrong()
		why := cmp.Or(u.wrong(), together, w.now.forbidden(u.onto(next)))
		if u.wrong() != "" && together != "" {
			w.tally.exact = false // Both are said, and one again without the other, should that be over first.
		}
		refused, lent = refused+1, lent || together != ""
		switch {
		case why == "":
			why = "P4|P5"
		case u.wrong() == "" && u.inForce(unguarded):
			why += "|P4"
		}
		if len(u) > 1 {
			why += "|move between it and"
			if together != "" {
				why += "|" + together
			}
		}
		for _, c := range u {
			now := trouble{why, c.edition.version()}
			troubles[w.disk.path(c.name)] = now
			if before, known := w.troubles[w.disk.path(c.name)]; len(u) > 1 && known && before.version == now.version {
				w.troubles[w.disk.path(c.name)] = now // It may be said again, for another of the unit.
				w.versions[w.disk.path(c.name)]++
				w.tally.exact = false
			}
		}
	}
	if refused > 1 && lent {
		w.tally.exact = false // What the lender's end means for one of them is said of the other too.
	}
	for path, now := range troubles {
		before, known := w.troubles[path]
		if !known || before.version != now.version || now.version == "" && before != now {
			w.blamed[path] = make(map[string]bool)
		}
		switch {
		case known && before == now:
		case w.perhapsSaid(path, now.why): // It may be again, in other words.
			w.tally.exact = false
			w.versions[path]++
		default:
			w.blamed[path][now.why] = true
			w.due = append(w.due, complaint{path, now.why})
			w.tally.complaints++
			w.versions[path]++
		}
	}
	w.troubles, w.now = troubles, next
	w.reopen()
	if w.conf.state {
		w.saved = w.keepable(next)
	}
}

// perhapsSaid reports whether one of the reasons in why may have been given for a
// version that is there still.
func (w *world) perhapsSaid(path, why string) bool {
	for said := range w.blamed[path] {
		for one := range strings.SplitSeq(why, "|") {
			if slices.Contains(strings.Split(said, "|"), one) {
				return true
			}
		}
	}
	return false
}

// allow lets clients be answered from any of these.
func (w *world) allow(ttls []uint32, holders ...holders) {
	a := &allowance{ttls: ttls}
	for z := range zoneCount {
		for _, h := range holders {
			a.held[z] = append(a.held[z], h[z])
		}
	}
	w.publish(a)
}

// allowToo lets clients be answered from what is in force now too.
func (w *world) allowToo() {
	before := w.current.Load()
	a := &allowance{ttls: before.ttls}
	for z := range zoneCount {
		a.held[z] = append(slices.Clone(before.held[z]), w.holders()[z])
	}
	a.lax.Store(before.lax.Load())
	w.publish(a)
}

func (w *world) publish(a *allowance) {
	if old := w.current.Load(); old != nil {
		old.next.Store(a)
	}
	w.current.Store(a)
}

// change lets do change the files into others, and waits until what must be in
// force is, unless that is for later.
func (w *world) change(files map[string]atName, later bool, do func()) {
	old, before := w.disk.files, w.now
	w.mark()
	w.disk.files = files
	w.judge()
	w.disk.files = old
	if !w.now.same(before) {
		w.tally.changes++
		w.restored = false
	}
	w.allowToo()
	do()
	w.disk.files = files
	if !later {
		w.await()
	}
}

// await waits until what must be in force is, and what must be complained of was.
func (w *world) await() {
	w.until("the right version is in force", func() error {
		holders := w.holders()
		for _, q := range questions {
			m, err := w.clients.ask(q)
			if err != nil {
				return err
			}
			if got, _ := readAnswer(m); got != q.expect(holders[q.zone]) {
				return fmt.Errorf("%s of %s: want %q, got %q", q.label, zoneName(q.zone), q.expect(holders[q.zone]), got)
			}
		}
		return nil
	})
	w.until("everything is said that is wrong", w.saidAll)
	w.until("the metrics agree", w.metricsAgree)
	w.allow([]uint32{w.conf.ttl}, w.holders())
}

// patiently is for how long the harness waits for what must happen.
const patiently = time.Minute

func (w *world) until(what string, ok func() error) {
	begin := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := ok()
		if err == nil {
			w.tally.slowest = max(w.tally.slowest, time.Since(begin))
			return
		}
		if err2 := w.clients.failed(); err2 != nil {
			panic(failure{err2})
		}
		if time.Since(begin) > patiently {
			w.fail("not within %v: %s: %w", patiently, what, err)
		}
		time.Sleep(pause)
	}
}

// metricsAgree compares degraded, entries and info with the model.
func (w *world) metricsAgree() error {
	want := map[string]float64{"degraded": 0}
	if len(w.troubles) > 0 || w.stateless {
		want["degraded"] = 1
	}
	want["info "+w.digest()] = 1
	for kind, n := range w.entries() {
		want["entries "+kind] = float64(n)
	}
	got := make(map[string]float64)
	for name, v := range gather(w.path()) {
		if name == "degraded" || strings.HasPrefix(name, "info ") || strings.HasPrefix(name, "entries ") {
			got[name] = v
		}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("want metrics %v, got %v; wrong is %v", want, got, w.troubles)
	}
	return nil
}

// entries counts what is in force.
func (w *world) entries() map[string]int {
	n := map[string]int{"accounts": 0, "zones": 0, "proxied_names": 0, "address_maps": 0, "addresses": 0,
		"unlisted_zones": 1} // the zone of the server block, of which only zones below are declared
	for i := range tenants {
		a := w.now.account(i)
		if a.version == 0 {
			continue
		}
		n["accounts"]++
		for z := range zoneCount {
			if a.claims(z) {
				n["zones"]++
				n["proxied_names"] += len(a.owners(z))
			}
		}
		for _, m := range a.maps() {
			n["address_maps"]++
			n["addresses"] += len(m.ips)
		}
		switch i {
		case tenantAnycast:
			n["addresses"] += len(a.addresses(a.version, 3))
		case tenantPlain:
			n["addresses"]++
			n["proxied_names"]++
		}
	}
	return n
}

// digest is that of what is in force, as the metric info has it.
func (w *world) digest() string {
	sum := func(e *edition) []byte {
		sum := sha256.Sum256([]byte(e.text))
		return sum[:]
	}
	if w.single {
		return hex.EncodeToString(sum(w.now[singleName]))
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(w.now)) {
		h.Write(sum(w.now[name]))
		h.Write([]byte(name + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
