package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWho_Server: a server is asked which content it has in force, and another one is said.
func TestWho_Server(t *testing.T) {
	path := filepath.Join(t.TempDir(), "maps.yaml")
	text := []byte("anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]\n")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	ours := fmt.Sprintf(infoMetric+`{map="/etc/\"maps\".yaml",sha256="%x"} 1`, sha256.Sum256(text))
	other := infoMetric + `{map="etc\n",sha256="` + strings.Repeat("ab", 32) + `"} 1`
	for name, c := range map[string]struct {
		status  int
		page    string
		want    string // of the output or the error
		failure error
	}{
		"same":            {200, "# HELP x\n" + other + "\n" + ours + "\n", `, as /etc/"maps".yaml`, nil},
		"another":         {200, other + "\n", "NOT in force at ", status(exitRefused)},
		"its name":        {200, other + "\n", `  abababababab… of etc\n`, status(exitRefused)},
		"none":            {200, "coredns_build_info 1\n", "no map is in force there, or it is another server", errors.New("")},
		"not found":       {404, "", "404 Not Found: write the URL of its metrics", errors.New("")},
		"no metrics":      {200, infoMetric + "{map=1} 1\n", "no labels as Prometheus writes them", errors.New("")},
		"without labels":  {200, infoMetric + "{", "NOT in force", status(exitRefused)},
		"half a line":     {200, infoMetric + `{map="`, "no labels as Prometheus writes them", errors.New("")},
		"a line too long": {200, strings.Repeat("x", 2<<20), "token too long", errors.New("")},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/metrics" {
					t.Errorf("asked for %s", r.URL)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.page)
			}))
			defer server.Close()
			var out bytes.Buffer
			root := newRoot()
			root.SetOut(&out)
			root.SetErr(&out)
			root.SetArgs([]string{"who", "192.0.2.1", path, "--server", strings.TrimPrefix(server.URL, "http://")})
			err := root.Execute()
			var s status
			switch {
			case (err == nil) != (c.failure == nil), errors.As(c.failure, &s) != errors.As(err, &s):
				t.Errorf("got %v, want %v", err, c.failure)
			case err != nil:
				fmt.Fprint(&out, err)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("want %q in\n%s", c.want, &out)
			}
		})
	}
}

func TestMetricsURL(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.53": "http://192.0.2.53:9153/metrics", "ns1.example.org:9999": "http://ns1.example.org:9999/metrics",
		"http://[2001:db8::1]/": "http://[2001:db8::1]:9153/metrics", "https://m.example.org/x": "https://m.example.org/x",
		"ftp://192.0.2.1": "", "http://": "", "http://a b": "", "http://192.0.2.1:x": "",
	} {
		switch got, err := metricsURL(text); {
		case want == "" && err == nil, want != "" && (err != nil || got.String() != want):
			t.Errorf("%s: got %v, %v, want %q", text, got, err, want)
		}
	}
}

// TestWho_ServerPassword: a password in the URL is not printed, whatever goes wrong.
func TestWho_ServerPassword(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hush" {
			t.Errorf("got the password %q", password)
		}
		switch r.URL.Path {
		case "/other":
			fmt.Fprintln(w, infoMetric+`{map="m",sha256="0"} 1`)
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		case "/bad":
			fmt.Fprintln(w, infoMetric+`{map}`)
		}
	}))
	host := strings.TrimPrefix(server.URL, "http://")
	for _, u := range []string{"http://me:hush@" + host + "/other", "http://me:hush@" + host + "/gone", "http://me:hush@" + host + "/bad",
		"http://me:hush@" + host + "/none", "ftp://me:hush@" + host, "http://me:hush@" + host + "x/", "http://me:hush@ho st/"} {
		s, err := inForceAt(u)
		if text := fmt.Sprint(s, err); strings.Contains(text, "hush") || strings.HasSuffix(u, "/other") && s == nil {
			t.Errorf("%s: %s", u, text)
		}
	}
	server.Close()
	if _, err := inForceAt("http://me:hush@" + host); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a server that is away: %v", err)
	}
}

// FuzzReadInfo: whatever a server says, it is read or refused.
func FuzzReadInfo(f *testing.F) {
	for _, s := range []string{infoMetric + `{map="a",sha256="b"} 1`, infoMetric + `{sha256="b", map="\"\\\n"} 1`, infoMetric + "{", infoMetric + `{map="a"`, infoMetric + `{=""`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		found, err := readInfo(bytes.NewReader(page))
		if n := bytes.Count(page, []byte(infoMetric)); err == nil && len(found) > n || slices.ContainsFunc(found, func(c contentOf) bool { return len(c.Map) > 4*len(page) }) {
			t.Errorf("%q: %v, %v", page, found, err)
		}
	})
}
