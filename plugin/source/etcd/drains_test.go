package etcd

import (
	"context"
	"fmt"
	"testing"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// drainsOf prints the files of drains that a source hands over.
func drainsOf(s *Source) string {
	files := make(map[string]string)
	for name, text := range s.Drains() {
		files[name] = string(text)
	}
	return fmt.Sprint(files)
}

// Files of drains are followed, each by itself, and change no document.
func TestDrains_Followed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	w.commit(op(testMap.Drains()+"bird", "d1"))
	w.open(func(o *Options) { o.Drains = map[string][]byte{"gone": []byte("d0")} })
	has := func(want string) {
		t.Helper()
		w.await("the drains "+want, func() bool { return drainsOf(w.source) == want })
	}
	has("map[bird:d1]")
	taken := len(w.taken)
	w.commit(op(testMap.Drains()+"ana", "d2"))
	has("map[ana:d2 bird:d1]")
	w.commit(op(testMap.Drains()+"bird", ""))
	has("map[ana:d2]")
	if len(w.taken) != taken {
		t.Errorf("a drain changed documents: %+v", w.taken[taken:])
	}
}

// drainStore is a store in memory and a source that has listed it.
type drainStore struct {
	*testing.T
	m *memory
	s *Source
}

func newDrainStore(t *testing.T) *drainStore {
	d := &drainStore{t, newMemory(), newSource(Options{Map: testMap, Log: t.Logf})}
	d.put(testMap.Documents()+"a.yaml", "1")
	d.put(testMap.Drains()+"old", "d0")
	d.list()
	return d
}

func (d *drainStore) put(key, value string) {
	if value == "" {
		d.m.write(map[string][]byte{key: nil})
		return
	}
	d.m.write(map[string][]byte{key: []byte(value)})
}

func (d *drainStore) do(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *drainStore) list() { d.Helper(); d.do(d.s.list(context.Background(), d.m)) }

// deliver delivers the events of revisions from one on.
func (d *drainStore) deliver(from int64) {
	d.Helper()
	for ; from <= d.m.revision(); from++ {
		d.do(d.s.watched(context.Background(), d.m, d.m.events[from]))
	}
}

func (d *drainStore) has(want string) {
	d.Helper()
	if got := drainsOf(d.s); got != want {
		d.Errorf("got %s, want %s", got, want)
	}
}

// A look reads files of drains that the watch did not bring, and an event that comes after
// it takes nothing back.
func TestDrains_Look(t *testing.T) {
	t.Parallel()
	d := newDrainStore(t)
	d.has("map[old:d0]")
	from := d.m.revision() + 1
	d.put(testMap.Drains()+"bird", "d1")
	d.put(testMap.Drains()+"old", "")
	d.put(testMap.Drains()+"old", "d3")
	d.put(testMap.Drains()+"bird", "")
	d.do(d.s.look(context.Background(), d.m))
	d.has("map[old:d3]")
	d.do(d.s.watched(context.Background(), d.m, d.m.events[from]))
	d.has("map[old:d3]")
	d.deliver(from)
	d.has("map[old:d3]")
	d.put(testMap.Drains()+"bird", "d4")
	d.deliver(d.m.revision())
	d.has("map[bird:d4 old:d3]")
}

// A store that was restored from a backup ends no drain and begins none by that, and what is
// written there since counts, until somebody says that its content is meant.
func TestDrains_WentBack(t *testing.T) {
	t.Parallel()
	d := newDrainStore(t)
	backup := d.m.revision()
	d.put(testMap.Drains()+"old", "")
	d.put(testMap.Drains()+"bird", "d1")
	d.deliver(backup + 1)
	d.has("map[bird:d1]")
	d.m = d.m.restored(backup)
	d.list()
	if d.s.goneBack == nil {
		t.Fatal("the store did not go back")
	}
	d.has("map[bird:d1]")
	d.put(testMap.Drains()+"ana", "d2")
	d.deliver(d.m.revision())
	d.has("map[ana:d2 bird:d1]")
	h := fleet.Head{Push: 1, Digest: d.m.digest(nil)}
	d.put(testMap.Head(), string(h.Encode()))
	d.deliver(d.m.revision())
	d.has("map[ana:d2 old:d0]")
}
