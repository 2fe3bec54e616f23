package state

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashes is the variable that says how often to crash in place of a hundred
// times.
const crashes = "ADDRESSMAP_STATE_CRASHES"

// A process that saves one version after the other is killed at random points,
// on one directory: each starts from what its predecessor has left.
func TestState_Crash(t *testing.T) {
	t.Parallel()
	n := 100
	if s := os.Getenv(crashes); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	version, unfinished, ahead := 0, 0, 0
	for i := range n {
		p := start(t, "save", dir)
		last := strconv.Itoa(version)
		for range random.IntN(6) {
			if p.out.Scan() {
				last = p.out.Text()
			}
		}
		// Not to wait for anything: to hit any point of a start or a save.
		time.Sleep(time.Duration(random.IntN(12_000)) * time.Microsecond)
		told, err := strconv.Atoi(p.kill(t, last))
		must(t, err)
		if hasTemporary(t, dir) {
			unfinished++
		}

		d, err := Open(dir, "maps")
		must(t, err)
		got, err := saved(d)
		if err != nil || got != told && got != told+1 {
			t.Fatalf("seed %d, crash %d: want version %d or the next, got %d and error %v", seed, i, told, got, err)
		}
		if got != told {
			ahead++
		}
		version = got
		must(t, d.Close())
		if hasTemporary(t, dir) {
			t.Fatal("a temporary file outlived Open")
		}
	}
	t.Logf("%d crashes in %d versions: %d left a temporary file, %d came between the rename and the return", n, version, unfinished, ahead)
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
