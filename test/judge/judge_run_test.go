package judge_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/addressmap/addressmap/test/judge/opt"
	"github.com/addressmap/addressmap/test/judge/run"
	"github.com/addressmap/addressmap/test/judge/world"
)

// TestJudge runs the server in many worlds, and fails for every kind of leak,
// wrong answer and needless refusal.
func TestJudge(t *testing.T) {
	if *opt.Unlisted {
		world.AddUnlisted()
	}
	ctx := t.Context()
	dir := t.TempDir()
	if *opt.Keep != "" {
		dir = *opt.Keep
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	binary := *opt.Binary
	if binary == "" {
		if binary, err = run.Build(ctx, dir); err != nil {
			t.Fatal(err)
		}
	}
	seed := *opt.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	report, err := run.Run(ctx, run.Options{
		Binary: binary, Dir: dir, Seed: seed, Queries: *opt.Queries, Parallel: *opt.Rate, Only: *opt.Only, Log: t.Logf,
	})
	if report != nil {
		report.Print(os.Stdout, *opt.Show)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []judge.Kind{judge.Leak, judge.Wrong, judge.Closed} {
		if n := report.Count(k); n > 0 {
			t.Errorf("%d verdicts %s", n, k)
		}
	}
}
