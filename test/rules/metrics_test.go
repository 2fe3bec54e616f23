package rules

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

const stepsMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/25]
    static_ips: [203.0.113.200]
    zones:
      - {name: example.org, proxied: [www, mail]}
      - {name: account.example, proxied: [www, flat]}
    address_maps:
      - {id: of-zone, enabled: true, ips: [203.0.113.1], memberships: [{kind: zone, identifier: example.org}]}
      - {id: of-account, enabled: true, ips: [203.0.113.2], memberships: [{kind: account, identifier: acme}]}
    spectrum_apps:
      - {dns: {name: app.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.200]}}
  - id: other
    zones:
      - {name: anycast.example, proxied: [www, "*.wild"]}
  - id: floor
    byoip_only: true
    prefixes: [{cidr: 198.51.100.128/25, advertised: false}]
    zones:
      - {name: none.example, proxied: [www]}
    address_maps:
      - {id: of-floor, enabled: true, can_delete: false, can_modify_ips: false, ips: [198.51.100.129], memberships: [{kind: account, identifier: floor}]}
`

const stepsZone = `
$TTL 3600
@        IN SOA   ns hostmaster 1 7200 3600 1209600 300
@        IN MX    10 mail
www      IN A     10.66.0.1
mail     IN A     10.66.0.2
plain    IN A     198.51.100.1
alias    IN CNAME www
svc      IN HTTPS 1 www alpn="h2" ipv4hint="10.66.0.1"
flat     IN CNAME www
*.wild   IN A     10.66.0.3
own.wild IN A     198.51.100.2
toown    IN CNAME own.wild
`

// stepsBlock is the inside of a server block that has an example of each step.
const stepsBlock = `
	addressmap maps.yaml {
		reload 100ms
	}
	file db`

const stepsZones = "example.org account.example anycast.example none.example"

// Each answer for a proxied name is counted once, by what was answered.
func TestMetrics_Responses(t *testing.T) {
	port := server.FreePort(t)
	c := server.Start(t, stepsZones+" {\n\tprometheus 127.0.0.1:"+port+stepsBlock+"\n}\n"+`
wrong.example.org {
	prometheus 127.0.0.1:`+port+`
	addressmap maps.yaml example.org {
		reload 100ms
	}
	template IN ANY { # an address, whatever is asked
		match ^wrong[.]
		answer "{{ .Name }} 60 IN A 10.66.0.1"
	}
}
`, map[string]string{"maps.yaml": strings.Replace(stepsMap, "[www, mail]", "[www, mail, wrong]", 1), "db": stepsZone})
	for _, q := range []struct {
		name  string
		qtype uint16
		want  string // what goes up by one
	}{
		{"www.example.org.", dns.TypeA, `responses_total{family="ipv4",server="",step="zone"}`},
		{"www.example.org.", dns.TypeAAAA, `responses_total{family="ipv6",server="",step="zone"}`},
		{"www.example.org.", dns.TypeANY, `responses_total{family="other",server="",step="zone"}`},
		{"example.org.", dns.TypeMX, `responses_total{family="other",server="",step="zone"}`},
		{"svc.example.org.", dns.TypeHTTPS, `responses_total{family="other",server="",step="zone"}`},
		{"alias.example.org.", dns.TypeA, `responses_total{family="ipv4",server="",step="zone"}`},
		{"www.account.example.", dns.TypeA, `responses_total{family="ipv4",server="",step="account"}`},
		{"flat.account.example.", dns.TypeTXT, `responses_total{family="other",server="",step="account"}`},
		{"www.anycast.example.", dns.TypeA, `responses_total{family="ipv4",server="",step="anycast"}`},
		{"any.wild.anycast.example.", dns.TypeAAAA, `responses_total{family="ipv6",server="",step="anycast"}`},
		{"app.example.org.", dns.TypeA, `responses_total{family="ipv4",server="",step="spectrum"}`},
		{"www.none.example.", dns.TypeA, `responses_total{family="ipv4",server="",step="none"}`},
		{"wrong.example.org.", dns.TypeSRV, `failures_total{reason="answer",server=""}`},
		// Nothing was substituted.
		{"plain.example.org.", dns.TypeA, ""},
		{"own.wild.anycast.example.", dns.TypeA, ""},
		{"toown.anycast.example.", dns.TypeA, ""},
		{"mail.example.org.", dns.TypeTXT, ""},
		{"none.example.org.", dns.TypeA, ""},
	} {
		q.want = strings.Replace(q.want, `server=""`, `server="dns://:`+c.Port+`"`, 1)
		before := server.Scrape(t, port, "responses_total", "failures_total")
		c.Lookup(t, q.name, q.qtype)
		after := server.Scrape(t, port, "responses_total", "failures_total")
		for name, v := range after {
			want := before[name]
			if name == q.want {
				want++
			}
			if v != want {
				t.Errorf("%s %s: %s is %v, want %v", q.name, dns.TypeToString[q.qtype], name, v, want)
			}
		}
		if _, there := after[q.want]; q.want != "" && !there {
			t.Errorf("%s %s: no %s", q.name, dns.TypeToString[q.qtype], q.want)
		}
	}
}

// What an operator sees of a map that is edited well and badly.
func TestMetrics_Reloads(t *testing.T) {
	port := server.FreePort(t)
	server.Start(t, stepsZones+" {\n\tprometheus 127.0.0.1:"+port+stepsBlock+"\n}\n", map[string]string{"maps.yaml": stepsMap, "db": stepsZone})
	inForce := func(text string) string {
		return fmt.Sprintf(`info{map="maps.yaml",sha256="%x"}`, sha256.Sum256([]byte(text)))
	}
	seen := server.Scrape(t, port)
	for name, want := range map[string]float64{
		`degraded{map="maps.yaml"}`:                     0,
		`entries{kind="accounts",map="maps.yaml"}`:      3,
		`entries{kind="zones",map="maps.yaml"}`:         4,
		`entries{kind="proxied_names",map="maps.yaml"}`: 8,
		`entries{kind="address_maps",map="maps.yaml"}`:  3,
		`entries{kind="addresses",map="maps.yaml"}`:     6,
		inForce(stepsMap):                               1,
	} {
		if got, ok := seen[name]; !ok || got != want {
			t.Errorf("%s is %v, %v, want %v", name, got, ok, want)
		}
	}
	if seen[`last_reload_success_timestamp_seconds{map="maps.yaml"}`] == 0 || seen[`reload_duration_seconds_count{map="maps.yaml"}`] == 0 {
		t.Errorf("got %v", seen)
	}

	text := stepsMap
	for _, step := range []struct {
		name, result string
		edit         func()
		degraded     float64
	}{
		{"a good edit", "ok", func() { text += "# changed\n"; server.WriteFile(t, "maps.yaml", text) }, 0},
		{"the same again", "unchanged", func() { server.WriteFile(t, "maps.yaml", text) }, 0},
		{"a broken edit", "refused", func() { server.WriteFile(t, "maps.yaml", "accounts: [") }, 1},
		{"repaired as it was", "unchanged", func() { server.WriteFile(t, "maps.yaml", text) }, 0},
		{"gone", "error", func() { os.Remove("maps.yaml") }, 1},
		{"there again, and changed", "ok", func() { text += "# again\n"; server.WriteFile(t, "maps.yaml", text) }, 0},
	} {
		result := fmt.Sprintf(`reloads_total{map="maps.yaml",result=%q}`, step.result)
		before := server.Scrape(t, port)
		step.edit()
		server.Eventually(t, step.name+" is counted", func() bool { return server.Scrape(t, port, "reloads_total")[result] > before[result] })
		after := server.Scrape(t, port)
		if got := after[`degraded{map="maps.yaml"}`]; got != step.degraded {
			t.Errorf("%s: degraded is %v", step.name, got)
		}
		for name, v := range after {
			if strings.HasPrefix(name, "info{") && strings.Contains(name, `map="maps.yaml"`) && (v != 1 || name != inForce(text)) {
				t.Errorf("%s: %s is %v, want only %s", step.name, name, v, inForce(text))
			}
		}
	}
}

// A load of a directory of which a part is refused and another comes into force
// counts as both, once.
func TestMetrics_RefusedInPart(t *testing.T) {
	doc := func(account, address string) string {
		return fmt.Sprintf("accounts:\n  - {id: %s, static_ips: [%[2]s], zones: [{name: %[1]s.example, proxied: [www]}], address_maps: [{enabled: true, ips: [%[2]s], memberships: [{kind: account, identifier: %[1]s}]}]}\n", account, address)
	}
	port := server.FreePort(t)
	server.Start(t, ". {\n bind 127.0.0.1\n prometheus 127.0.0.1:"+port+"\n addressmap maps\n}\n", map[string]string{"maps/a.yaml": doc("a", "192.0.2.1"), "maps/b.yaml": doc("b", "192.0.2.2")})
	loads := func(result string) float64 {
		return server.Scrape(t, port, "reloads_total")[fmt.Sprintf(`reloads_total{map="maps",result=%q}`, result)]
	}
	ok, refused := loads("ok"), loads("refused")
	swap := func(a, b string) {
		place := t.TempDir()
		server.WriteFile(t, filepath.Join(place, "a.yaml"), a)
		server.WriteFile(t, filepath.Join(place, "b.yaml"), b)
		if err := os.Rename("maps", filepath.Join(place, "old")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(place, "maps"); err != nil {
			t.Fatal(err)
		}
	}
	swap(doc("a", "192.0.2.3"), "accounts: [")
	server.Eventually(t, "both parts are counted", func() bool { return loads("ok") > ok && loads("refused") > refused })
	before := loads("ok")
	server.WriteFile(t, "maps/a.yaml", doc("a", "192.0.2.4"))
	server.Eventually(t, "another change is in force", func() bool { return loads("ok") > before })
	if got := loads("refused"); got != refused+1 {
		t.Errorf("one refused version is counted %v times", got-refused)
	}
}

// A Corefile that fails to load leaves the metrics to the server that goes on, and
// so does what it had set up before.
func TestMetrics_FailedCorefileReload(t *testing.T) {
	port := server.FreePort(t)
	account := func(id string) string {
		return fmt.Sprintf("accounts: [{id: %[1]s, zones: [{name: %[1]s.example.org}]}]\n", id)
	}
	corefile := "example.org {\n\tbind 127.0.0.1\n\tprometheus 127.0.0.1:" + port + "\n\taddressmap kept {\n\t\treload off\n\t}\n\tfile db.example.org\n}\n"
	c := server.Start(t, corefile, map[string]string{"kept/a.yaml": account("a"), "kept/b.yaml": account("b"), "db.example.org": stepsZone})
	server.WriteFile(t, "kept/b.yaml", "accounts: [")
	server.Eventually(t, "the broken document is refused", func() bool { return server.Scrape(t, port, "degraded")[`degraded{map="kept"}`] == 1 })
	of := func() map[string]float64 {
		out := make(map[string]float64)
		for name, v := range server.Scrape(t, port) {
			if strings.Contains(name, `map="kept"`) && (strings.HasPrefix(name, "info{") || strings.HasPrefix(name, "entries{")) {
				out[name] = v
			}
		}
		return out
	}
	want := of()
	if want[`entries{kind="accounts",map="kept"}`] != 2 {
		t.Fatalf("got %v", want)
	}
	if err := c.Restart(server.Failing(corefile)); err == nil {
		t.Fatal("it loads")
	}
	if got := of(); !maps.Equal(got, want) {
		t.Errorf("after a Corefile that failed the metrics are %v, were %v", got, want)
	}
}

// A state that cannot be used stops no start with a good map: degraded is 1 until it
// can be, and no load is counted for that.
func TestState_Degraded(t *testing.T) {
	const name = "stateless.yaml" // counters are those of the process
	g := guard(t, name, map[string]string{name: shopMap, "kept": "a file, no directory"}, "state kept")
	if got := g.addresses("www.example.org."); got != "203.0.113.10" || g.metric("degraded", "") != 1 {
		t.Errorf("started with %q, degraded %v", got, g.metric("degraded", ""))
	}
	if said := g.Log.Complaints(); len(said) != 1 {
		t.Errorf("want one error, got %q", said)
	}
	if err := os.Remove("kept"); err != nil {
		t.Fatal(err)
	}
	server.Eventually(t, "the state is written", func() bool { return g.metric("degraded", "") == 0 })
	for series, n := range server.Scrape(t, g.port, "reloads_total") {
		if strings.Contains(series, name) && (n != 1 || !strings.Contains(series, `result="ok"`)) {
			t.Errorf("%s is %v, want one load, ok", series, n)
		}
	}
}
