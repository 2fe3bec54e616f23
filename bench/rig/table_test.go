package rig

import (
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	table := Table{Head: []string{"server", "ratio", "remark"}}
	table.Add("file", "1.00")
	table.Add("a|b", "12.50", "≤ 3")
	const want = `| server | ratio | remark |
| ------ | ----: | -----: |
| file   |  1.00 |        |
| a\|b   | 12.50 |    ≤ 3 |
`
	if got := table.String(); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 100}, 3.5},
	} {
		if got := Median(tc.values); got != tc.want {
			t.Errorf("%v: want %v, got %v", tc.values, tc.want, got)
		}
	}
}

func TestSpread(t *testing.T) {
	if got, want := Spread([]float64{1.25, 0.5, 1}), "1.00 [0.50–1.25]"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	if got := Spread(nil); got != "–" {
		t.Errorf("of nothing: got %s", got)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 0.995: 100, 1: 100} {
		if got := Quantile(hundred, q); got != want {
			t.Errorf("%v: want %d, got %d", q, want, got)
		}
	}
	if got := Quantile([]int{}, 0.5); got != 0 {
		t.Errorf("of nothing: want 0, got %d", got)
	}
}

// The name of a process may hold what separates the fields after it.
func TestParseStat(t *testing.T) {
	const stat = "4711 (a) b (c)) S 42 4711 4711 0 -1 4194560 1 2 3 4 150 25 7 8 20 0 1 0 100 1000 10"
	parent, used := parseStat(stat)
	if parent != 42 || used != (Usage{All: 1750 * time.Millisecond, Kernel: 250 * time.Millisecond}) {
		t.Errorf("want 42 and 1.75 s, a quarter of a second of it in the kernel, got %d and %v", parent, used)
	}
	if _, used := parseStat("4711 (gone"); used != (Usage{}) {
		t.Errorf("want nothing of a torn line, got %v", used)
	}
}
