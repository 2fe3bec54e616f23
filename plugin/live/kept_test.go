package live_test

import (
	"os"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// What comes into force is kept by then: a crash takes back no serial that a
// secondary may have, and none comes to stand for two versions.
func TestR18_KeptBeforeInForce(t *testing.T) {
	t.Parallel()
	const zone fqdn.Name = "example.org."
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", version("192.0.2.1"))
	crashes := make(chan *mapset.Snapshot, 10)
	opt := live.Options{Path: r.path("map.yaml"), State: r.path("state"), Log: r}
	opt.Loaded = func(l live.Load) { // What a crash would leave at this moment.
		if err := os.CopyFS(r.path("crashed"+string(rune('0'+len(crashes)))), os.DirFS(r.path("state"))); err != nil {
			t.Error(err)
		}
		crashes <- l.InForce
	}
	var err error
	r.Store, err = live.Open(opt)
	r.do(err)
	for _, address := range []string{"192.0.2.2", "192.0.2.3"} {
		r.rename("map.yaml", version(address))
		r.untilTold("www.example.org.", address)
	}
	r.until("all that is told", func() bool { return len(crashes) == 3 })
	r.do(r.Store.Close())
	r.write("map.yaml", broken)
	for i := range 3 {
		seen := <-crashes
		if i == 0 {
			continue // The start was not done.
		}
		s, err := live.Open(live.Options{Path: r.path("map.yaml"), State: r.path("crashed" + string(rune('0'+i))), Log: r})
		r.do(err)
		if got, want := s.Snapshot().SerialOffset(zone), seen.SerialOffset(zone); got != want {
			t.Errorf("clients saw what adds %d to the serial; after a crash it is %d", want, got)
		}
		r.do(s.Close())
	}
}
