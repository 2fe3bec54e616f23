package rules

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// drainedCorefile has a directive of each drain_last on one map.
const drainedCorefile = `example.org {
	prometheus localhost:%[1]s
	addressmap maps.yaml {
		drains drains
		state state
	}
	file db.example.org
	transfer {
		to *
		to %[2]s
	}
}
example.net {
	addressmap maps.yaml {
		drains drains
		state state
		drain_last next
	}
	file db.example.net
}
`

var drainedFiles = map[string]string{
	"maps.yaml": `anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones:
      - {name: example.org, proxied: [www]}
      - {name: example.net, proxied: [www]}
    address_maps: [{id: acme-1, enabled: true, ips: [203.0.113.7, 203.0.113.130], memberships: [{kind: account, identifier: acme}]}]
`,
	"db.example.org":   "@ 60 IN SOA ns h 1 7200 3600 1209600 300\n@ 60 IN NS ns\nwww 60 IN A 10.66.0.1\n",
	"db.example.net":   "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.2\n",
	"drains/none.yaml": "drains: []\n",
}

// drains is a file of drains of addresses.
func drains(until string, addresses ...string) string {
	return fmt.Sprintf("drains: [{addresses: [%s], reason: fibre cut, until: %s}]\n", strings.Join(addresses, ", "), until)
}

const never = "2199-01-01T00:00:00Z"

// Without them, a client asks again as soon as it is answered, and the drain begins and ends
// as soon as all have seen it.
var (
	drainRate = flag.Int("drains.rate", 0, "queries a second in TestDrains_UnderLoad, of 64 clients together")
	drainLast = flag.Duration("drains.last", 0, "how long TestDrains_UnderLoad asks before, during and after the drain")
)

// asking is what one client got: the answers without repetitions, how many there were, and
// when the last one of each came.
type asking struct {
	answers []string
	count   int
	last    map[string]time.Time
}

// A drain of a prefix under load: every query is answered, from the first answer without
// the drained address on none has it, until the drain ends by the clock. Secondaries are
// told of the begin and the end, and see higher serials.
func TestDrains_UnderLoad(t *testing.T) {
	secondary := listenForNotify(t)
	s := server.Start(t, fmt.Sprintf(drainedCorefile, server.FreePort(t), secondary.addr), drainedFiles)
	secondary.until(t, 1, "example.org.") // of file, at the start
	const all, left = "NOERROR 203.0.113.7 203.0.113.130", "NOERROR 203.0.113.7"
	serial := s.Serial(t, "example.org.")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	askings := make([]asking, 8)
	var pause time.Duration
	if *drainRate > 0 {
		askings = make([]asking, 64)
		pause = time.Second * time.Duration(len(askings)) / time.Duration(*drainRate)
	}
	begin := time.Now()
	for i := range askings {
		a := &askings[i]
		a.last = make(map[string]time.Time)
		clients.Go(func() {
			client := &dns.Client{Net: [...]string{"udp", "tcp"}[i%2], Timeout: server.Patience}
			conn, err := client.Dial(s.Addr(client.Net)) // one: closed ones use up the ports
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for next := time.Now(); ; next = next.Add(pause) {
				if pause > 0 {
					time.Sleep(time.Until(next))
				}
				select {
				case <-stop:
					return
				default:
				}
				resp, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), conn)
				got := fmt.Sprint(err)
				if err == nil {
					got = server.Addresses(resp)
				}
				mu.Lock()
				if n := len(a.answers); n == 0 || a.answers[n-1] != got {
					a.answers = append(a.answers, got)
				}
				a.count++
				a.last[got] = time.Now()
				mu.Unlock()
			}
		})
	}
	everyoneGot := func(what string, want ...string) {
		t.Helper()
		server.Eventually(t, what, func() bool {
			mu.Lock()
			defer mu.Unlock()
			for _, a := range askings {
				if fmt.Sprint(a.answers) != fmt.Sprint(want) {
					return false
				}
			}
			return true
		})
	}
	// late is how long after a moment the last answer of a kind came.
	late := func(got string, after time.Time) (d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range askings {
			d = max(d, a.last[got].Sub(after))
		}
		return d
	}
	everyoneGot("all addresses", all)
	time.Sleep(*drainLast)
	renamed := time.Now()
	server.WriteFile(t, "drains/ana.yaml", drains(never, "203.0.113.128/25"))
	everyoneGot("none is answered with a drained address", all, left)
	t.Logf("the last answer with a drained address came %v after the file was written", late(all, renamed))
	time.Sleep(*drainLast)
	secondary.until(t, 2, "example.org.")
	if got := s.Serial(t, "example.org."); got != serial+1 {
		t.Errorf("the serial is %d after %d", got, serial)
	}
	end := time.Now().Add(time.Second)
	server.WriteFile(t, "drains/ana.yaml", drains(end.UTC().Format(time.RFC3339Nano), "203.0.113.128/25"))
	everyoneGot("the drain ends by the clock", all, left, all)
	t.Logf("the last answer without the drained address came %v after the end of the drain", late(left, end))
	time.Sleep(*drainLast)
	secondary.until(t, 3, "example.org.")
	if got := s.Serial(t, "example.org."); got != serial+2 {
		t.Errorf("the serial is %d after %d", got, serial)
	}
	close(stop)
	clients.Wait()
	everyoneGot("nothing else was answered", all, left, all)
	n := 0
	for _, a := range askings {
		n += a.count
	}
	t.Logf("%d queries in %v, %.0f a second: none wrong, none lost", n, time.Since(begin), float64(n)/time.Since(begin).Seconds())
}

// With a new Corefile, and with a restart, the last good entries of a file that is refused
// stay in force. Directives decide for themselves what happens to a step that has no other
// address.
func TestDrains_Corefile(t *testing.T) {
	port := server.FreePort(t)
	corefile := fmt.Sprintf(drainedCorefile, port, listenForNotify(t).addr)
	server.Place(t, drainedFiles)
	s := server.New(t)
	if err := s.Begin(corefile); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if org, net := s.AddressesOf(t, "www.example.org."), s.AddressesOf(t, "www.example.net."); org != "NOERROR 203.0.113.7 203.0.113.130" || net != "NOERROR 192.0.2.1" {
			t.Errorf("%s: keep %s, next %s", when, org, net)
		}
	}
	server.WriteFile(t, "drains/ana.yaml", drains(never, "203.0.113.0/24"))
	server.Eventually(t, "it is in force", func() bool { return s.AddressesOf(t, "www.example.net.") == "NOERROR 192.0.2.1" })
	check("drained")
	gauges := func() string {
		got := server.Scrape(t, port, "drained_addresses", "drains_ignored", "degraded")
		out := ""
		for _, name := range []string{"drained_addresses", "drains_ignored", "degraded"} {
			out += fmt.Sprint(" ", got[name+`{map="maps.yaml"}`])
		}
		return out
	}
	server.Eventually(t, "the metrics show it", func() bool { return gauges() == " 2 1 0" })
	server.WriteFile(t, "drains/ana.yaml", "drains: [{adresses: [203.0.113.0/24]}]\n")
	server.Eventually(t, "it is refused", func() bool { return len(s.Log.Lines(`unknown key "adresses"`)) > 0 })
	server.Eventually(t, "the metrics show it", func() bool { return gauges() == " 2 1 1" })
	if err := s.Restart(corefile); err != nil {
		t.Fatal(err)
	}
	check("after a reload of the Corefile")
	s.Stop(t)
	s = server.Start(t, corefile, nil)
	check("after a restart")
}

// Directives on one map agree in drains.
func TestDrains_Agree(t *testing.T) {
	corefile := fmt.Sprintf(drainedCorefile, server.FreePort(t), "127.0.0.1:1")
	_, err := server.TryStart(t, strings.Replace(corefile, "drains drains", "drains drains/none.yaml", 1), drainedFiles)
	if err == nil || !strings.Contains(err.Error(), "drains") || !strings.Contains(err.Error(), "Corefile:3") || !strings.Contains(err.Error(), "Corefile:14") {
		t.Errorf("started with %v", err)
	}
}
