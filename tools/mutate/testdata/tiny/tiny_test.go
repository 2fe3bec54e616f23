package tiny

import (
	"os"
	"testing"
)

func TestSize(t *testing.T) {
	if os.Getenv("TINY_FAILS") != "" {
		t.Fatal("as it was asked to")
	}
	for n, want := range map[int]string{-1: "none", 3: "small or odd", 4: "small or odd", 11: "small or odd", 12: "large and even"} {
		if got := Size(n); got != want {
			t.Errorf("%d: want %s, got %s", n, want, got)
		}
	}
}

func TestColor(t *testing.T) {
	for name, c := range map[string]struct {
		n    uint8
		want string
	}{"bright": {1, "red"}, "dark": {2, "red"}, "other": {3, "green"}} {
		t.Run(name, func(t *testing.T) {
			if got := Color(c.n); got != c.want {
				t.Errorf("%d: want %s, got %s", c.n, c.want, got)
			}
		})
	}
}

func TestKind(t *testing.T) {
	if got := Kind(1) + Kind("") + Kind(nil); got != "othertextunknown" {
		t.Error(got)
	}
}
