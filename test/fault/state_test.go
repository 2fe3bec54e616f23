package fault

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// stateFiles returns the files of the state, in order.
func (w *world) stateFiles() (out []string) {
	mustDisk(filepath.WalkDir(w.stateDir(), func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == "damaged" {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	slices.Sort(out)
	return out
}

// stateDamages are what may happen to a file of the state.
var stateDamages = []struct {
	name string
	do   func(rng *rand.Rand, path string) error
}{
	{"an octet flipped", func(rng *rand.Rand, path string) error {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			return err
		}
		data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		return os.WriteFile(path, data, 0o600)
	}},
	{"cut", func(rng *rand.Rand, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, rng.Int64N(info.Size()+1))
	}},
	{"missing", func(_ *rand.Rand, path string) error { return os.Remove(path) }},
	{"a directory", func(_ *rand.Rand, path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.MkdirAll(filepath.Join(path, "full"), 0o700)
	}},
	{"unreadable", func(_ *rand.Rand, path string) error { return os.Chmod(path, 0) }},
}

// stateDamaged damages one file of the state and starts the server anew: that costs what
// the file held, unless the map on disk has it still, and nothing else.
func (w *world) stateDamaged(rng *rand.Rand) bool {
	w.await()
	if !w.conf.state {
		return false
	}
	files := w.stateFiles()
	path, how := files[rng.IntN(len(files))], stateDamages[rng.IntN(len(stateDamages))]
	lock := filepath.Base(path) == "lock"
	if how.name == "unreadable" && w.privy || lock && how.name == "a directory" {
		return false
	}
	lost, certain := w.lostWith(filepath.Base(path))
	if !certain {
		return false
	}
	rel, _ := filepath.Rel(w.stateDir(), path)
	w.say("  %s: %s; lost is %q", rel, how.name, lost)
	w.tally.faults["state: "+kindOf(rel)+" "+how.name]++
	w.stateless = lock && how.name == "unreadable"
	w.restart(rng, func() {
		mustDisk(how.do(rng, path))
		if lost != "" {
			w.saved = w.saved.with(lost, nil)
		}
	})
	if w.stateless {
		w.mendedLock(path, 0o600)
	}
	return true
}

// kindOf returns what a file of the state is.
func kindOf(path string) string {
	if len(filepath.Base(path)) == hex.EncodedLen(sha256.Size) {
		return "text"
	}
	return filepath.Base(path)
}

// keepable returns what of the documents in force can be in the state: those of which the
// texts are there, or on disk. That is not so where a Corefile reload turns the state on
// while a document is refused, which is said.
func (w *world) keepable(next inForce) inForce {
	out := make(inForce)
	for name, e := range next {
		kept := w.saved[name]
		now, _ := w.onDisk(name)
		if kept.same(e) && kept.zoneFile == e.zoneFile || now.same(e) && now.zoneFile == e.zoneFile {
			out[name] = e
		}
	}
	return out
}

// lostWith returns the document of which the last good version is lost with a text of the
// state, "" if it can be had from the disk. certain is false where it depends on that
// document what becomes of others.
func (w *world) lostWith(sum string) (name string, certain bool) {
	is := func(text string) bool {
		digest := sha256.Sum256([]byte(text))
		return hex.EncodeToString(digest[:]) == sum
	}
	onDisk := func(name, text string) bool {
		f, there := w.disk.files[name]
		return there && f.kind == aFile && !f.hidden && f.text == text
	}
	for _, name := range slices.Sorted(maps.Keys(w.saved)) {
		e := w.saved[name]
		if is(e.text) && !onDisk(name, e.text) || e.zoneFile != "" && is(e.zoneFile) && !onDisk(marksName, e.zoneFile) {
			return name, w.single || e.account(tenantLender).version == 0
		}
	}
	return "", true
}
