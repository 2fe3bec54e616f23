package live_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// crashChild names the variable that makes the test binary a process that is
// crashed: its arguments are the map and the directory of its state.
const crashChild = "ADDRESSMAP_CRASH_CHILD"

// sight is what a process has in force at one moment.
type sight struct {
	a, b       int    // versions of the tenants a and b, 0 for none
	aSer, bSer uint32 // what is added to the serials of their zones
	kept       bool   // whether the protected map answers as it always did
}

// see returns what clients get of a snapshot.
func see(snap *mapset.Snapshot) sight {
	address := func(name fqdn.Name) netip.Addr {
		for _, ip := range snap.Lookup(name).Addrs(mapset.IPv4) {
			return ip
		}
		return netip.IPv4Unspecified()
	}
	number := func(name fqdn.Name) int {
		ip := address(name).As4()
		return int(ip[2])<<8 | int(ip[3])
	}
	return sight{
		a: number("www.a.example."), aSer: snap.SerialOffset("a.example."),
		b: number("www.b.example."), bSer: snap.SerialOffset("b.example."),
		kept: address("www.keep.example.") == netip.MustParseAddr("192.0.2.1"),
	}
}

func (s sight) String() string {
	return fmt.Sprintf("a %d serial %d, b %d serial %d, kept %t", s.a, s.aSer, s.b, s.bSer, s.kept)
}

func parseSight(t *testing.T, line string) (s sight) {
	t.Helper()
	if _, err := fmt.Sscanf(line, "a %d serial %d, b %d serial %d, kept %t", &s.a, &s.aSer, &s.b, &s.bSer, &s.kept); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return s
}

func crashOptions(path, state string) live.Options {
	return live.Options{Path: path, State: state, Owner: "maps", Poll: 50 * time.Millisecond}
}

func openPlain(path, state string) (*live.Store, error) {
	opt := crashOptions(path, state)
	opt.Log = complaints{}
	return live.Open(opt)
}

// runCrashChild keeps a map in force until it is killed, and prints what clients
// get: first what it has started with, as soon as they could ask.
func runCrashChild(path, state string) error {
	var first *mapset.Snapshot
	opened := make(chan struct{})
	opt := crashOptions(path, state)
	opt.Log = complaints{}
	opt.Loaded = func(l live.Load) {
		if first == nil {
			first = l.InForce
			return
		}
		<-opened
		fmt.Println(see(l.InForce))
	}
	if _, err := live.Open(opt); err != nil {
		return err
	}
	fmt.Println(see(first))
	close(opened)
	select {}
}

// complaints is a log of which only the errors matter, if the process ends.
type complaints struct{}

func (complaints) Infof(string, ...any)    {}
func (complaints) Warningf(string, ...any) {}
func (complaints) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
