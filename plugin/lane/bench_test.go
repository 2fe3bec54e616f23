package lane

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// tableOf returns the table of a server with one zone, whose names are remembered for an
// hour.
func tableOf(t testing.TB, hosts int) *Table {
	t.Helper()
	doc, errs := mapfile.Parse("maps.yaml", []byte("anycast: [192.0.2.1, 192.0.2.2, \"2001:db8::1\", \"2001:db8::2\"]\naccounts: [{id: a, zones: [{name: example.org, proxied: all}]}]\n"))
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	memory := presence.New(time.Hour)
	t.Cleanup(memory.Close)
	backend := memory.Around(answer.Opaque{})
	names := answer.Names{Snapshot: snapshot, Scope: &answer.Scope{Backend: backend, Options: answer.Options{TTL: 300}, Acting: fqdn.NewZones(fqdn.NewSet("example.org."))}}
	for i := range hosts {
		owner := fqdn.Name(fmt.Sprintf("host%d.example.org.", i))
		known := answer.Known{Decision: names.Lookup(owner), Presence: answer.Presence{Exists: true, Authoritative: true}, Final: true}
		for range 2 {
			backend.Learn(names, owner, known, true, backend.Now())
		}
	}
	return &Table{Zones: map[string]*Zone{"example.org.": {Names: func() answer.Names { return names }}}, Count: func(*Tally) {}}
}

// messages returns packets that ask for the hosts of tableOf.
func messages(t testing.TB, hosts int) []ipv4.Message {
	out := make([]ipv4.Message, hosts)
	for i := range out {
		qtype := dns.TypeA
		if i%2 == 1 {
			qtype = dns.TypeAAAA
		}
		wire := packed(t, fmt.Sprintf("host%d.example.org.", i), qtype, nil)
		out[i] = ipv4.Message{Buffers: [][]byte{wire}, N: len(wire), Addr: &net.UDPAddr{}}
	}
	return out
}

// BenchmarkAnswer is one answer, without the system calls: with -cpu 1,2 it shows whether
// workers are in each other's way (S12).
func BenchmarkAnswer(b *testing.B) {
	const hosts = 1000
	table, packets := tableOf(b, hosts), messages(b, hosts)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		space, a := make([]byte, answerSize), new(Answer)
		for i := 0; pb.Next(); i++ {
			if table.answer(&packets[i%hosts], space[:0], a) == nil {
				b.Error("a packet is left to CoreDNS")
				return
			}
		}
	})
}

// An answer allocates the name that it is looked up by, and nothing else.
func TestAnswer_Allocates(t *testing.T) {
	table, packets := tableOf(t, 1), messages(t, 1)
	space, a := make([]byte, answerSize), new(Answer)
	if n := testing.AllocsPerRun(100, func() {
		if table.answer(&packets[0], space[:0], a) == nil {
			t.Fatal("the packet is left to CoreDNS")
		}
	}); n > 1 {
		t.Errorf("an answer allocates %v times", n)
	}
}
