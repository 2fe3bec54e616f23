package fault

import (
	"fmt"
	"maps"
	"math/rand/v2"
)

// faultOp is one thing that happens. What exactly depends on its seed and on what
// happened before, so that it still means something when others are left out.
type faultOp struct {
	kind int // of faultKinds
	seed uint64
}

func (op faultOp) String() string { return fmt.Sprintf("%d/%d", op.kind, op.seed) }

// faultKind is a kind of faults. do returns false if it makes no sense now.
type faultKind struct {
	name   string
	weight int
	do     func(w *faultWorld, rng *rand.Rand) bool
}

var faultKinds = []faultKind{
	{"good change", 12, (*faultWorld).goodChange},
	{"overtaken change", 3, (*faultWorld).overtaken},
	{"same content again", 3, (*faultWorld).sameAgain},
	{"broken YAML", 5, (*faultWorld).brokenYAML},
	{"broken rule", 5, (*faultWorld).brokenRule},
	{"conflict", 4, (*faultWorld).conflict},
	{"removal", 4, (*faultWorld).removal},
	{"breach of a protection", 5, (*faultWorld).breach},
	{"change in two steps", 3, (*faultWorld).twoSteps},
	{"loan called in", 2, (*faultWorld).callIn},
	{"something else in its place", 3, (*faultWorld).replaced},
	{"zone file", 5, (*faultWorld).zoneFile},
	{"directory away", 3, (*faultWorld).directoryAway},
	{"large loss", 3, (*faultWorld).largeLoss},
	{"document renamed", 3, (*faultWorld).renamed},
	{"Corefile reload", 4, (*faultWorld).reloadOther},
	{"broken Corefile reload", 3, (*faultWorld).reloadFails},
	{"restart", 5, (*faultWorld).restarted},
	{"cold start", 3, (*faultWorld).coldStart},
	{"paused write", 3, (*faultWorld).pausedWrite},
	{"restart while a file is written", 2, (*faultWorld).restartInWrite},
	{"clock steps", 2, (*faultWorld).clockSteps},
	{"state damaged", 4, (*faultWorld).stateDamaged},
	{"state cannot be written", 3, (*faultWorld).stateUnwritable},
}

// randomOps returns n of them.
func randomOps(rng *rand.Rand, n int) (out []faultOp) {
	total := 0
	for _, k := range faultKinds {
		total += k.weight
	}
	for range n {
		at := rng.IntN(total)
		for kind, k := range faultKinds {
			if at -= k.weight; at < 0 {
				out = append(out, faultOp{kind, rng.Uint64()})
				break
			}
		}
	}
	return out
}

// do lets one thing happen.
func (w *faultWorld) do(op faultOp) {
	k := faultKinds[op.kind]
	w.say("%s %s:", op, k.name)
	if k.do(w, rand.New(rand.NewPCG(op.seed, 0))) {
		w.tally.faults[k.name]++
	} else {
		w.say("  (makes no sense now)")
	}
}

// write gives a file other content in one of the ways.
func (w *faultWorld) write(rng *rand.Rand, name string, e *faultEdition, later bool) {
	how := faultWays[rng.IntN(len(faultWays))]
	w.say("  %s %s", name, how.name)
	w.tally.faults["way: "+how.name]++
	files := maps.Clone(w.disk.files)
	files[name] = faultFile{faultEdition: e}
	w.change(files, later, func() { how.do(w.disk, rng, name, e.text) })
}
