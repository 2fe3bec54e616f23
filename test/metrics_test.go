package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/addressmap/addressmap/test/server"
)

const metricPrefix = "coredns_addressmap_"

// withholding is a Corefile whose backend answers a TXT query with the address
// of a proxied name, which no rule lets out.
const withholding = `example.org {
	root examples/quickstart
	prometheus 127.0.0.1:9153
	addressmap maps.yaml
	template IN TXT example.org {
		answer "www.example.org. 60 IN A 198.51.100.11"
	}
	file db.example.org
}
`

// What the server exports after an answer, a withheld one and a load is named
// as Prometheus asks, and is what the README lists, labels and all.
func TestMetrics_NamesAndREADME(t *testing.T) {
	s, err := start(t, withholding)
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, s, "www.example.org.", dns.TypeA, dns.RcodeSuccess)
	exchange(t, s, "www.example.org.", dns.TypeTXT, dns.RcodeServerFailure)

	families := gather(t)
	for _, wrong := range lint(t, families) {
		t.Error(wrong)
	}
	var exported []string
	for _, f := range families {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		exported = append(exported, signature(f.GetName(), labels))
	}
	// Of a map in etcd alone: test/fleet looks at them.
	exported = append(exported, metricPrefix+"source_revision{map}", metricPrefix+"source_up{map}")
	var documented []string
	for _, m := range documentedMetric.FindAllStringSubmatch(readme(t), -1) {
		documented = append(documented, signature(m[1], strings.Split(m[2], ", ")))
	}
	slices.Sort(documented)
	if !slices.Equal(exported, documented) {
		t.Errorf("want the README's metrics %q\ngot %q", documented, exported)
	}
}

func TestMetrics_CanFail(t *testing.T) {
	name, help := metricPrefix+"reloads", "Counter of loads of the map."
	counter := &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Counter: &dto.Counter{Value: new(float64)}}}}
	if got := lint(t, []*dto.MetricFamily{counter}); len(got) != 1 || !strings.Contains(got[0], "_total") {
		t.Errorf("want a counter without _total reported, got %q", got)
	}
}

func lint(t *testing.T, families []*dto.MetricFamily) []string {
	t.Helper()
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	for _, p := range problems {
		wrong = append(wrong, p.Metric+": "+p.Text)
	}
	return wrong
}

// gather returns our own metrics, sorted by name.
func gather(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	all, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), metricPrefix) })
}

// documentedMetric is a metric's line in the README: its name and its labels.
var documentedMetric = regexp.MustCompile("(?m)^\\* `(" + metricPrefix + "[a-z_]*){([a-z0-9_, ]*)}`")

// signature writes a metric with its labels in alphabetical order, which is the
// only one that Prometheus keeps.
func signature(name string, labels []string) string {
	slices.Sort(labels)
	return name + "{" + strings.Join(labels, ", ") + "}"
}

// exchange asks a running server and wants this response code.
func exchange(t *testing.T, s *server.Server, name string, qtype uint16, rcode int) {
	t.Helper()
	if r := s.Lookup(t, name, qtype); r.Rcode != rcode {
		t.Fatalf("want %s for %s, got\n%v", dns.RcodeToString[rcode], name, r)
	}
}
