package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// coldly loads a directory of documents for the first time.
func coldly(t *testing.T, documents map[string]string) *Checked {
	t.Helper()
	dir := t.TempDir()
	for name, text := range documents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	checked, err := Check(Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

const zoneOfA = "accounts: [{id: a, zones: [{name: a.example, proxied: [www]}]}]\n"

// Of two documents with anycast addresses the first one is good, whatever else is in it.
func TestV4_FirstAnycastCounts(t *testing.T) {
	t.Parallel()
	c := coldly(t, map[string]string{"10.yaml": "anycast: [192.0.2.1]\n" + zoneOfA, "20.yaml": "anycast: [192.0.2.2]\n"})
	if len(c.Problems) != 1 || filepath.Base(c.Problems[0].Path) != "20.yaml" {
		t.Errorf("got %v", c.Problems)
	}
	if !c.Snapshot.Lookup("www.a.example.").Proxied() {
		t.Error("the first document is not in force")
	}
}

// A document that only lacks what a refused one may hold is closed, and the error names
// that one.
func TestV15_NamesTheRefused(t *testing.T) {
	t.Parallel()
	c := coldly(t, map[string]string{
		"10.yaml": "anycast: [192.0.2.300]\n", "20.yaml": zoneOfA,
		"30.yaml": "accounts: [{id: c, zones: [{name: c.example}]}]\n",
	})
	if len(c.Problems) != 2 {
		t.Fatalf("got %v", c.Problems)
	}
	text := c.Problems[1].Err.Error()
	if !strings.Contains(text, "V15") || !strings.Contains(text, "10.yaml, which is refused and may hold them") {
		text = c.Problems[0].Err.Error() + text
		if !strings.Contains(text, "10.yaml, which is refused and may hold them") {
			t.Errorf("got %v", c.Problems)
		}
	}
	if !c.Snapshot.IsClosed("www.a.example.") || c.Snapshot.IsClosed("www.c.example.") {
		t.Error("the wrong zones are closed")
	}
}

// Where a document has a name as a member and another one the closer zone around it, the
// one with the name is refused (V8), and the other answers.
func TestV8_CloserZoneOfAnotherDocument(t *testing.T) {
	t.Parallel()
	const byName = `
anycast: [192.0.2.1]
accounts:
  - id: a
    prefixes: [203.0.113.0/24]
    zones: [{name: a.example, proxied: [www.sub]}]
    address_maps: [{enabled: true, ips: [203.0.113.1], memberships: [{kind: name, identifier: www.sub.a.example}]}]
`
	c := coldly(t, map[string]string{"10.yaml": byName, "20.yaml": "accounts: [{id: b, zones: [{name: sub.a.example}]}]\n"})
	if len(c.Problems) != 1 || !strings.Contains(c.Problems[0].Err.Error(), `V8: name "www.sub.a.example." lies in zone "sub.a.example." of account "b"`) {
		t.Fatalf("got %v", c.Problems)
	}
	if !c.Snapshot.Declares("www.sub.a.example.") || !c.Snapshot.IsClosed("www.a.example.") {
		t.Error("the wrong zones are closed")
	}
}
