package upgrades

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

// A state of a later version is said, and left as it is; the server answers by the files.
func TestLater_State(t *testing.T) {
	for name, change := range map[string]func(body string) string{
		"another format": func(body string) string { return strings.Replace(body, "state 1\n", "state 2\n", 1) },
		"another line":   func(body string) string { return body + "color 1 \"red\"\n" },
	} {
		t.Run(name, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, dir string) {
				placeState(t, dir)
				own := stateOf(t, "maps")
				for _, copied := range []string{"manifest", "manifest.copy"} {
					editManifest(t, filepath.Join(own, copied), change)
				}
				before := files(t, own)
				s := server.New(t)
				must(t, s.Begin(read(t, "Corefile")))
				hold(t, s, dir, false, "answers")
				if lines := s.Log.Lines("a later version of this program wrote it: use that, or give this one another directory"); len(lines) != 1 || !strings.Contains(lines[0], own) {
					t.Errorf("want it said once, with the place, got %q", lines)
				}
				must(t, s.Close())
				if !maps.Equal(files(t, own), before) {
					t.Error("the state is not as it was")
				}
			})
		})
	}
}

// laterLine is what only a later version can read, in a document or a file of drains.
const laterLine = "\ncolor: red\n"

// A document that a later version has accepted, on disk and in the state, and this one cannot
// read: its names are closed and the place is said, the others are answered, and when the
// later version is back all is as it was. The serials have gone on.
func TestLater_Key(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		placeState(t, dir)
		document := read(t, "maps/acme.yaml")
		makeLater(t, "maps/acme.yaml")
		s := server.New(t)
		must(t, s.Begin(read(t, "Corefile")))
		for name, want := range map[string]string{"www.example.org.": "SERVFAIL", "www.example.net.": "NOERROR 203.0.113.130"} {
			if got := s.AddressesOf(t, name); got != want {
				t.Errorf("%s: want %q, got %q", name, want, got)
			}
		}
		wantSaid(t, s, "maps/acme.yaml", `unknown key "color"`, "the last good version of")
		must(t, s.Close())
		if read(t, "maps/acme.yaml") != document+laterLine {
			t.Error("the document is not as it was")
		}
		server.WriteFile(t, "maps/acme.yaml", document)
		s = begin(t, read(t, "Corefile"))
		hold(t, s, dir, false, "answers")
		soa, _ := s.Lookup(t, "example.org.", dns.TypeSOA).Answer[0].(*dns.SOA)
		if soa == nil || soa.Serial < 102 {
			t.Errorf("want a serial that is not below the 102 that clients have seen: %v", soa)
		}
	})
}

// Where nothing else is in force, the server does not start, and the state stays as it is.
func TestLater_OnlyDocument(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		corefile := strings.Replace(read(t, "Corefile"), "addressmap maps ", "addressmap maps/base.yaml ", 1)
		s := server.New(t)
		must(t, s.Begin(corefile))
		must(t, s.Close())
		makeLater(t, "maps/base.yaml")
		before := files(t, stateOf(t, "maps/base.yaml"))
		s = server.New(t)
		if err := s.Begin(corefile); err == nil || !strings.Contains(err.Error(), `unknown key "color"`) {
			t.Errorf("want the key said, got %v", err)
		}
		if !maps.Equal(files(t, stateOf(t, "maps/base.yaml")), before) {
			t.Error("the state is not as it was")
		}
	})
}

// The same of a file of drains: its addresses are answered, that is said, and they are drained
// again when the later version is back.
func TestLater_Drains(t *testing.T) {
	eachVersion(t, func(t *testing.T, dir string) {
		placeState(t, dir)
		text := read(t, "drains/ana.yaml")
		makeLater(t, "drains/ana.yaml")
		s := server.New(t)
		must(t, s.Begin(read(t, "Corefile")))
		if got, want := s.AddressesOf(t, "www.example.org."), "NOERROR 203.0.113.10 203.0.113.11"; got != want {
			t.Errorf("want %q, got %q", want, got)
		}
		wantSaid(t, s, "drains/ana.yaml is not in force", `unknown key "color"`, "the last good drains of")
		must(t, s.Close())
		if read(t, "drains/ana.yaml") != text+laterLine {
			t.Error("the file is not as it was")
		}
		server.WriteFile(t, "drains/ana.yaml", text)
		hold(t, begin(t, read(t, "Corefile")), dir, false, "answers")
	})
}

// A head of a later version in etcd: that is said, and the documents are answered.
func TestLater_Head(t *testing.T) {
	cluster := etcd.Start(t, 1)
	client := cluster.Client()
	eachVersion(t, func(t *testing.T, dir string) {
		_, err := client.Delete(t.Context(), string(etcdMap), clientv3.WithPrefix())
		must(t, err)
		putKeys(t, client, dir)
		const later = `{"push":100,"digest":"d","split":2}`
		_, err = client.Put(t.Context(), etcdMap.Head(), later)
		must(t, err)
		t.Setenv("ENDPOINT", cluster.Endpoints()[0])
		s := begin(t, read(t, "Corefile.etcd"))
		hold(t, s, dir, false, "answers")
		wantSaid(t, s, `unknown field "split": a later version of this program has pushed: use that`)
		resp, err := client.Get(t.Context(), etcdMap.Head())
		if err != nil || string(resp.Kvs[0].Value) != later {
			t.Errorf("want the head as it was, got %v, %v", resp, err)
		}
	})
}

// makeLater adds a line to a file, and to what the state has of it.
func makeLater(t *testing.T, path string) {
	t.Helper()
	text := read(t, path)
	was, sum := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(text+laterLine))
	server.WriteFile(t, path, text+laterLine)
	manifests, err := filepath.Glob("state/*/manifest*")
	must(t, err)
	for _, manifest := range manifests {
		server.WriteFile(t, fmt.Sprintf("%s/blobs/%x/%x", filepath.Dir(manifest), sum[:1], sum), text+laterLine)
		editManifest(t, manifest, func(body string) string {
			return strings.ReplaceAll(body, fmt.Sprintf("%x", was), fmt.Sprintf("%x", sum))
		})
	}
}

// wantSaid wants texts in the log.
func wantSaid(t *testing.T, s *server.Server, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.Log.String(), text) {
			t.Errorf("want %q said, got\n%s", text, s.Log)
		}
	}
}

// editManifest changes what is in a manifest, and gives it its checksum.
func editManifest(t *testing.T, path string, change func(body string) string) {
	t.Helper()
	body, _, found := strings.Cut(read(t, path), "sha256 ")
	if !found {
		t.Fatalf("%s has no checksum", path)
	}
	server.WriteFile(t, path, sealed(change(body)))
}
