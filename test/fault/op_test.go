package fault

import (
	"fmt"
	"maps"
	"math/rand/v2"
)

// operation is one thing that happens. What exactly depends on its seed and on what
// happened before, so that it still means something when others are left out.
type operation struct {
	kind int // of faultKinds
	seed uint64
}

func (op operation) String() string { return fmt.Sprintf("%d/%d", op.kind, op.seed) }

// faultKind is a kind of faults. do returns false if it makes no sense now.
type faultKind struct {
	name   string
	weight int
	do     func(w *world, rng *rand.Rand) bool
}

var faultKinds = []faultKind{
	{"good change", 12, (*world).goodChange},
	{"overtaken change", 3, (*world).overtaken},
	{"same content again", 3, (*world).sameAgain},
	{"broken YAML", 5, (*world).brokenYAML},
	{"broken rule", 5, (*world).brokenRule},
	{"conflict", 4, (*world).conflict},
	{"removal", 4, (*world).removal},
	{"breach of a protection", 5, (*world).breach},
	{"change in two steps", 3, (*world).twoSteps},
	{"loan called in", 2, (*world).callIn},
	{"something else in its place", 3, (*world).replaced},
	{"zone file", 5, (*world).zoneFile},
	{"directory away", 3, (*world).directoryAway},
	{"large loss", 3, (*world).largeLoss},
	{"document renamed", 3, (*world).renamed},
	{"Corefile reload", 4, (*world).reloadOther},
	{"broken Corefile reload", 3, (*world).reloadFails},
	{"restart", 5, (*world).restarted},
	{"cold start", 3, (*world).coldStart},
	{"paused write", 3, (*world).pausedWrite},
	{"restart while a file is written", 2, (*world).restartInWrite},
	{"clock steps", 2, (*world).clockSteps},
	{"state damaged", 4, (*world).stateDamaged},
	{"state cannot be written", 3, (*world).stateUnwritable},
}

// randomOps returns n of them.
func randomOps(rng *rand.Rand, n int) (out []operation) {
	total := 0
	for _, k := range faultKinds {
		total += k.weight
	}
	for range n {
		at := rng.IntN(total)
		for kind, k := range faultKinds {
			if at -= k.weight; at < 0 {
				out = append(out, operation{kind, rng.Uint64()})
				break
			}
		}
	}
	return out
}

// do lets one thing happen.
func (w *world) do(op operation) {
	k := faultKinds[op.kind]
	w.say("%s %s:", op, k.name)
	if k.do(w, rand.New(rand.NewPCG(op.seed, 0))) {
		w.tally.faults[k.name]++
	} else {
		w.say("  (makes no sense now)")
	}
}

// write gives a file other content in one of the ways.
func (w *world) write(rng *rand.Rand, name string, e *edition, later bool) {
	how := ways[rng.IntN(len(ways))]
	w.say("  %s %s", name, how.name)
	w.tally.faults["way: "+how.name]++
	files := maps.Clone(w.disk.files)
	files[name] = atName{edition: e}
	w.change(files, later, func() { how.do(w.disk, rng, name, e.text) })
}
