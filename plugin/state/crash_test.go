package state

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	crashes   = flag.Int("crashes", 100, "how often TestState_Crash crashes")
	crashSeed = flag.Uint64("crashes.seed", 1, "of when it does; 0 is for another one each time")
)

// A process that saves one version after the other is killed at random points,
// on one directory: each starts from what its predecessor has left.
func TestState_Crash(t *testing.T) {
	t.Parallel()
	seed := cmp.Or(*crashSeed, rand.Uint64())
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	version, unfinished, ahead := 0, 0, 0
	for i := range *crashes {
		p := start(t, "save", dir)
		last := strconv.Itoa(version)
		for range random.IntN(6) {
			if p.out.Scan() {
				last = p.out.Text()
			}
		}
		// Not to wait for anything: to hit any point of a start or a save.
		time.Sleep(time.Duration(random.IntN(12_000)) * time.Microsecond)
		printed, err := strconv.Atoi(p.kill(t, last))
		must(t, err)
		if hasTemporary(t, dir) {
			unfinished++
		}

		d := opened(t, dir)
		got, err := saved(d)
		if err != nil || got != printed && got != printed+1 {
			t.Fatalf("seed %d, crash %d: want version %d or the next, got %d and error %v", seed, i, printed, got, err)
		}
		if got != printed {
			ahead++
		}
		version = got
		must(t, d.Close())
		if hasTemporary(t, dir) {
			t.Fatal("a temporary file outlived Open")
		}
	}
	t.Logf("%d crashes in %d versions: %d left a temporary file, %d came between the rename and the return; seed %d", *crashes, version, unfinished, ahead, seed)
	d := open(t, dir)
	must(t, save(d, version+1))
	wantTidy(t, dir, version+1)
}

func hasTemporary(t *testing.T, dir string) bool {
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, tmpSuffix) {
			return true
		}
	}
	return false
}
