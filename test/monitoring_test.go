package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"
)

var alertsFile = repository + "/examples/monitoring/alerts.yml"

// Each alert fires where its example says so, and does not where it says that.
func TestAlerts_Fire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("*** SKIPPED: promtool is not installed, install the package prometheus")
	}
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = filepath.Dir(alertsFile)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

type alert struct {
	Alert       string
	Expr        string
	Annotations map[string]string
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	if err := yaml.Unmarshal([]byte(content(t, alertsFile)), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no alerts, or they are not found", alertsFile)
	}
	return all
}

// Each alert has examples of both kinds, a page on what to do that names it, and a line in
// docs/operating.md. Each page is that of an alert.
func TestAlerts_Pages(t *testing.T) {
	var file struct {
		Tests []struct {
			Rules []struct {
				Name   string `yaml:"alertname"`
				Alerts []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(content(t, filepath.Dir(alertsFile)+"/alerts_test.yml")), &file); err != nil {
		t.Fatal(err)
	}
	fires, quiet := make(map[string]bool), make(map[string]bool)
	for _, test := range file.Tests {
		for _, r := range test.Rules {
			if len(r.Alerts) > 0 {
				fires[r.Name] = true
			} else {
				quiet[r.Name] = true
			}
		}
	}
	pages := make(map[string]bool)
	operating := content(t, repository+"/docs/operating.md")
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s needs an example that fires it and one that does not", a.Alert)
		}
		_, page, _ := strings.Cut(a.Annotations["runbook_url"], "/docs/runbooks/")
		pages[page] = true
		if text := content(t, repository+"/docs/runbooks/"+page); !strings.Contains(text, "`"+a.Alert+"`") {
			t.Errorf("docs/runbooks/%s does not name %s", page, a.Alert)
		}
		if !strings.Contains(operating, "`"+a.Alert+"`") || !strings.Contains(operating, "(runbooks/"+page+")") {
			t.Errorf("docs/operating.md does not name %s with runbooks/%s", a.Alert, page)
		}
	}
	files, err := os.ReadDir(repository + "/docs/runbooks")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !pages[f.Name()] {
			t.Errorf("docs/runbooks/%s is the page of no alert", f.Name())
		}
	}
}

// Metrics of an alert exist, with the labels that it asks for: those of addressmap as the
// README lists them, which [TestMetrics_NamesAndREADME] compares with the server's, and
// those of Go. up and those of the blackbox exporter are not the server's.
func TestAlerts_Metrics(t *testing.T) {
	known := knownMetrics(t)
	for _, a := range alerts(t) {
		for _, wrong := range unknownMetrics(a.Expr, known) {
			t.Errorf("%s: %s", a.Alert, wrong)
		}
	}
}

// The dashboard asks for nothing that nobody exports, and neither do its variables. Each
// panel says something.
func TestDashboard_Metrics(t *testing.T) {
	var d struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Type  string
				Query any
			}
		}
	}
	if err := json.Unmarshal([]byte(content(t, filepath.Dir(alertsFile)+"/dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	known := knownMetrics(t)
	check := func(where, expr string) {
		for _, wrong := range unknownMetrics(expr, known) {
			t.Errorf("%s: %s", where, wrong)
		}
	}
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if query, ok := v.Query.(map[string]any); ok {
			check("a variable", query["query"].(string))
		}
	}
	if len(d.Panels) == 0 || len(d.Templating.List) == 0 {
		t.Error("the dashboard is empty, or is not found")
	}
}

func TestAlerts_CanFail(t *testing.T) {
	known := map[string][]string{"coredns_addressmap_degraded": {"map"}}
	for expr, want := range map[string]string{
		`sum by (instance, map) (coredns_addressmap_degraded{map="x"})`: "",
		`coredns_addressmap_degrade == 1`:                               "there is no metric coredns_addressmap_degrade",
		`coredns_addressmap_degraded{zone="x"}`:                         "coredns_addressmap_degraded has no label zone",
		`sum by (zone) (coredns_addressmap_degraded)`:                   "no metric of it has the label zone",
	} {
		if got := strings.Join(unknownMetrics(expr, known), "\n"); got != want {
			t.Errorf("%s: want %q, got %q", expr, want, got)
		}
	}
}

// knownMetrics returns the labels of each metric that a server exports, or a prober.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{"up": nil, "probe_ssl_earliest_cert_expiry": nil}
	for _, m := range documentedMetric.FindAllStringSubmatch(readme(t), -1) {
		known[m[1]] = strings.Split(m[2], ", ")
		known[m[1]+"_bucket"] = append(strings.Split(m[2], ", "), "le") // of a histogram
	}
	all, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if name := f.GetName(); strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			known[name] = nil
		}
	}
	return known
}

var (
	selector = regexp.MustCompile(`\b((?:coredns|go|process|probe)_[a-z_]*|up)\b(?:{([^}]*)})?`)
	matcher  = regexp.MustCompile(`([a-z0-9_]+) *[=!]`)
	grouping = regexp.MustCompile(`\b(?:by|on) *\(([^)]*)\)`)
)

// unknownMetrics says which metrics and labels of an expression nobody exports. Prometheus
// adds the labels instance and job to all of them.
func unknownMetrics(expr string, known map[string][]string) (wrong []string) {
	labels := map[string]bool{"instance": true, "job": true}
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		of, ok := known[m[1]]
		if !ok {
			wrong = append(wrong, "there is no metric "+m[1])
		}
		for _, l := range of {
			labels[l] = true
		}
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(of, l[1]) && l[1] != "instance" && l[1] != "job" {
				wrong = append(wrong, m[1]+" has no label "+l[1])
			}
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(m[1], ", ") {
			if !labels[l] {
				wrong = append(wrong, "no metric of it has the label "+l)
			}
		}
	}
	return wrong
}
