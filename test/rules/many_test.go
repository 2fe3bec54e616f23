package rules

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/test/server"
)

// documents names the variable that says of how many documents TestLife_ManyDocuments
// makes a directory, in place of two hundred.
const documents = "ADDRESSMAP_DOCUMENTS"

// tenantDocument is a document of one account with one zone, of which www has the
// nth address of version v.
func tenantDocument(n, v int) string {
	return fmt.Sprintf(`accounts:
  - id: t%[1]d
    static_ips: [%[2]s]
    zones: [{name: t%[1]d.example, proxied: [www]}]
    address_maps: [{enabled: true, ips: [%[2]s], memberships: [{kind: account, identifier: t%[1]d}]}]
`, n, tenantAddress(n, v))
}

func tenantAddress(n, v int) string { return fmt.Sprintf("100.%d.%d.%d", 64+v, n>>8, n&255) }

// A broken document among thousands of good ones is refused by itself, and says
// so, while a change to another one comes into force.
func TestLife_ManyDocuments(t *testing.T) {
	n := 200
	if s := os.Getenv(documents); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	server.Place(t, nil)
	if err := os.Mkdir("maps", 0o777); err != nil {
		t.Fatal(err)
	}
	path := func(i int) string { return fmt.Sprintf("maps/t%05d.yaml", i) }
	for i := range n {
		if err := os.WriteFile(path(i), []byte(tenantDocument(i, 0)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	port := server.FreePort(t)
	begin := time.Now()
	corefile := fmt.Sprintf(". {\n\tprometheus 127.0.0.1:%s\n\taddressmap maps {\n\t\tstate kept\n\t}\n\ttemplate IN A {\n\t\tanswer \"{{ .Name }} 60 IN A 10.66.0.1\"\n\t}\n}\n", port)
	c := server.Start(t, corefile, nil)
	t.Logf("%d documents: started in %v, all of them kept", n, time.Since(begin).Round(time.Millisecond))
	g := &guarded{Server: c, t: t, name: "maps", port: port}
	told := func(i int) string { return g.addresses(fmt.Sprintf("www.t%d.example.", i)) }
	if got := server.Scrape(t, port)[`entries{kind="accounts",map="maps"}`]; got != float64(n) || g.metric("degraded", "") != 0 {
		t.Errorf("%v accounts in force, degraded %v", got, g.metric("degraded", ""))
	}

	bad, other := n/3, n/2
	refused := g.loads("refused")
	server.WriteFile(t, path(bad), strings.Replace(tenantDocument(bad, 1), "static_ips", "static_ipz", 1))
	server.Eventually(t, "the broken document is refused", func() bool { return g.loads("refused") > refused })
	want := path(bad) + " is refused, its last good version stays in force: " + path(bad) + `:3:5: V1: unknown key "static_ipz"`
	if got := c.Log.Complaints(); len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("log %q, want one line with %q", got, want)
	}
	t.Logf("a broken document: refused loads %v, before %v; degraded %v", g.loads("refused"), refused, g.metric("degraded", ""))
	loads := g.loads("ok")
	for v := 1; v <= 3; v++ {
		begin := time.Now()
		server.WriteFile(t, path(other), tenantDocument(other, v))
		server.Eventually(t, "a change to another account is in force", func() bool { return told(other) == tenantAddress(other, v) })
		t.Logf("a change to another account: answered %v after the rename", time.Since(begin).Round(time.Millisecond))
		server.Eventually(t, "that shows", func() bool { return g.loads("ok") >= loads+float64(v) })
		if got := told(bad); got != tenantAddress(bad, 0) || g.metric("degraded", "") != 1 {
			t.Errorf("the account of the broken document is answered %q, degraded %v", got, g.metric("degraded", ""))
		}
	}
	server.WriteFile(t, path(bad), tenantDocument(bad, 1))
	server.Eventually(t, "the mended document is in force", func() bool { return told(bad) == tenantAddress(bad, 1) && g.metric("degraded", "") == 0 })
	if got := c.Log.Complaints(); len(got) != 1 {
		t.Errorf("log %q, want one line", got)
	}
	begin = time.Now()
	if err := c.Restart(corefile); err != nil {
		t.Fatal(err)
	}
	t.Logf("the Corefile reloaded in %v", time.Since(begin).Round(time.Millisecond))
	if got := told(bad); got != tenantAddress(bad, 1) {
		t.Errorf("then the mended account is answered %q", got)
	}
	t.Logf("log:\n%s", c.Log)
}
