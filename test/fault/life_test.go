package fault

import (
	"maps"
)

// start starts the server on what is on disk, and reports whether it does.
func (w *world) start() bool {
	w.mark()
	starts := w.judgeStart()
	w.allow([]uint32{w.conf.ttl}, w.holders())
	err := w.server.Begin(w.corefile(w.conf))
	if (err == nil) != starts {
		w.fail("want the server to start: %t; got %v", starts, err)
	}
	if !starts {
		w.server.Instance = nil
		return false
	}
	w.clients.addr = w.server.Addr("udp")
	w.await()
	return true
}

// stop stops it, as SIGTERM does.
func (w *world) stop() error {
	if w.server.Instance == nil {
		return nil
	}
	err := w.server.Close()
	w.server.Instance = nil
	return err
}

// reload loads a Corefile with other options, as SIGUSR1 does. What is in force stays,
// with all that was said of what is not; what is refused is judged anew when the new
// server has taken over.
func (w *world) reload(conf settings) {
	before, held := w.conf, w.holders()
	w.mark()
	w.conf = conf
	w.judge()
	if conf.guard != before.guard && len(w.troubles) > 0 {
		w.tally.exact = false // P4 tells the percentage, so that it is another text.
	}
	w.togetherAgain()
	w.allow([]uint32{before.ttl, conf.ttl}, held, w.holders())
	if err := w.server.Restart(w.corefile(conf)); err != nil {
		w.fail("the Corefile is not loaded: %w", err)
	}
	w.tally.reloads++
	w.await()
}

// reloadBroken loads a Corefile that cannot be loaded: nothing changes.
func (w *world) reloadBroken(corefile string) {
	if err := w.server.Restart(corefile); err == nil {
		w.fail("a broken Corefile was loaded")
	}
	w.togetherAgain() // by the end of the view of the Corefile that failed
	w.await()
}

// togetherAgain notes that several documents that were refused one by one are judged
// together, which may be said in other words.
func (w *world) togetherAgain() {
	if len(w.troubles) > 1 {
		w.tally.exact = false
	}
}

// judgeStart makes the model start: with what was kept, if that is on. It reports
// whether there is anything in force then. All that is wrong is said anew.
func (w *world) judgeStart() bool {
	var base inForce
	if w.conf.state && w.saved != nil {
		base = w.saved
	}
	w.now, w.troubles, w.shut = base, make(map[string]trouble), make(map[string]shut)
	w.blamed = make(map[string]map[string]bool)
	saved, complaints, versions := w.saved, w.tally.complaints, maps.Clone(w.versions)
	w.judge()
	if len(w.now) == 0 {
		w.saved, w.tally.complaints, w.versions = saved, complaints, versions // The start fails, and its error says all.
		return false
	}
	w.restored = base != nil && w.now.same(base)
	w.shutOut()
	return true
}
