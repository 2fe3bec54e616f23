package addressmap

import (
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
)

func TestServeStale(t *testing.T) {
	for lines, want := range map[string]time.Duration{
		"":                               0,
		"cache":                          0,
		"cache serve_stale.example {\n}": 0,
		"cache {\n serve_stale\n}":       time.Hour,
		"cache 30 example.org {\n success 5\n serve_stale 2m\n}":  2 * time.Minute,
		"cache {\n serve_stale 2m immediate 10s\n servfail 1s\n}": 2 * time.Minute,
		"cache {\n disable success serve_stale\n}":                0,
	} {
		blocks, err := caddyfile.Parse("Testfile", strings.NewReader(". {\n"+lines+"\n}\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := serveStale("Testfile", blocks[0].Tokens["cache"]); got != want {
			t.Errorf("%q: got %v, want %v", lines, got, want)
		}
	}
}
