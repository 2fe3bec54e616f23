package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseMap(t *testing.T) {
	for _, s := range []string{"etcd:/addressmap", "etcd:/a/b"} {
		if m, err := ParseMap(s); err != nil || m.String() != s {
			t.Errorf("%s: %q, %v", s, m, err)
		}
	}
	for _, s := range []string{"etcd:", "etcd:/", "etcd:addressmap", "etcd:/a/", "etcd://a", "etcd:/a/../b", "etcd:/a\nb", "/etc/maps"} {
		if m, err := ParseMap(s); err == nil {
			t.Errorf("%q is taken for %q", s, m)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a.yaml": true, "canary": true, "ns1.example.org": true,
		"": false, ".a.yaml": false, "a/b.yaml": false, "a b": false, "é": false, strings.Repeat("a", 201): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestHead(t *testing.T) {
	h := Head{Push: 7, Digest: "d", When: time.Unix(1, 0).UTC(), By: "me", From: FromStaging(7), Stage: "canary"}
	got, err := ParseHead(h.Encode())
	if err != nil || got != h {
		t.Fatalf("%+v, %v", got, err)
	}
	if prefix, ok := got.StagingOf("/m"); !ok || prefix != "/m/staging/7/" {
		t.Errorf("%q, %t", prefix, ok)
	}
	for _, value := range []string{"", "{", "{}", `{"push":1,"from":"elsewhere"}`, `{"push":-1}`} {
		if h, err := ParseHead([]byte(value)); err == nil {
			t.Errorf("%s is taken for %+v", value, h)
		}
	}
}

// A head that says more than this version knows is a later version's, whatever else it says.
// A server that does is only shown.
func TestHead_OfALaterVersion(t *testing.T) {
	for _, value := range []string{`{"push":1,"digest":"d","by":"me","split":2}`, `{"push":1,"from":"elsewhere","split":2}`} {
		if h, err := ParseHead([]byte(value)); !errors.Is(err, ErrLaterVersion) || !strings.Contains(err.Error(), `"split"`) {
			t.Errorf("%s: want it refused for its field, got %+v, %v", value, h, err)
		}
	}
	if s, err := ParseServer([]byte(`{"push":1,"mood":"good"}`)); err != nil || s.Push != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Whether a document of a large push was moved to its place changes nothing.
func TestOverlay_MovedOrNot(t *testing.T) {
	before := Documents{
		"changed.yaml": {Value: []byte("old"), Revision: 1},
		"removed.yaml": {Value: []byte("old"), Revision: 2},
		"later.yaml":   {Value: []byte("put since"), Revision: 20},
	}
	staging := Documents{
		"changed.yaml": {Value: []byte("new"), Revision: 10},
		"removed.yaml": {Removed: true, Revision: 11},
		"later.yaml":   {Value: []byte("new"), Revision: 12},
	}
	moved := Documents{
		"changed.yaml": {Value: []byte("new"), Revision: 30},
		"removed.yaml": {Removed: true, Revision: 30},
		"later.yaml":   {Value: []byte("put since"), Revision: 20},
	}
	got := before.Overlay(staging)
	if !got.Equal(moved) || got.Digest() != moved.Digest() {
		t.Errorf("%v", got)
	}
	if len(got.Present()) != 2 {
		t.Errorf("%v", got.Present())
	}
}
