package book

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/test/server"
)

// The book of behaviour: what a client is told, rule by rule. Each archive of
// testdata/answer starts a CoreDNS and holds a dialogue with it.
//
//	Corefile   absent: addressmap maps.yaml, and file for each zone file
//	maps.yaml  the map
//	drains.yaml a file of drains
//	db.ZONE    zone files
//	dialogue   questions and what is said to them, see [server.Dialogue]
//	upstream   a dialogue: what a server at {$UPSTREAM} answers
//	keys       zones for which there is a key KZONE, for the plugin dnssec
//	signed     zones of which the zone file is signed before it is served
//	log        texts that are logged, one a line, each exactly once
//	no-log     texts that are not logged
//
// In a Corefile, {$SILENT} is the address of a server that never answers, and
// must never be asked.
//
// Addresses tell what they are: 192.0.2.0/24 and 2001:db8::/48 are the edge's,
// 198.51.100.0/24 and 2001:db8:5::/48 the backend's own, and everything in
// 10.66.0.0/16 or 2001:db8:66::/48, and every name with "hidden" in it, is
// origin data: no response may hold it.
func book(t *testing.T, pattern string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "answer", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archive %s: %v", pattern, err)
	}
	for _, path := range paths {
		path, err := filepath.Abs(path) // a server changes the working directory
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { read(t, path) })
	}
}

// read holds the dialogue of one archive.
func read(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(archive.Comment)) == "" {
		t.Error("the archive does not say what it is about")
	}
	files := make(map[string]string)
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	silent := server.ListenSilently(t)
	t.Setenv("SILENT", silent.Addr)
	t.Setenv("UPSTREAM", server.ListenScripted(t, server.ParseDialogue(files["upstream"])))
	server.Place(t, files)
	for _, zone := range strings.Fields(files["keys"]) {
		server.NewKey(t, zone)
	}
	for _, zone := range strings.Fields(files["signed"]) {
		server.SignFile(t, "db."+zone, zone)
	}
	c := server.Start(t, server.CorefileOf(files), nil)
	keys := c.Keyring(t, len(files["keys"]) > 0)
	d := server.ParseDialogue(files["dialogue"])
	for i := range d {
		if d[i].Question == "" {
			continue
		}
		got := say(t, c, d[i].Question, keys)
		if *update {
			d[i].Want = got
		} else if got != d[i].Want {
			t.Errorf("> %s\ngot:\n%s\nwant:\n%s", d[i].Question, got, d[i].Want)
		}
	}
	if n := silent.Times(); n > 0 {
		t.Errorf("the server that never answers was asked %d times", n)
	}
	for want := range strings.Lines(files["log"]) {
		if lines := c.Log.Lines(strings.TrimSpace(want)); len(lines) != 1 {
			t.Errorf("want once in the log: %sgot %q of\n%s", want, lines, c.Log)
		}
	}
	for unwanted := range strings.Lines(files["no-log"]) {
		if lines := c.Log.Lines(strings.TrimSpace(unwanted)); len(lines) > 0 {
			t.Errorf("this should not be logged: %q", lines)
		}
	}
	if *update {
		rewrite(t, path, archive, d)
	}
}

// say asks one question of a dialogue and returns what was said. What holds for
// every response is checked on the way: it is the response to this question, it
// is the same when asked again and over TCP, and it holds no origin data.
func say(t *testing.T, c *server.Server, text string, keys *server.Keyring) string {
	t.Helper()
	q, err := server.ParseQuestion(text)
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	var m *dns.Msg
	for _, network := range []string{"udp", "tcp", "udp", "tcp"} {
		resp := c.Ask(t, network, q.Msg)
		if resp.Id != q.Msg.Id || !resp.Response || resp.Opcode != q.Msg.Opcode || !slices.Equal(resp.Question, q.Msg.Question) || resp.RecursionDesired != q.Msg.RecursionDesired || resp.CheckingDisabled != q.Msg.CheckingDisabled {
			t.Errorf("> %s\nis no response to it:\n%s", text, resp)
		}
		if (resp.IsEdns0() != nil) != (q.Msg.IsEdns0() != nil) {
			t.Errorf("> %s\nEDNS does not fit:\n%s", text, resp)
		}
		server.NoOriginData(t, resp)
		got := server.Printed(resp, keys.Verdict)
		if before, ok := said[network]; ok && got != before {
			t.Errorf("> %s\nasked again over %s:\n%s\nbefore:\n%s", text, network, got, before)
		}
		said[network] = got
		if network == q.Network {
			m = resp
		}
		if keys.Strict && network == q.Network {
			keys.Validate(resp)
		}
	}
	if said["udp"] != said["tcp"] && !strings.Contains(strings.SplitN(said["udp"], "\n", 2)[0], " tc") {
		t.Errorf("> %s\nover UDP:\n%s\nover TCP:\n%s", text, said["udp"], said["tcp"])
	}
	return server.Printed(m, keys.Verdict)
}

// rewrite writes an archive back with what was said.
func rewrite(t *testing.T, path string, archive *txtar.Archive, d server.Dialogue) {
	for i := range archive.Files {
		if archive.Files[i].Name == "dialogue" {
			archive.Files[i].Data = []byte(d.String())
		}
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
		t.Fatal(err)
	}
}
