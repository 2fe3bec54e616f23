package fault

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
)

// good writes a version of an account that is as it should be.
func (w *world) good(rng *rand.Rand, tenant int, later bool) {
	a := w.renewed(tenant)
	if tenant == tenantMarked && rng.IntN(6) == 0 {
		a.marks = -1
	}
	w.say("  t%d version %d", tenant, a.version)
	w.write(rng, w.docs[tenant], w.with(a), later)
}

func (w *world) goodChange(rng *rand.Rand) bool {
	tenant := rng.IntN(tenants)
	later := rng.IntN(3) == 0 && len(w.troubles) == 0 && w.conf.guard == 0
	if !later {
		w.await()
	}
	w.good(rng, tenant, later)
	return true
}

// overtaken changes a document before the change before it is in force.
func (w *world) overtaken(rng *rand.Rand) bool {
	w.await()
	if len(w.troubles) > 0 || w.conf.guard > 0 {
		return false
	}
	tenant := rng.IntN(tenants)
	w.good(rng, tenant, true)
	w.good(rng, tenant, false)
	return true
}

// sameAgain writes a file as it is. Nothing is loaded by that.
func (w *world) sameAgain(rng *rand.Rand) bool {
	w.await()
	name := w.docs[rng.IntN(tenants)]
	f, ok := w.disk.files[name]
	if !ok || f.kind != aFile || f.hidden {
		return false
	}
	good := w.loads("ok")
	w.noticed(func() { w.write(rng, name, f.edition, false) })
	if n := w.loads("ok"); n != good && w.tally.exact {
		w.fail("the same content again is a reload: %v of them ok, were %v", n, good)
	}
	return true
}

// noticed does something that may change nothing, and waits until it was noticed.
func (w *world) noticed(do func()) {
	before := w.loads("")
	do()
	w.until("that is noticed", func() error {
		if w.loads("") == before {
			return fmt.Errorf("no load since")
		}
		return nil
	})
}

// loads returns reloads_total of a result, of all if that is "".
func (w *world) loads(result string) (n float64) {
	for key, v := range gather(w.path()) {
		if of, ok := strings.CutPrefix(key, "reloads_total "); ok && (result == "" || of == result) {
			n += v
		}
	}
	return n
}

// zoneFile changes the zone file that has the marks.
func (w *world) zoneFile(rng *rand.Rand) bool {
	w.await()
	if rng.IntN(5) == 0 {
		files := maps.Clone(w.disk.files)
		if _, there := files[marksName]; !there {
			return false
		}
		delete(files, marksName)
		w.say("  it goes")
		w.change(files, false, func() { mustDisk(os.RemoveAll(w.disk.path(marksName))) })
		return true
	}
	f := w.marksFile(rng.IntN(16))
	if rng.IntN(4) == 0 {
		w.serial++
		f.text += fmt.Sprintf("broken-%d 60 IN A 198.51.100.300\n", w.serial)
		f.wrong = ": "
	}
	w.write(rng, marksName, f.edition, false)
	return true
}

// twoSteps changes what is protected in the way that is meant for it.
func (w *world) twoSteps(rng *rand.Rand) bool {
	w.await()
	a := w.renewed(tenantGuarded)
	if w.now.account(tenantGuarded).version == 0 || w.conf.guard > 0 || w.single && len(w.troubles) > 0 {
		return false
	}
	step := func(what string) {
		w.serial++
		a.version = w.serial
		w.say("  %s with version %d", what, a.version)
		w.write(rng, w.docs[tenantGuarded], w.with(a), false)
		if got := w.now.account(tenantGuarded); got != a {
			w.fail("the model has %+v in force, want %+v", got, a)
		}
	}
	if a.kept {
		a.open = true
		step("the protection is lifted")
	}
	a.kept = !a.kept || rng.IntN(3) > 0
	a.keptIPs++
	if rng.IntN(2) == 0 {
		step("the protected map is changed")
	}
	a.open, a.kept = false, true
	step("it is protected again")
	return true
}

// renamed gives a document another name, and now and then makes a mistake in it.
func (w *world) renamed(rng *rand.Rand) bool {
	w.await()
	tenant := rng.IntN(tenants)
	old := w.docs[tenant]
	if _, there := w.disk.files[old]; !there || w.single || w.conf.guard > 0 {
		return false
	}
	a := w.renewed(tenant)
	w.docs[tenant] = fmt.Sprintf("%c%d-%d.yaml", 'a'+rng.IntN(26), tenant, w.serial)
	e := w.with(a)
	if rng.IntN(3) == 0 {
		e = cmp.Or(w.breakRule(rng, a), e)
	}
	w.say("  %s becomes %s with version %d%s", old, w.docs[tenant], a.version, e.wrong)
	files := maps.Clone(w.disk.files)
	delete(files, old)
	files[w.docs[tenant]] = atName{edition: e}
	w.tally.exact = false // the new one may be seen before the old one is missed
	w.change(files, false, func() { w.disk.replace(w.disk.make(files)) })
	return true
}
