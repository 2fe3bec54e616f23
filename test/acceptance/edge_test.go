package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// addressmap builds cmd/addressmap, once for all tests.
var addressmap = sync.OnceValues(func() (string, error) {
	output := filepath.Join(binaries, "addressmap")
	return output, command("go", "build", "-o", output, "./cmd/addressmap")
})

// edge is the running example examples/edge.
type edge struct {
	dir      string // a copy of the example
	ca       string // file of the authority's certificate
	doh, tls string // ports
	log      *logBuffer
}

// startEdge starts a copy of the example by its own script and waits until it
// answers. It is stopped when the test ends.
func startEdge(t *testing.T) *edge {
	t.Helper()
	needs(t, map[string]string{"nginx": "nginx", "curl": "curl", "openssl": "openssl", "bash": "bash"})
	server, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	e := &edge{dir: filepath.Join(top, "edge"), ca: filepath.Join(top, "ca.pem"), log: new(logBuffer)}
	if err := os.CopyFS(e.dir, os.DirFS(filepath.Join(repository, "examples/edge"))); err != nil {
		t.Fatal(err)
	}
	e.doh, e.tls = freePort(t), freePort(t)
	cmd := exec.Command("bash", filepath.Join(e.dir, "edge.sh"))
	cmd.Env = append(os.Environ(), "COREDNS="+server, "ADDRESSMAP="+tool, "CA_FILE="+e.ca,
		"DNS_PORT="+freePort(t), "DOH_PORT="+e.doh, "TLS_PORT="+e.tls, "ORIGIN_PORT="+freePort(t))
	cmd.Stdout, cmd.Stderr = e.log, e.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("the edge did not end when told to:\n%s", e.log)
		}
	})
	e.await(t, "www.example.org", "origin one", "127.0.1.10")
	return e
}

// get fetches a name's page as a client does that resolves through our DNS: over
// HTTPS, for that is how curl can be told whom to ask. It returns what the origin
// said, and the address that it was reached at.
func (e *edge) get(name string) (page, address string, err error) {
	out, err := exec.Command("curl", "--silent", "--show-error", "--fail", "--max-time", "10", "--cacert", e.ca,
		"--doh-url", "https://127.0.0.1:"+e.doh+"/dns-query", "--write-out", "%{remote_ip}", "https://"+name+":"+e.tls+"/").CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("curl %s: %w: %s", name, err, out)
	}
	page, address, _ = strings.Cut(string(out), "\n")
	return page, address, nil
}

// await fetches until the page comes, at that address.
func (e *edge) await(t *testing.T, name, page, address string) {
	t.Helper()
	begin := time.Now()
	for {
		gotPage, gotAddress, err := e.get(name)
		switch {
		case err == nil && gotPage == page && gotAddress == address:
			t.Logf("%s: %q at %s after %s", name, page, address, time.Since(begin).Round(time.Millisecond))
			return
		case time.Since(begin) > patience:
			t.Fatalf("want %q of %s at %s, got %q at %s, %v\n%s", page, name, address, gotPage, gotAddress, err, e.log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A client reaches the right origin at the right mapped address, for a zone map,
// an account map and anycast.
func TestEdge_Requests(t *testing.T) {
	e := startEdge(t)
	for _, tc := range []struct{ name, page, address string }{
		{"www.example.org", "origin one", "127.0.1.10"},        // zone map
		{"boots.shop.example.org", "origin one", "127.0.1.10"}, // a wildcard's CNAME
		{"www.example.net", "origin two", "127.0.1.80"},        // account map
		{"www.example.com", "origin two", "127.0.3.1"},         // anycast
	} {
		page, address, err := e.get(tc.name)
		t.Logf("%s: %q at %s", tc.name, page, address)
		if err != nil || page != tc.page || address != tc.address {
			t.Errorf("want %q of %s at %s, got %q at %s, %v", tc.page, tc.name, tc.address, page, address, err)
		}
	}
	// Each worker of nginx takes turns by itself, and a reload starts new ones: that each
	// of the first requests is some worker's first is no mistake.
	seen := make(map[string]bool)
	for begin := time.Now(); len(seen) < 2; {
		page, _, err := e.get("both.example.org")
		if err != nil {
			t.Fatal(err)
		}
		seen[page] = true
		if time.Since(begin) > patience {
			t.Fatalf("want both origins of both.example.org, got %v", seen)
		}
	}
}

var subject = regexp.MustCompile(`(?m)^subject=CN = (.*)$`)

// A connection without SNI gets the certificate of its map's default_sni.
func TestEdge_WithoutSNI(t *testing.T) {
	e := startEdge(t)
	for address, want := range map[string]string{
		"127.0.1.10": "*.example.org",
		"127.0.1.11": "shop.example.org", // on a disabled map: that is for the DNS alone
		"127.0.1.80": "www.example.net",
		"127.0.3.1":  "edge.invalid", // anycast has no map
	} {
		out, err := exec.Command("openssl", "s_client", "-connect", address+":"+e.tls, "-noservername").CombinedOutput()
		m := subject.FindSubmatch(out)
		if err != nil || m == nil || string(m[1]) != want {
			t.Errorf("want the certificate of %s at %s, got %v\n%s", want, address, err, out)
			continue
		}
		t.Logf("%s: %s", address, m[1])
	}
}

// storefront is what stands between the two maps' "enabled" in the example.
const storefront = `        default_sni: "*.example.org"
        ips: [127.0.1.10]
        memberships: [{kind: zone, identifier: example.org}]
      - id: storefront-to-be
        `

// An edit of the map moves a name to another address, and one of the zone file
// to another origin, and no client notices.
func TestEdge_Move(t *testing.T) {
	e := startEdge(t)
	quit := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	requests := 0
	for range 2 {
		clients.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
				}
				_, _, err := e.get("www.example.org")
				mu.Lock()
				requests++
				if err != nil {
					failed = append(failed, err)
				}
				mu.Unlock()
			}
		})
	}
	stop := sync.OnceFunc(func() { close(quit); clients.Wait() })
	defer stop()

	s := &server{dir: e.dir}
	const first, second = "enabled: true\n" + storefront + "enabled: false\n", "enabled: false\n" + storefront + "enabled: true\n"
	for range 3 {
		s.edit(t, edit{"maps.yaml", first, second})
		e.await(t, "www.example.org", "origin one", "127.0.1.11")
		s.edit(t, edit{"maps.yaml", second, first})
		e.await(t, "www.example.org", "origin one", "127.0.1.10")
	}
	s.edit(t, edit{"maps.yaml", first, second})
	e.await(t, "www.example.org", "origin one", "127.0.1.11")

	s.edit(t, edit{"db.example.org", "www     IN A     127.0.2.1", "www     IN A     127.0.2.2"})
	e.await(t, "www.example.org", "origin two", "127.0.1.11")

	// An address that is new to the edge too: bound first, then answered.
	s.edit(t, edit{"maps.yaml", "ips: [127.0.1.10]", "ips: [127.0.1.12]"})
	e.awaitBound(t, "127.0.1.12", "*.example.org")

	stop()
	t.Logf("%d requests meanwhile, %d failed", requests, len(failed))
	if len(failed) > 0 || requests == 0 {
		t.Errorf("want every request answered, of %d failed %v", requests, failed)
	}
}

// awaitBound connects until the edge has a certificate at an address.
func (e *edge) awaitBound(t *testing.T, address, name string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		out, _ := exec.Command("openssl", "s_client", "-connect", address+":"+e.tls, "-noservername").CombinedOutput()
		if m := subject.FindSubmatch(out); m != nil && string(m[1]) == name {
			return
		}
	}
	t.Fatalf("want the certificate of %s at %s\n%s", name, address, e.log)
}
