package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// shrink leaves out of a list of operations that fails what it can: first large
// parts, then single ones, for as long as there is time. It returns the smallest
// list that failed, and how.
func shrink(ops []operation, limit time.Duration, run func([]operation) (string, error)) (small []operation, said string, err error) {
	deadline := time.Now().Add(limit)
	err = errors.New("it does not fail again")
	for size := max(1, len(ops)/2); ; size /= 2 {
		for again := true; again && time.Now().Before(deadline); {
			again = false
			for at := 0; at < len(ops) && time.Now().Before(deadline); {
				rest := slices.Delete(slices.Clone(ops), at, min(at+size, len(ops)))
				if text, failure := run(rest); failure != nil {
					ops, said, err, again = rest, text, failure, size == 1
				} else {
					at += size
				}
			}
		}
		if size <= 1 {
			return ops, said, err
		}
	}
}

func joinOps(ops []operation) string {
	var list []string
	for _, op := range ops {
		list = append(list, op.String())
	}
	return strings.Join(list, ",")
}

func parseOps(list string) (ops []operation, err error) {
	for s := range strings.SplitSeq(list, ",") {
		var op operation
		if _, err := fmt.Sscanf(s, "%d/%d", &op.kind, &op.seed); err != nil || op.kind < 0 || op.kind >= len(faultKinds) {
			return nil, fmt.Errorf("%q is no operation: write kind/seed", s)
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func TestShrink(t *testing.T) {
	var ops []operation
	for i := range uint64(20) {
		ops = append(ops, operation{0, i})
	}
	needed := []operation{{0, 3}, {0, 11}, {0, 12}}
	small, said, err := shrink(ops, time.Minute, func(ops []operation) (string, error) {
		for _, op := range needed {
			if !slices.Contains(ops, op) {
				return "", nil
			}
		}
		return "said", errors.New("failed")
	})
	if !slices.Equal(small, needed) || said != "said" || err == nil {
		t.Errorf("want %v, got %v, %q and %v", needed, small, said, err)
	}
	again, err := parseOps(joinOps(small))
	if !slices.Equal(again, small) || err != nil {
		t.Errorf("want %v read again, got %v and %v", small, again, err)
	}
}
