package lane

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// What prometheus counts is the same with the lane and without.
func TestLane_PrometheusCounts(t *testing.T) {
	on, off, metrics := start(t)
	asked := 0
	for _, name := range []string{"x.many.example.", "Y.many.example.", "many.example."} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX} {
			for _, do := range []bool{false, true} {
				for _, port := range []string{on, off} {
					m := new(dns.Msg).SetQuestion(name, qtype)
					if do {
						m.SetEdns0(1232, true)
						m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"}}
					}
					client := &dns.Client{Timeout: server.Patience}
					for range 3 {
						if port == on {
							asked++
						}
						if _, _, err := client.Exchange(m, "127.0.0.1:"+port); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
	}
	// A response is counted once it is sent, with the lane and without, and by its rcode last.
	// One look reads the counters one by one: only the next one has all others of what the
	// counter of rcodes had in this one.
	server.Eventually(t, "all responses are counted", func() bool {
		return responses(dnsMetrics(t, metrics, on)) == asked && responses(dnsMetrics(t, metrics, off)) == asked
	})
	with, without := dnsMetrics(t, metrics, on), dnsMetrics(t, metrics, off)
	if counted(t, metrics) == 0 || len(with) < 10 {
		t.Fatalf("the lane answered nothing, or nothing is counted: %v", with)
	}
	if !maps.Equal(with, without) {
		for _, name := range slices.Sorted(maps.Keys(without)) {
			if with[name] != without[name] {
				t.Errorf("%s: %q with the lane, %q without", name, with[name], without[name])
			}
		}
		for name := range with {
			if _, ok := without[name]; !ok {
				t.Errorf("%s is counted with the lane alone", name)
			}
		}
	}
}

// responses is how many there are among what is counted.
func responses(counts map[string]string) (n int) {
	for name, value := range counts {
		if strings.HasPrefix(name, "coredns_dns_responses_total{") {
			of, _ := strconv.Atoi(value)
			n += of
		}
	}
	return n
}

var serverLabel = regexp.MustCompile(`server="[^"]*"`)

// dnsMetrics returns what CoreDNS and addressmap count of a server, but for times.
func dnsMetrics(t *testing.T, metrics, port string) map[string]string {
	t.Helper()
	_, page := server.Get(t, metrics, "/metrics")
	out := make(map[string]string)
	for line := range strings.Lines(page) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.Contains(name, ":"+port+`"`) || strings.Contains(name, "duration_seconds_bucket") || strings.Contains(name, "duration_seconds_sum") ||
			strings.Contains(name, "addressmap_lane_") || strings.Contains(name, "plugin_enabled") {
			continue
		}
		out[serverLabel.ReplaceAllString(name, "server")] = value
	}
	return out
}
