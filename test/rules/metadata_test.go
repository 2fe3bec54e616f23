package rules

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// The labels of the metadata plugin tell which decision answered a query, to
// whoever prints them afterwards.
func TestMetadata_InTheLog(t *testing.T) {
	c := server.Start(t, stepsZones+` {
		metadata
		log . "said {name} {type} proxied={/addressmap/proxied} step={/addressmap/step} map={/addressmap/map} account={/addressmap/account} zone={/addressmap/zone}"
		`+stepsBlock+"\n}\n", map[string]string{"maps.yaml": stepsMap, "db": stepsZone})
	for _, q := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"www.example.org.", dns.TypeA, "proxied=true step=zone map=of-zone account=acme zone=example.org."},
		{"www.account.example.", dns.TypeAAAA, "proxied=true step=account map=of-account account=acme zone=account.example."},
		{"www.anycast.example.", dns.TypeA, "proxied=true step=anycast map= account=other zone=anycast.example."},
		{"app.example.org.", dns.TypeA, "proxied=true step=spectrum map= account=acme zone=example.org."},
		{"www.none.example.", dns.TypeA, "proxied=true step=none map= account=floor zone=none.example."},
		{"plain.example.org.", dns.TypeA, "proxied=false step=none map= account=acme zone=example.org."},
		// What was answered decides: the name that the alias leads to, and
		// whether the wildcard's mark covers the name.
		{"alias.example.org.", dns.TypeA, "proxied=true step=zone map=of-zone account=acme zone=example.org."},
		{"any.wild.anycast.example.", dns.TypeA, "proxied=true step=anycast map= account=other zone=anycast.example."},
		{"own.wild.anycast.example.", dns.TypeA, "proxied=false step=none map= account=other zone=anycast.example."},
	} {
		c.Lookup(t, q.name, q.qtype)
		var lines []string
		// The line is written after the answer has left.
		server.Eventually(t, "a line about "+q.name, func() bool {
			lines = c.Log.Lines("said " + q.name + " ")
			return len(lines) > 0
		})
		if len(lines) != 1 || !strings.HasSuffix(lines[0], q.want) {
			t.Errorf("%s: got %q\nwant %s", q.name, lines, q.want)
		}
	}
}

// A view decides by the labels before the query gets to the plugin.
func TestMetadata_InAView(t *testing.T) {
	c := server.Start(t, `
example.org {
	metadata
	view proxied {
		expr metadata('addressmap/proxied') == 'true' && metadata('addressmap/account') == 'acme'
	}
	addressmap maps.yaml
	file db
}
example.org {
	template IN TXT {
		answer "{{ .Name }} 60 IN TXT \"not proxied\""
	}
}
`, map[string]string{"maps.yaml": stepsMap, "db": stepsZone + "www IN TXT \"proxied\"\nplain IN TXT \"not here\"\n"})
	for name, want := range map[string]string{"www.example.org.": `"proxied"`, "plain.example.org.": `"not proxied"`} {
		if got := server.Printed(c.Lookup(t, name, dns.TypeTXT), nil); !strings.Contains(got, want) {
			t.Errorf("%s: got %s\nwant %s", name, got, want)
		}
	}
}
