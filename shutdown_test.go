package addressmap

import (
	"errors"
	"fmt"
	"io"
	golog "log"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// tooLong is much longer than a shutdown takes, and much shorter than the tests below
// make one take that waits for everybody.
const tooLong = 30 * time.Second

// endsInTime starts a server, makes a new map come into force, and shuts the server
// down as SIGTERM does once the new map has made somebody wait.
func endsInTime(t *testing.T, corefile string, files map[string]string, changed string, waits func()) {
	place(t, files)
	c := &chain{log: new(logBuffer)}
	golog.SetOutput(c.log)
	t.Cleanup(func() { golog.SetOutput(io.Discard) })
	if err := c.begin(corefile); err != nil {
		t.Fatal(err)
	}
	write(t, "maps.yaml", changed)
	waits()
	ended := make(chan error, 1)
	begin := time.Now()
	go func() {
		oneReload.Lock()
		defer oneReload.Unlock()
		errs := c.instance.ShutdownCallbacks()
		ended <- errors.Join(append(errs, c.instance.Stop())...)
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("shutting down: %v", err)
		}
		t.Logf("shut down after %v", time.Since(begin).Round(100*time.Millisecond))
	case <-time.After(tooLong):
		t.Fatalf("still running %v after it was told to end\n%s", tooLong, c.log)
	}
}

// Who the plugin asks and tells on its own when a map changes may be dead. Each of 40
// zones takes forward four seconds, and each of 20 secondaries takes transfer six.
func TestLifeCycle_Shutdown(t *testing.T) {
	t.Run("forward to a port that never answers", func(t *testing.T) {
		dead := listenSilently(t)
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
		endsInTime(t, fmt.Sprintf(corefile, dead.addr), map[string]string{"maps.yaml": manyZones("192.0.2.1")}, manyZones("192.0.2.2"),
			func() {
				// Its own questions forward sends as datagrams.
				dead.until(t, "a question about a zone", func(m *dns.Msg) bool { return m == nil })
			})
	})
	t.Run("secondaries that never answer", func(t *testing.T) {
		var to []string
		var last *silence
		for range 20 {
			last = listenSilently(t)
			to = append(to, last.addr)
		}
		files := map[string]string{"maps.yaml": version(1), "db.example.org": reloadFiles["db.example.org"]}
		corefile := strings.Replace(corefileOf(files), "{\n", "{\n    transfer {\n        to "+last.addr+" "+strings.Join(to, " ")+"\n    }\n", 1)
		endsInTime(t, corefile, files, version(2), func() {
			for range 4 { // Three are of file, which tells of its zones at the start.
				last.until(t, "a NOTIFY", func(m *dns.Msg) bool { return m != nil && m.Opcode == dns.OpcodeNotify })
			}
		})
	})
}
