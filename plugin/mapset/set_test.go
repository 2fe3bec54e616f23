package mapset_test

import (
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// The anycast addresses are those of the one document that has any, whichever had
// them before.
func TestV4_AnycastMovesBetweenDocuments(t *testing.T) {
	const (
		account = "accounts: [{id: %, zones: [{name: %.example, proxied: []}]}]\n"
		anycast = "anycast: [192.0.2.1]\n"
	)
	doc := func(name, prefix string) mapset.Source {
		return source(t, name, prefix+strings.ReplaceAll(account, "%", name), nil)
	}
	set := mapset.NewSet(mapset.Options{})
	for i, step := range []struct {
		changed []mapset.Source
		gone    []string
		refused bool
		want    int // anycast addresses
	}{
		{changed: []mapset.Source{doc("a", anycast), doc("b", "")}, want: 1},
		{changed: []mapset.Source{doc("b", anycast)}, refused: true, want: 1},
		{changed: []mapset.Source{doc("a", "")}, want: 0},
		{changed: []mapset.Source{doc("b", anycast)}, want: 1},
		{changed: []mapset.Source{doc("a", anycast), doc("b", "")}, want: 1},
		{changed: []mapset.Source{doc("b", anycast)}, gone: []string{"a"}, want: 1},
		{changed: []mapset.Source{doc("c", "")}, want: 1},
		{gone: []string{"b"}, want: 0},
		{changed: []mapset.Source{doc("a", anycast), doc("b", anycast)}, refused: true, want: 0},
	} {
		next, errs := set.Update(step.changed, step.gone)
		if refused := len(errs) > 0; refused != step.refused || refused && errs[0].Rule != "V4" {
			t.Fatalf("step %d: got %v", i, errs)
		}
		if next != nil {
			set = next
		}
		if got := set.Snapshot().Stats().Addresses; got != step.want {
			t.Errorf("step %d: %d anycast addresses, want %d", i, got, step.want)
		}
	}
}
