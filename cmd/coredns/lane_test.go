package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/addressmap/addressmap/test/server"
)

// before has, for each directive that may stand before addressmap, what is written in the
// server block, and whether the lane is on beside it. It is on beside errors, which sees no
// answer, prometheus, for which the lane counts, and directives that are no handler. For any
// other, the lane would answer without it.
var before = map[string]struct {
	lines string
	on    bool
}{
	"root":        {"root .", true},
	"metadata":    {"metadata", false},
	"geoip":       {"geoip GEOIP", false},
	"cancel":      {"cancel", false},
	"proxyproto":  {"proxyproto", false},
	"quic":        {"quic {\n max_streams 16\n}", true},
	"grpc_server": {"grpc_server {\n max_streams 16\n}", true},
	"https":       {"https {\n max_connections 16\n}", true},
	"https3":      {"https3 {\n max_streams 16\n}", true},
	"timeouts":    {"timeouts {\n read 5s\n}", true},
	"multisocket": {"multisocket 2", true},
	"reload":      {"reload", true},
	"nsid":        {"nsid here", false},
	"bufsize":     {"bufsize 1232", false},
	"bind":        {"bind 127.0.0.1", true},
	"debug":       {"debug", true},
	"trace":       {"trace", false},
	"ready":       {"ready 127.0.0.1:0", true},
	"health":      {"health 127.0.0.1:0", true},
	"pprof":       {"pprof 127.0.0.1:0", true},
	"shed":        {"shed", false},
	"prometheus":  {"prometheus 127.0.0.1:0", true},
	"errors":      {"errors", true},
	"log":         {"log", false},
	"dnstap":      {"dnstap dnstap.sock", false},
	"local":       {"local", false},
	"dns64":       {"dns64", false},
	"siit":        {"siit", false},
	"any":         {"any", false},
	"chaos":       {"chaos", false},
	"loadbalance": {"loadbalance", false},
	"tsig":        {"tsig {\n secret key. NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=\n}", false},
	"rewrite":     {"rewrite name exact a.test b.test", false},
	"autopath":    {"autopath resolv.conf", false},
	"acl":         {"acl {\n block net 192.0.2.0/24\n}", false},
	"cache":       {"cache", false},
	"header":      {"header {\n response set ra\n}", false},
	"dnssec":      {"dnssec", false},
	"tls":         {"", true}, // its keys are those of other servers: DNS over TLS has no packets
	"minimal":     {"minimal", false},
	"view":        {"view here {\n expr true\n}", false}, // stands further down, and chooses before
}

// TestLane_OffTable: every plugin that has to see an answer sees it, or the lane is off
// for the server block.
func TestLane_OffTable(t *testing.T) {
	directives, err := withAddressmap(dnsserver.Directives)
	if err != nil {
		t.Fatal(err)
	}
	own := dnsserver.Directives
	if err := dnsserver.SetDirectives(directives); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dnsserver.SetDirectives(own) })
	caddy.Quiet, dnsserver.Quiet = true, true
	geoip := filepath.Join(folderOf(t, "github.com/coredns/coredns"), "plugin/geoip/testdata/GeoLite2-City.mmdb")
	for _, name := range append(slices.Clone(directives[:slices.Index(directives, directive)]), "view") {
		t.Run(name, func(t *testing.T) {
			tc, ok := before[name]
			if !ok {
				t.Fatalf("nobody has said whether the lane may answer beside %s: try it, and add it to the table", name)
			}
			if _, out := leftOut[name]; out {
				t.Skip("this flavour leaves it out")
			}
			counted := answers(t) // the server before has stopped
			block := "errors\n" + strings.ReplaceAll(tc.lines, "GEOIP", geoip)
			if name == "errors" {
				block = tc.lines
			}
			s := server.Start(t, "example.org {\n"+block+"\naddressmap maps.yaml\nfile db.example.org\n}\n", map[string]string{
				"maps.yaml":      "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: example.org, proxied: [www]}]}]\n",
				"db.example.org": "$ORIGIN example.org.\n@ 300 IN SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nwww A 10.66.0.1\n",
				"resolv.conf":    "search example.org\n",
			})
			for range 3 {
				if m := s.Lookup(t, "www.example.org.", dns.TypeA); len(m.Answer) == 0 {
					t.Errorf("got %v", m)
				}
			}
			if n := len(s.Log.Lines("lane o")); n != 1 {
				t.Errorf("the lane is in %d lines of the log, want one", n)
			}
			lines := strings.Join(s.Log.Lines("lane o"), "\n")
			if on := strings.Contains(lines, "lane on") && strings.Contains(lines, "for example.org."); on != tc.on || on && strings.Contains(lines, "lane off") {
				t.Errorf("the lane is on: %t, want %t: %s", on, tc.on, lines)
			}
			if !tc.on && !strings.Contains(lines, name) {
				t.Errorf("the log does not name %s: %s", name, lines)
			}
			if tc.on { // an answer is counted once it is sent
				server.Eventually(t, "the lane answers", func() bool { return answers(t) > counted })
			} else if answers(t) > counted {
				t.Error("the lane has answered")
			}
		})
	}
}

// answers is how many all lanes of the process have given.
func answers(t *testing.T) (n float64) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "coredns_addressmap_lane_responses_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// folderOf returns where the source of a module is.
func folderOf(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
