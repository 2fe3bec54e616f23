package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// tooLong is much longer than a shutdown takes, and much shorter than the tests below
// make one take that waits for everybody.
const tooLong = 30 * time.Second

// endsInTime starts a server, makes a new map come into force, and shuts the server
// down as SIGTERM does once the new map has made somebody wait.
func endsInTime(t *testing.T, corefile string, files map[string]string, changed string, waits func()) {
	server.Place(t, files)
	c := server.New(t)
	if err := c.Begin(corefile); err != nil {
		t.Fatal(err)
	}
	server.WriteFile(t, "maps.yaml", changed)
	waits()
	ended := make(chan error, 1)
	begin := time.Now()
	go func() { ended <- c.Shutdown() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("shutting down: %v", err)
		}
		t.Logf("shut down after %v", time.Since(begin).Round(100*time.Millisecond))
	case <-time.After(tooLong):
		t.Fatalf("still running %v after it was told to end\n%s", tooLong, c.Log)
	}
}

// Who the plugin asks and tells on its own when a map changes may be dead. Each of 40
// zones takes forward four seconds, and each of 20 secondaries takes transfer six.
func TestLifeCycle_Shutdown(t *testing.T) {
	t.Run("forward to a port that never answers", func(t *testing.T) {
		dead := server.ListenSilently(t)
		const corefile = `. {
    addressmap maps.yaml {
        reload 100ms
    }
    transfer {
        to *
    }
    forward . %s
}
`
		manyZones := func(anycast string) string {
			var b strings.Builder
			fmt.Fprintf(&b, "anycast: [%s]\naccounts:\n  - id: acme\n    zones:\n", anycast)
			for i := range 40 {
				fmt.Fprintf(&b, "      - {name: z%d.example, proxied: [www]}\n", i)
			}
			return b.String()
		}
		endsInTime(t, fmt.Sprintf(corefile, dead.Addr), map[string]string{"maps.yaml": manyZones("192.0.2.1")}, manyZones("192.0.2.2"),
			func() {
				// Its own questions forward sends as datagrams.
				dead.Until(t, "a question about a zone", func(m *dns.Msg) bool { return m == nil })
			})
	})
	t.Run("secondaries that never answer", func(t *testing.T) {
		var to []string
		var last *server.Silence
		for range 20 {
			last = server.ListenSilently(t)
			to = append(to, last.Addr)
		}
		files := map[string]string{"maps.yaml": server.Version(1), "db.example.org": server.ReloadFiles["db.example.org"]}
		corefile := strings.Replace(server.CorefileOf(files), "{\n", "{\n    transfer {\n        to "+last.Addr+" "+strings.Join(to, " ")+"\n    }\n", 1)
		endsInTime(t, corefile, files, server.Version(2), func() {
			for range 4 { // Three are of file, which tells of its zones at the start.
				last.Until(t, "a NOTIFY", func(m *dns.Msg) bool { return m != nil && m.Opcode == dns.OpcodeNotify })
			}
		})
	})
}
