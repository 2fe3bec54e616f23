package mapset_test

import (
	"slices"
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

// What a document in force claims, a later one cannot have, until it is given up.
func TestV4_HeldInForce(t *testing.T) {
	for name, text := range map[string]string{
		"zone":        "accounts: [{id: %, zones: [{name: example.org, proxied: []}]}]\n",
		"account":     "accounts: [{id: acme, zones: [{name: %.example, proxied: []}]}]\n",
		"address map": "accounts: [{id: %, address_maps: [{id: m1, ips: []}]}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			doc := func(name string) mapset.Source {
				return source(t, name, strings.ReplaceAll(text, "%", name), nil)
			}
			first, errs := mapset.NewSet(mapset.Options{}).Update([]mapset.Source{doc("a")}, nil)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if _, errs = first.Update([]mapset.Source{doc("b")}, nil); len(errs) != 1 || errs[0].Rule != "V4" ||
				errs[0].File != "b" || !strings.Contains(errs[0].Text, "is there already, at a:1:") {
				t.Errorf("want b refused for V4, as what a has, got %v", errs)
			}
			if _, errs = first.Update([]mapset.Source{doc("b"), doc("c")}, []string{"a"}); len(errs) != 1 || errs[0].File != "c" {
				t.Errorf("want c alone refused where a has gone, got %v", errs)
			}
			if _, errs = first.Update([]mapset.Source{doc("b")}, []string{"a"}); len(errs) > 0 {
				t.Errorf("want b accepted where a has gone, got %v", errs)
			}
		})
	}
}

// A document that does not change is refused with the one that takes the addresses
// away from it: all of them, or those of the family that a mark is limited to.
func TestV15_AnycastOfAnotherDocument(t *testing.T) {
	set, errs := mapset.NewSet(mapset.Options{}).Update([]mapset.Source{
		source(t, "anycast", `anycast: [192.0.2.1, "2001:db8::1"]`+"\n", nil),
		source(t, "all", "accounts: [{id: a, zones: [{name: a.example, proxied: all}]}]\n", nil),
		source(t, "six", "accounts: [{id: b, zones: [{name: b.example, proxied: [{name: www, ipv6_only: true}]}]}]\n", nil),
	}, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for text, want := range map[string][]string{
		"anycast: []\n":            {"all", "six"},
		"anycast: [192.0.2.2]\n":   {"six"},
		"anycast: ['2001:db8::2']": nil,
	} {
		_, errs := set.Update([]mapset.Source{source(t, "anycast", text, nil)}, nil)
		var files []string
		for _, e := range errs {
			if e.Rule != "V15" {
				t.Errorf("%q: want V15, got %v", text, e)
			}
			files = append(files, e.File)
		}
		if !slices.Equal(files, want) {
			t.Errorf("%q: want %v refused, got %v", text, want, errs)
		}
	}
}
