// Package opt declares the flags of the judge's tests. Each test package of the
// judge imports it, so that "go test ./test/judge/... -judge.queries=N" is
// understood by all of them.
package opt

import "flag"

// The flags, as "go test ./test/judge/... -judge.seed=0" sets them.
var (
	Queries = flag.Int("judge.queries", 0, "how many queries the judge sends at least; 0 is the short run")
	Seed    = flag.Uint64("judge.seed", 1, "seed of worlds and queries; 0 takes a random one and prints it")
	Rate    = flag.Int("judge.parallel", 48, "how many queries are under way for one world at a time")
	Binary  = flag.String("judge.coredns", "", "a built cmd/coredns; empty builds one")
	Keep    = flag.String("judge.keep", "", "a directory to keep Corefiles, maps and zones in")
	Only    = flag.String("judge.only", "", "take only worlds of which the dimensions hold this, as backend=file")
	Show    = flag.Int("judge.show", 40, "how many deduplicated failures are printed")
	// Unlisted says whether worlds with the option unlisted are generated.
	Unlisted = flag.Bool("judge.unlisted", false, "generate worlds with the option unlisted")
)
