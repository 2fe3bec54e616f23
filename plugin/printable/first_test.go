package printable

import (
	"slices"
	"testing"
)

// TestFirst: of each kind the first ten are listed, whatever stands between them.
func TestFirst(t *testing.T) {
	var kinds []string
	for range 500 {
		kinds = append(kinds, "V2", "V5")
	}
	kinds = append(kinds, "V9", "")
	shown, more := First(kinds)
	if want := []string{"and 490 more of V2", "and 490 more of V5"}; !slices.Equal(more, want) {
		t.Errorf("want %q, got %q", want, more)
	}
	if len(shown) != 22 || shown[19] != 19 || shown[20] != 1000 || shown[21] != 1001 {
		t.Errorf("got %v", shown)
	}
	if shown, more := First(make([]string, 11)); len(shown) != 10 || more[0] != "and 1 more" {
		t.Errorf("got %v and %q", shown, more)
	}
}

func TestKind(t *testing.T) {
	for message, want := range map[string]string{
		`V2: "192.0.2.300" is no IP address`:                      `… … is no IP address`,
		`address 2001:db8::1 is in no prefix of account "a \" b"`: `address … is in no prefix of account …`,
		`key "x"… stands twice in an account, first in line 12`:   `key … stands twice in an account, first in line …`,
		`a record of more than 65535 bytes ends here (in line 7)`: `a record of more than … bytes ends here (in line …)`,
		`no value at all`: `no value at all`,
	} {
		if got := Kind(message); got != want {
			t.Errorf("%s: want %q, got %q", message, want, got)
		}
	}
}
