package addressmap

import (
	"context"
	"testing"
	"time"
)

// Of zones that change together, each has its turn: no second has more than a hundred.
func TestNotify_Pace(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var p pace
	if !p.wait(ctx) {
		t.Error("the first one has no turn")
	}
	cancel() // The turns are given without waiting for them.
	begin := time.Now()
	for range 200 {
		p.wait(ctx)
	}
	if last := p.next.Sub(begin); last < 2*time.Second {
		t.Errorf("200 more turns end after %v, want two seconds at least", last)
	}
}
