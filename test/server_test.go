package test

import (
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	// What the Corefiles of the README and the examples use.
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/root"
	_ "github.com/coredns/coredns/plugin/template"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/ports"
)

// TestMain makes this CoreDNS know addressmap.
func TestMain(m *testing.M) {
	place := slices.Index(dnsserver.Directives, "minimal") + 1
	if err := dnsserver.SetDirectives(slices.Insert(slices.Clone(dnsserver.Directives), place, "addressmap")); err != nil {
		log.Fatal(err)
	}
	dnsserver.Quiet, caddy.Quiet = true, true
	os.Exit(m.Run())
}

// written are the ports that the README and the examples write down.
var written = regexp.MustCompile(`:(1053|9153)\b`)

// start starts a server from the Corefile's text as if it stood at the top of
// the repository, on ports that are free. It is stopped when the test ends. The
// error is what an operator would see.
func start(t *testing.T, corefile string) (*caddy.Instance, error) {
	t.Helper()
	t.Chdir(repository)
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })

	chosen := make(map[string]string) // a written port → the one in its place
	contents := written.ReplaceAllFunc([]byte(corefile), func(port []byte) []byte {
		if chosen[string(port)] == "" {
			chosen[string(port)] = ":" + freePort(t)
		}
		return []byte(chosen[string(port)])
	})
	dnsserver.Port = freePort(t)
	instance, err := caddy.Start(caddy.CaddyfileInput{
		Contents:       contents,
		Filepath:       "Corefile",
		ServerTypeName: "dns",
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := instance.Stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		for _, err := range instance.ShutdownCallbacks() {
			t.Errorf("shutting down: %v", err)
		}
	})
	return instance, nil
}

func freePort(t *testing.T) string {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}
