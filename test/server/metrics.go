package server

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/test/ports"
)

// FreePort returns a port that nobody listens at.
func FreePort(t testing.TB) string {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// Get fetches a page of a server on this machine. A server gives up a page that takes it
// five seconds, as beside much else, and closes the connection: it is asked again.
func Get(t testing.TB, port, path string) (status int, body string) {
	t.Helper()
	Eventually(t, "the page "+path, func() bool {
		resp, err := http.Get("http://127.0.0.1:" + port + path)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		page, err := io.ReadAll(resp.Body)
		status, body = resp.StatusCode, string(page)
		return err == nil
	})
	return status, body
}

// Scrape returns the metrics of addressmap as Prometheus gets them, by name and labels:
// all, or only those of some names. All of them are those of each server that the tests
// have started so far, and take a while.
func Scrape(t testing.TB, port string, names ...string) map[string]float64 {
	t.Helper()
	const prefix = "coredns_addressmap_"
	query := make(url.Values)
	for _, name := range names {
		query.Add("name[]", prefix+name)
	}
	_, page := Get(t, port, "/metrics?"+query.Encode())
	out := make(map[string]float64)
	for line := range strings.Lines(page) {
		name, wanted := strings.CutPrefix(strings.TrimSpace(line), prefix)
		i := strings.LastIndexByte(name, ' ')
		if !wanted || i < 0 {
			continue
		}
		v, err := strconv.ParseFloat(name[i+1:], 64)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		out[name[:i]] = v
	}
	return out
}
