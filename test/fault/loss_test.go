package fault

import (
	"maps"
	"math/rand/v2"
	"os"
)

// removal takes an account out of the map that is not protected.
func (w *world) removal(rng *rand.Rand) bool {
	w.await()
	tenant := []int{tenantAnycast, tenantMarked, tenantLender, tenantBorrower, tenantPlain}[rng.IntN(5)]
	if w.now.account(tenant).version == 0 || w.conf.guard > 0 && len(w.troubles) > 0 {
		return false
	}
	w.remove(rng, tenant)
	return true
}

// remove takes an account out of the map, with its document if it has one.
func (w *world) remove(rng *rand.Rand, tenant int) {
	w.say("  t%d goes", tenant)
	if w.single {
		gone := w.renewed(tenant)
		gone.version = 0
		w.write(rng, singleName, w.with(gone), false)
		return
	}
	name := w.docs[tenant]
	files := maps.Clone(w.disk.files)
	delete(files, name)
	w.change(files, false, func() {
		if _, there := w.disk.files[name]; there {
			w.disk.remove(rng, name)
		}
	})
}

// replaced puts something in a document's place that cannot be read.
func (w *world) replaced(rng *rand.Rand) bool {
	w.await()
	name := w.docs[rng.IntN(tenants)]
	f, ok := w.disk.files[name]
	if !ok || f.kind != aFile || f.hidden {
		return false
	}
	files := maps.Clone(w.disk.files)
	what := rng.IntN(4)
	switch what {
	case 0:
		files[name] = atName{kind: aFIFO}
	case 1:
		files[name] = atName{kind: aDirectory}
	case 2, 3:
		if w.privy {
			return false
		}
		f.hidden = true
		files[name] = f
	}
	w.say("  %s: %s", name, []string{"a FIFO", "a directory", "no permission", "no permission for a while"}[what])
	w.change(files, false, func() {
		if f.hidden {
			mustDisk(os.Chmod(w.disk.path(name), 0))
			return
		}
		w.disk.clear(name, aFile)
		w.disk.put(w.disk.dir(), name, files[name])
	})
	if what == 3 {
		files := maps.Clone(files)
		f.hidden = false
		files[name] = f
		w.change(files, false, func() { mustDisk(os.Chmod(w.disk.path(name), 0o644)) })
	}
	return true
}

// directoryAway takes the directory of the map away, or all that is in it, and
// puts it back.
func (w *world) directoryAway(rng *rand.Rand) bool {
	w.await()
	back, place := w.disk.files, w.disk.aside("away")
	what := rng.IntN(3)
	if what == 2 && w.privy {
		return false
	}
	w.say("  %s", []string{"the directory is moved away", "the directory is replaced by an empty one", "nobody may read the directory"}[what])
	if what == 2 && w.conf.poll != shortPoll {
		conf := w.conf
		conf.poll = shortPoll // nothing else tells of the permissions of a directory
		w.reload(conf)
	}
	gone := map[string]atName{}
	w.unreadable = []string{"the map is missing", "holds no good document", "permission denied"}[what]
	if w.single && what == 1 {
		w.unreadable = "the map is missing"
	}
	if before := w.troubles[w.path()]; what == 2 && before.why == w.unreadable {
		w.versions[w.path()] += 2 // It is said in other words now, and again in those of before.
		w.tally.exact = false
	}
	w.change(gone, false, func() {
		if what == 2 {
			mustDisk(os.Chmod(w.disk.dir(), 0))
			return
		}
		mustDisk(os.Rename(w.disk.dir(), place))
		if what == 1 {
			mustDisk(os.Mkdir(w.disk.dir(), 0o755))
		}
	})
	if rng.IntN(3) == 0 {
		w.say("  the Corefile is reloaded meanwhile")
		w.reload(w.conf)
	}
	w.unreadable = ""
	w.noticed(func() { // It may go again at once, which is to be said again.
		w.change(back, false, func() {
			switch what {
			case 2:
				mustDisk(os.Chmod(w.disk.dir(), 0o755))
			case 1:
				mustDisk(os.Remove(w.disk.dir()))
				fallthrough
			default:
				mustDisk(os.Rename(place, w.disk.dir()))
			}
		})
	})
	return true
}

// largeLoss removes much at once, which is refused if there is a guard.
func (w *world) largeLoss(rng *rand.Rand) bool {
	w.await()
	if w.conf.guard == 0 {
		conf := w.conf
		conf.guard = 30
		w.say("  with a guard")
		w.reload(conf)
	}
	if w.single {
		e := w.edition(w.now.account(tenantGuarded), w.now.account(tenantBYOIP), w.now.account(tenantPlain))
		w.write(rng, singleName, e, false)
		return true
	}
	if len(w.troubles) > 0 {
		return false // What comes into force at the same time decides how large it is.
	}
	files := maps.Clone(w.disk.files)
	var names []string
	for _, tenant := range []int{tenantAnycast, tenantMarked, tenantLender, tenantBorrower} {
		if _, there := files[w.docs[tenant]]; there {
			names = append(names, w.docs[tenant])
			delete(files, w.docs[tenant])
		}
	}
	if len(names) < 4 {
		return false
	}
	w.say("  %q go", names)
	w.tally.exact = false // the complaint says how many, and that changes
	back := w.disk.files
	w.change(files, false, func() { w.disk.replace(w.disk.make(files)) })
	if len(w.troubles) == 0 {
		return true
	}
	// What part of a loss is refused depends on what else is noticed at the same
	// time: nothing else happens to these documents before they are back.
	w.good(rng, tenantBYOIP, false)
	w.say("  they are put back")
	files = maps.Clone(w.disk.files)
	for _, name := range names {
		files[name] = back[name]
	}
	w.change(files, false, func() { w.disk.replace(w.disk.make(files)) })
	return true
}
