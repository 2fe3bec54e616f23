package fault

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"time"
)

// restart stops the server and starts it anew, and lets do happen in between. Where the
// start has to fail, everything is mended for another one.
func (w *world) restart(rng *rand.Rand, do func()) {
	if err := w.clients.halt(); err != nil {
		panic(failure{err})
	}
	if err := w.stop(); err != nil {
		w.fail("stopping: %w", err)
	}
	do()
	if w.start() {
		w.tally.starts++
	} else {
		w.say("  it does not start, as it must not; everything is mended")
		w.tally.refused++
		files := map[string]atName{marksName: w.marksFile(5)}
		var all []account
		for i := range tenants {
			all = append(all, w.fresh(i))
			files[w.docs[i]] = atName{edition: w.edition(all[i])}
		}
		if w.single {
			files[singleName] = atName{edition: w.edition(all...)}
		}
		w.disk.replace(w.disk.make(files))
		w.disk.files = files
		if !w.start() {
			w.fail("the model says that it does not start with good documents: %v", w.troubles)
		}
	}
	w.clients.run(2, &w.current, rng.Uint64())
}

// restarted stops the server and starts it anew, now and then with a state from then
// on, or without.
func (w *world) restarted(rng *rand.Rand) bool {
	w.await()
	if rng.IntN(4) == 0 {
		w.conf.state = !w.conf.state
	}
	w.say("  state: %t", w.conf.state)
	w.restart(rng, func() {})
	return true
}

// coldStart breaks some documents and starts the server without a state: what they may
// hold is closed.
func (w *world) coldStart(rng *rand.Rand) bool {
	spoil := []func(*rand.Rand) bool{w.brokenYAML, w.brokenRule, w.conflict, w.replaced, w.zoneFile, w.callIn}
	for range 1 + rng.IntN(3) {
		spoil[rng.IntN(len(spoil))](rng)
	}
	w.await()
	w.conf.state = false
	w.restart(rng, func() {})
	return true
}

// half writes a part of a file, and returns what writes the rest and closes it.
func (w *world) half(rng *rand.Rand, name, text string) (rest func()) {
	w.disk.clear(name, aDirectory, aFIFO)
	f, err := os.OpenFile(w.disk.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	mustDisk(err)
	n := rng.IntN(len(text))
	_, err = f.WriteString(text[:n])
	mustDisk(err)
	return func() {
		_, err := f.WriteString(text[n:])
		mustDisk(err)
		mustDisk(f.Close())
	}
}

// longPause is for how long a writer pauses that has its file open: longer than a file is
// left to settle, and for less than a start waits.
func longPause(rng *rand.Rand) time.Duration {
	return time.Duration(600+rng.IntN(900)) * time.Millisecond
}

// pausedWrite pauses for long within a write, when the Corefile may be loaded anew.
func (w *world) pausedWrite(rng *rand.Rand) bool {
	w.await()
	tenant := rng.IntN(tenants)
	a, name := w.renewed(tenant), w.docs[tenant]
	e := w.with(a)
	if _, wrong := w.troubles[w.disk.path(name)]; wrong {
		w.tally.exact = false // It may be said that it is being written.
	}
	what := rng.IntN(3)
	w.say("  t%d version %d; meanwhile %s", tenant, a.version, []string{"nothing", "a Corefile reload", "a broken Corefile reload"}[what])
	files := maps.Clone(w.disk.files)
	files[name] = atName{edition: e}
	w.change(files, false, func() {
		rest := w.half(rng, name, e.text)
		defer rest()
		end := time.After(longPause(rng))
		switch what {
		case 1:
			if err := w.server.Restart(w.corefile(w.conf)); err != nil {
				w.fail("the Corefile is not loaded: %w", err)
			}
			w.tally.reloads++
		case 2:
			if err := w.server.Restart(unloadable(w.corefile(w.conf))); err == nil {
				w.fail("a broken Corefile was loaded")
			}
		}
		<-end
	})
	return true
}

// restartInWrite starts the server anew while a file is being written: the start waits
// for it.
func (w *world) restartInWrite(rng *rand.Rand) bool {
	w.await()
	name := w.docs[rng.IntN(tenants)]
	var e *edition
	for tenant, doc := range w.docs {
		if doc == name {
			a := w.renewed(tenant)
			w.say("  t%d version %d", tenant, a.version)
			e = w.with(a)
			break
		}
	}
	written := make(chan struct{})
	w.restart(rng, func() {
		rest := w.half(rng, name, e.text)
		w.disk.files = maps.Clone(w.disk.files)
		w.disk.files[name] = atName{edition: e}
		pause := longPause(rng)
		go func() {
			defer close(written)
			time.Sleep(pause) // It is what happens, and nobody waits for it.
			rest()
		}()
	})
	<-written
	return true
}

// clockSteps gives a document a new version that seems to be of another time.
func (w *world) clockSteps(rng *rand.Rand) bool {
	w.await()
	tenant := rng.IntN(tenants)
	a := w.renewed(tenant)
	step := time.Duration(rng.Int64N(int64(2000*time.Hour))) - 1000*time.Hour
	if rng.IntN(3) == 0 {
		step = time.Duration(rng.Int64N(int64(20*time.Second))) - 10*time.Second
	}
	how := ways[rng.IntN(len(ways))]
	w.say("  t%d version %d, %s, by %v", tenant, a.version, how.name, step)
	e, name := w.with(a), w.docs[tenant]
	files := maps.Clone(w.disk.files)
	files[name] = atName{edition: e}
	w.change(files, false, func() {
		how.do(w.disk, rng, name, e.text)
		now := time.Now().Add(step)
		mustDisk(os.Chtimes(w.disk.path(name), now, now))
	})
	return true
}

// mendedLock makes the state writable again and waits until what is in force is there.
func (w *world) mendedLock(path string, mode os.FileMode) {
	mustDisk(os.Chmod(path, mode))
	w.stateless = false
	w.until("what is in force is in the state again", w.metricsAgree)
}

// stateUnwritable takes the right to write the state away, changes the map, and gives the
// right back: what could not be kept is in force all the same.
func (w *world) stateUnwritable(rng *rand.Rand) bool {
	w.await()
	if !w.conf.state || w.privy || len(w.troubles) > 0 || w.conf.guard > 0 {
		return false
	}
	dir := w.stateOfMap()
	mustDisk(os.Chmod(dir, 0o500))
	w.stateless = true
	w.good(rng, rng.IntN(tenants), false)
	if rng.IntN(2) == 0 {
		w.say("  the Corefile is reloaded meanwhile")
		w.reload(w.conf)
	}
	w.mendedLock(dir, 0o700)
	return true
}

// stateOfMap is the directory that has the state of the map.
func (w *world) stateOfMap() string {
	entries, err := os.ReadDir(w.stateDir())
	mustDisk(err)
	for _, e := range entries {
		if e.IsDir() {
			return w.stateDir() + "/" + e.Name()
		}
	}
	panic(mishap{fmt.Errorf("no state in %s", w.stateDir())})
}
