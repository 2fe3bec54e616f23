package addressmap

import (
	"bytes"
	"io"
	golog "log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/ports"
)

// patience is how long a test waits for what it expects before it fails.
const patience = time.Minute

// chain is a CoreDNS that runs in this process.
type chain struct {
	instance *caddy.Instance
	port     string // of the server blocks that name none
	log      *logBuffer
}

// oneReload is held while an instance starts or stops: a process of CoreDNS has one
// of them at a time.
var oneReload sync.Mutex

// begin starts CoreDNS. Its port is known to be free: CoreDNS shares ports, and with
// port 0 the system would now and then choose that of another server, or of a client.
func (c *chain) begin(corefile string) error {
	var err error
	if c.port, err = ports.Free(); err != nil {
		return err
	}
	oneReload.Lock()
	defer oneReload.Unlock()
	dnsserver.Port = c.port
	c.instance, err = caddy.Start(input(corefile))
	return err
}

// place makes a working directory that holds files, until the test ends.
func place(t testing.TB, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		write(t, name, text)
	}
}

// start starts CoreDNS from the text of a Corefile in a working directory that
// holds files; in the one that there is, if files is nil. It is stopped when the
// test ends.
func start(t testing.TB, corefile string, files map[string]string) *chain {
	t.Helper()
	c, err := tryStart(t, corefile, files)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.log)
	}
	return c
}

// tryStart is start for a Corefile that may be refused.
func tryStart(t testing.TB, corefile string, files map[string]string) (*chain, error) {
	t.Helper()
	if files != nil {
		place(t, files)
	}
	c := &chain{log: new(logBuffer)}
	golog.SetOutput(c.log)
	t.Cleanup(func() { golog.SetOutput(io.Discard) })
	if err := c.begin(corefile); err != nil {
		return c, err
	}
	t.Cleanup(func() { c.stop(t) })
	return c, nil
}

func input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Contents: []byte(corefile), Filepath: "Corefile", ServerTypeName: "dns"}
}

func (c *chain) stop(t testing.TB) {
	t.Helper()
	oneReload.Lock()
	defer oneReload.Unlock()
	if err := c.instance.Stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	for _, err := range c.instance.ShutdownCallbacks() {
		t.Errorf("shutting down: %v", err)
	}
}

// restart loads another Corefile, as the signal SIGUSR1 does. If that fails, the
// server goes on as it was.
func (c *chain) restart(corefile string) error {
	oneReload.Lock()
	defer oneReload.Unlock()
	dnsserver.Port = c.port
	next, err := c.instance.Restart(input(corefile))
	c.instance = next
	return err
}

// addr returns the address of the first server, "udp" or "tcp".
func (c *chain) addr(network string) string {
	s := c.instance.Servers()[0]
	port := ""
	if network == "udp" {
		_, port, _ = net.SplitHostPort(s.LocalAddr().String())
	} else {
		_, port, _ = net.SplitHostPort(s.Addr().String())
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// ask sends a message to the server and returns what comes back. A datagram
// that was lost is sent again.
func (c *chain) ask(t testing.TB, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: patience, UDPSize: dns.MaxMsgSize}
	resp, _, err := client.Exchange(m, c.addr(network))
	if err != nil {
		t.Fatalf("%v over %s: %v\n%s", m.Question, network, err, c.log)
	}
	return resp
}

// lookup asks for one name and type over UDP.
func (c *chain) lookup(t testing.TB, name string, qtype uint16) *dns.Msg {
	t.Helper()
	return c.ask(t, "udp", new(dns.Msg).SetQuestion(name, qtype))
}

// write writes a file the way careful programs do: a new one renamed over the
// old.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// logBuffer gathers the log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// complaints returns the errors of the plugin. Others have theirs: file looks for
// the zone file of a server that failed to start once a minute.
func (b *logBuffer) complaints() []string { return b.lines("[ERROR] plugin/addressmap: ") }

// lines returns the lines of the log that hold text.
func (b *logBuffer) lines(text string) []string {
	var out []string
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, text) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}
