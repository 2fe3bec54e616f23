package rules

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// notified takes NOTIFY messages.
type notified struct {
	addr string

	mu    sync.Mutex
	zones []string // of the messages, in the order they came
}

func listenForNotify(t testing.TB) *notified {
	t.Helper()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &notified{addr: udp.LocalAddr().String()}
	server := &dns.Server{PacketConn: udp, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Opcode == dns.OpcodeNotify {
			s.mu.Lock()
			s.zones = append(s.zones, r.Question[0].Name)
			s.mu.Unlock()
		}
		w.WriteMsg(new(dns.Msg).SetReply(r))
	}), MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }}
	go server.ActivateAndServe()
	t.Cleanup(func() { server.Shutdown() })
	return s
}

// until waits until a NOTIFY came n times for each of these zones, and returns the
// zones of all that came, each once, in order.
func (s *notified) until(t testing.TB, n int, zones ...string) []string {
	t.Helper()
	var seen []string
	server.Eventually(t, fmt.Sprintf("NOTIFY for %s, %d times each", zones, n), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		times := make(map[string]int)
		for _, zone := range s.zones {
			times[zone]++
		}
		seen = slices.Sorted(maps.Keys(times))
		return !slices.ContainsFunc(zones, func(zone string) bool { return times[zone] < n })
	})
	return seen
}

func (s *notified) forget() {
	s.mu.Lock()
	s.zones = nil
	s.mu.Unlock()
}

// changes is a server of several zones with a secondary.
//
//	example.org      a zone of the map is the same
//	sub.example.com  the zone of the map is above: com
//	example.net      zones of the map are below: a.example.net, b.a.example.net
//	example.edu      has a hint for a name of a.example.net, no zone of the map
//	example.info     its hint is for an alias that leads to example.org
//	mark             tells that a change of the map is in force, and that all is told
type changes struct {
	*server.Server
	to *notified
}

var changesZones = []string{"example.org.", "sub.example.com.", "example.net.", "example.edu.", "example.info.", "mark."}

func startChanges(t *testing.T, text string) *changes {
	const soa = "@ 3600 IN SOA ns hostmaster 10 7200 3600 1209600 300\n"
	to := listenForNotify(t)
	files := map[string]string{
		"maps.yaml":          changesMap(text, 1),
		"db.example.org":     soa + "www 3600 IN A 10.66.0.1\nv4 3600 IN A 10.66.0.2\nmail 3600 IN A 198.51.100.1\n*.shop 3600 IN A 10.66.0.3\nwww.in 3600 IN A 10.66.0.4\n",
		"db.sub.example.com": soa + "www 3600 IN A 10.66.0.5\n",
		"db.example.net":     soa + "www.a 3600 IN A 10.66.0.6\nwww.b.a 3600 IN A 10.66.0.7\nmail 3600 IN A 198.51.100.2\n",
		"db.example.edu":     soa + "svc 3600 IN HTTPS 1 www.a.example.net. ipv4hint=10.66.0.6\n",
		"db.example.info":    soa + "svc 3600 IN HTTPS 1 alias ipv4hint=10.66.0.1\nalias 3600 IN CNAME www.example.org.\n",
		"db.mark":            soa + "www 3600 IN A 10.66.0.8\n",
	}
	corefile := strings.Replace(server.CorefileOf(files), "{\n", "{\n    transfer {\n        to * "+to.addr+"\n    }\n", 1)
	c := &changes{Server: server.Start(t, corefile, files), to: to}
	c.to.until(t, 1, changesZones...) // file tells of its zones at the start
	return c
}

// changesMap is a map with the zone mark in addition.
func changesMap(text string, mark int) string {
	return text + fmt.Sprintf(`
  - id: mark
    static_ips: [203.0.113.%d]
    zones: [{name: mark, proxied: all}]
    address_maps: [{enabled: true, ips: [203.0.113.%d], memberships: [{kind: account, identifier: mark}]}]
`, mark, mark)
}

// serials returns the serials of all zones but mark.
func (c *changes) serials(t *testing.T) map[string]uint32 {
	out := make(map[string]uint32)
	for _, zone := range changesZones {
		if zone == "mark." {
			continue
		}
		rrs, err := c.Transfer(zone)
		if err != nil {
			t.Fatal(err)
		}
		if out[zone] = server.SerialOf(t, rrs[0]); out[zone] != c.Serial(t, zone) {
			t.Errorf("%s: a transfer has serial %d, an answer %d", zone, out[zone], c.Serial(t, zone))
		}
	}
	return out
}

const changesStart = `
anycast: [192.0.2.1, 192.0.2.2, "2001:db8::1"]
accounts:
  - id: acme
    static_ips: [203.0.113.101, 203.0.113.102]
    zones:
      - {name: example.org, proxied: [www, v4, "*.shop"]}
      - {name: com, proxied: all}
      - {name: a.example.net, proxied: all}
      - {name: b.a.example.net, proxied: [www]}
`

// Each change of the map raises the serials of the zones that hold something else
// now, secondaries are told of these, and no others.
func TestR18_Changes(t *testing.T) {
	org, com, net, edu, info := "example.org.", "sub.example.com.", "example.net.", "example.edu.", "example.info."
	for _, tc := range []struct {
		name, old, new string
		want           []string
	}{
		{"nothing", "- id: acme", "- id: acme # a remark", nil},
		{"name of the account", "- id: acme", "- id: acme\n    name: Acme", nil},
		{"anycast", "192.0.2.2", "192.0.2.3", []string{com, edu, info, net, org}},
		{"order of the addresses", "192.0.2.1, 192.0.2.2", "192.0.2.2, 192.0.2.1", []string{com, edu, info, net, org}},
		{"mark more", "[www, v4,", "[www, v4, mail,", []string{info, org}},
		{"mark less", "[www, v4,", "[www,", []string{info, org}},
		{"ipv4_only", "[www, v4,", "[www, {name: v4, ipv4_only: true},", []string{info, org}},
		{"exception", `"*.shop"]`, `"*.shop", {name: api.shop, proxied: false}]`, []string{info, org}},
		{"ipv6: false", "{name: com,", "{name: com, ipv6: false,", []string{com}},
		{"zone above goes", "      - {name: com, proxied: all}\n", "", []string{com}},
		{"zone below", "      - {name: b.a.example.net, proxied: [www]}", "      - {name: b.a.example.net, proxied: [no]}", []string{net}},
		{"zone below goes", "      - {name: b.a.example.net, proxied: [www]}\n", "", []string{net}},
		{"zone without proxied names inside a zone", "      - {name: com,", "      - {name: c.a.example.net}\n      - {name: com,", []string{net}},
		{"zone with hints elsewhere", "{name: a.example.net, proxied: all}", "{name: a.example.net, proxied: [www, other]}", []string{edu, net}},
		// More than has to be: the names of example.org are answered as before.
		{"zone above another", "      - {name: com,", "      - {name: org, proxied: all}\n      - {name: com,", []string{info, org}},
		{"unproxied zone that no backend has", "      - {name: com,", "      - {name: example.name}\n      - {name: com,", nil},
		{"map of a zone", "zones:\n", "address_maps: [{enabled: true, ips: [203.0.113.101], memberships: [{kind: zone, identifier: example.org}]}]\n    zones:\n", []string{info, org}},
		{"map of the account", "zones:\n", "address_maps: [{enabled: true, ips: [203.0.113.101], memberships: [{kind: account, identifier: acme}]}]\n    zones:\n", []string{com, edu, info, net, org}},
		{"same addresses by the account", "zones:\n", "address_maps: [{enabled: true, ips: [192.0.2.1, 192.0.2.2, \"2001:db8::1\"], memberships: [{kind: account, identifier: acme}]}]\n    prefixes: [192.0.2.0/24, \"2001:db8::/48\"]\n    zones:\n", nil},
		{"disabled map", "zones:\n", "address_maps: [{enabled: false, ips: [203.0.113.101], memberships: [{kind: zone, identifier: example.org}]}]\n    zones:\n", nil},
		{"application", "zones:\n", "spectrum_apps: [{dns: {name: app.com, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.101]}}]\n    zones:\n", []string{com}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := strings.Replace(changesStart, tc.old, tc.new, 1)
			if changed == changesStart {
				t.Fatalf("no %q to replace", tc.old)
			}
			c := startChanges(t, changesStart)
			c.to.forget()
			mark, want := 1, append(slices.Clone(tc.want), "mark.")
			for _, text := range []string{changed, changesStart} { // and back
				before := c.serials(t)
				mark++
				server.WriteFile(t, "maps.yaml", changesMap(text, mark))
				c.to.until(t, mark-1, want...)
				for zone, serial := range c.serials(t) {
					if changed := slices.Contains(want, zone); changed && !follows(serial, before[zone]) || !changed && serial != before[zone] {
						t.Errorf("%s: serial %d after %d, changed %t", zone, serial, before[zone], changed)
					}
				}
			}
			// What is told too much may be told last.
			server.WriteFile(t, "maps.yaml", changesMap(changesStart, mark+1))
			slices.Sort(want)
			if told := c.to.until(t, mark, "mark."); !slices.Equal(told, want) {
				t.Errorf("want NOTIFY for %q, got %q\n%s", want, told, c.Log)
			}
		})
	}
}

// A zone with hints for the one that changes is known before anybody had it
// transferred: a secondary may have it from before this server started.
func TestR18_HintsBeforeAnyTransfer(t *testing.T) {
	c := startChanges(t, changesStart)
	c.to.forget()
	server.WriteFile(t, "maps.yaml", changesMap(strings.Replace(changesStart, "{name: a.example.net, proxied: all}", "{name: a.example.net, proxied: [other]}", 1), 1))
	c.to.until(t, 1, "example.edu.", "example.net.")
	if got := c.Serial(t, "example.edu."); got != 11 {
		t.Errorf("want serial 11, got %d", got)
	}
}

// Secondaries that do not answer take seconds for each zone: zones are told of
// some at a time, and shutting down waits for these alone.
func TestR18_DeadSecondaries(t *testing.T) {
	const many = 100
	const atOnce = 16 // zones, as notify.go has it
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := make(map[string]bool)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, dns.MaxMsgSize)
		for {
			n, _, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			if m := new(dns.Msg); m.Unpack(buf[:n]) == nil && m.Opcode == dns.OpcodeNotify {
				mu.Lock()
				told[m.Question[0].Name] = true
				mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { // after the server is stopped
		udp.Close()
		<-ended
		t.Logf("%d of %d zones were told of", len(told), many)
		if len(told) == many {
			t.Errorf("want the server to stop without telling of all %d zones", many)
		}
	})
	zones, list := "", ""
	for i := range many {
		zones += fmt.Sprintf("z%d.example ", i)
		list += fmt.Sprintf("{name: z%d.example, proxied: all}, ", i)
	}
	text := "anycast: [192.0.2.1]\naccounts:\n  - {id: acme, zones: [" + list + "]}\n"
	server.Start(t, zones+"{\ntransfer {\nto "+udp.LocalAddr().String()+"\n}\naddressmap maps.yaml\nfile db "+zones+"\n}\n",
		map[string]string{"maps.yaml": text, "db": "@ 3600 IN SOA ns h 1 1 1 1 1\nwww 3600 IN A 10.66.0.1\n"})
	server.WriteFile(t, "maps.yaml", strings.Replace(text, "192.0.2.1", "192.0.2.2", 1))
	server.Eventually(t, "some zones told of at the same time", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) >= atOnce
	})
}
