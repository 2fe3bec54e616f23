package server

import (
	"errors"
	"io"
	golog "log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/ports"
)

// Patience is how long a test waits for what it expects before it fails.
const Patience = time.Minute

// Server is a CoreDNS that runs in this process.
type Server struct {
	Instance *caddy.Instance
	Port     string // of the server blocks that name none
	Log      *Log
}

// oneReload is locked while an instance starts or stops: a process of CoreDNS does one
// of that at a time.
var oneReload sync.Mutex

// New returns a server that has not begun. What this process logs goes to its Log until
// the test ends.
func New(t testing.TB) *Server {
	s := &Server{Log: new(Log)}
	golog.SetOutput(s.Log)
	t.Cleanup(func() { golog.SetOutput(io.Discard) })
	return s
}

// Begin starts CoreDNS. Its port is known to be free: CoreDNS shares ports, and with
// port 0 the system would now and then choose that of another server, or of a client.
func (s *Server) Begin(corefile string) error {
	var err error
	if s.Port, err = ports.Free(); err != nil {
		return err
	}
	oneReload.Lock()
	defer oneReload.Unlock()
	dnsserver.Port = s.Port
	s.Instance, err = caddy.Start(input(corefile))
	return err
}

// Place makes a working directory that holds files, until the test ends.
func Place(t testing.TB, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		WriteFile(t, name, text)
	}
}

// Start starts CoreDNS from the text of a Corefile in a working directory that
// holds files; in the one that there is, if files is nil. It is stopped when the
// test ends.
func Start(t testing.TB, corefile string, files map[string]string) *Server {
	t.Helper()
	s, err := TryStart(t, corefile, files)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log)
	}
	return s
}

// TryStart is [Start] for a Corefile that may be refused.
func TryStart(t testing.TB, corefile string, files map[string]string) (*Server, error) {
	t.Helper()
	if files != nil {
		Place(t, files)
	}
	s := New(t)
	if err := s.Begin(corefile); err != nil {
		return s, err
	}
	t.Cleanup(func() { s.Stop(t) })
	return s, nil
}

func input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Contents: []byte(corefile), Filepath: "Corefile", ServerTypeName: "dns"}
}

// Stop stops the server, and fails the test if that fails.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// Close stops the server.
func (s *Server) Close() error {
	oneReload.Lock()
	defer oneReload.Unlock()
	return errors.Join(append([]error{s.Instance.Stop()}, s.Instance.ShutdownCallbacks()...)...)
}

// Shutdown ends the server as the signal SIGTERM does.
func (s *Server) Shutdown() error {
	oneReload.Lock()
	defer oneReload.Unlock()
	return errors.Join(append(s.Instance.ShutdownCallbacks(), s.Instance.Stop())...)
}

// Restart loads another Corefile, as the signal SIGUSR1 does. If that fails, the
// server goes on as it was.
func (s *Server) Restart(corefile string) error {
	oneReload.Lock()
	defer oneReload.Unlock()
	dnsserver.Port = s.Port
	next, err := s.Instance.Restart(input(corefile))
	s.Instance = next
	return err
}

// Addr returns the address of the first server, "udp" or "tcp".
func (s *Server) Addr(network string) string {
	first := s.Instance.Servers()[0]
	port := ""
	if network == "udp" {
		_, port, _ = net.SplitHostPort(first.LocalAddr().String())
	} else {
		_, port, _ = net.SplitHostPort(first.Addr().String())
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// Ask sends a message to the server and returns what comes back. A datagram
// that was lost is sent again.
func (s *Server) Ask(t testing.TB, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: Patience, UDPSize: dns.MaxMsgSize}
	resp, _, err := client.Exchange(m, s.Addr(network))
	if err != nil {
		t.Fatalf("%v over %s: %v\n%s", m.Question, network, err, s.Log)
	}
	return resp
}

// Lookup asks for one name and type over UDP.
func (s *Server) Lookup(t testing.TB, name string, qtype uint16) *dns.Msg {
	t.Helper()
	return s.Ask(t, "udp", new(dns.Msg).SetQuestion(name, qtype))
}

// WriteFile writes a file as careful programs do: it renames a new file over the old one.
func WriteFile(t testing.TB, path, text string) {
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

// Eventually waits until ok returns true.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
