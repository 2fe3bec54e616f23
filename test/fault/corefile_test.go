package fault

import (
	"math/rand/v2"
	"strings"
)

// reloadOther loads a Corefile with other options.
func (w *world) reloadOther(rng *rand.Rand) bool {
	w.await()
	conf := w.conf
	switch rng.IntN(5) {
	case 0:
		conf.ttl = 300 + uint32(rng.IntN(1000))
	case 1:
		conf.guard = 30 - conf.guard
	case 2:
		conf.state = !conf.state
	case 3:
		conf.presence = []string{"off", "1s", "5s"}[rng.IntN(3)]
	case 4:
		conf.poll = []string{"off", shortPoll, "30s"}[rng.IntN(3)]
	}
	w.say("  %+v", conf)
	w.reload(conf)
	return true
}

// unloadable makes a Corefile fail after the map was set up.
func unloadable(corefile string) string { return strings.TrimSuffix(corefile, "}\n") + "\tfile\n}\n" }

// reloadFails loads a Corefile that cannot be loaded.
func (w *world) reloadFails(rng *rand.Rand) bool {
	w.await()
	conf := w.conf
	if rng.IntN(2) == 0 { // What it would change stays as it is too.
		conf.guard, conf.state, conf.ttl = 30-conf.guard, !conf.state, 77
	}
	good := w.corefile(conf)
	bad := []string{
		strings.Replace(good, "ttl", "tlt", 1),
		strings.Replace(good, "}\n", "", 1),
		strings.Replace(good, "addressmap "+w.path(), "addressmap "+w.disk.root+"/nowhere", 1),
		unloadable(good),
		good + "second:99999999 {\n}\n",
	}[rng.IntN(5)]
	w.say("  %q", bad)
	w.reloadBroken(bad)
	return true
}
