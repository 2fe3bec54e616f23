package addressmap

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"
)

// The book of behaviour: what a client is told, rule by rule. Each archive of
// testdata/answer starts a CoreDNS and holds a dialogue with it.
//
//	Corefile   absent: addressmap maps.yaml, and file for each zone file
//	maps.yaml  the map
//	db.ZONE    zone files
//	dialogue   questions and what is said to them, see [dialogue]
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
	paths, err := filepath.Glob(filepath.Join("testdata", "answer", pattern))
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
	silent := listenSilently(t)
	t.Setenv("SILENT", silent.addr)
	t.Setenv("UPSTREAM", listenScripted(t, parseDialogue(files["upstream"])))
	place(t, files)
	for _, zone := range strings.Fields(files["keys"]) {
		newKey(t, zone)
	}
	for _, zone := range strings.Fields(files["signed"]) {
		signFile(t, "db."+zone, zone)
	}
	c := start(t, corefileOf(files), nil)
	keys := &keyring{t: t, c: c, strict: len(files["keys"]) > 0}
	d := parseDialogue(files["dialogue"])
	for i := range d {
		if d[i].question == "" {
			continue
		}
		got := say(t, c, d[i].question, keys)
		if *update {
			d[i].want = got
		} else if got != d[i].want {
			t.Errorf("> %s\ngot:\n%s\nwant:\n%s", d[i].question, got, d[i].want)
		}
	}
	if n := silent.times(); n > 0 {
		t.Errorf("the server that never answers was asked %d times", n)
	}
	for want := range strings.Lines(files["log"]) {
		if lines := c.log.lines(strings.TrimSpace(want)); len(lines) != 1 {
			t.Errorf("want once in the log: %sgot %q of\n%s", want, lines, c.log)
		}
	}
	for unwanted := range strings.Lines(files["no-log"]) {
		if lines := c.log.lines(strings.TrimSpace(unwanted)); len(lines) > 0 {
			t.Errorf("this should not be logged: %q", lines)
		}
	}
	if *update {
		rewrite(t, path, archive, d)
	}
}

// corefileOf returns the Corefile of an archive.
func corefileOf(files map[string]string) string {
	if text, ok := files["Corefile"]; ok {
		return text
	}
	var zones []string
	for name := range files {
		if zone, ok := strings.CutPrefix(name, "db."); ok {
			zones = append(zones, zone)
		}
	}
	slices.Sort(zones)
	text := strings.Join(zones, " ") + " {\n    addressmap maps.yaml\n"
	for _, zone := range zones {
		text += fmt.Sprintf("    file db.%s %s\n", zone, zone)
	}
	return text + "}\n"
}

// say asks one question of a dialogue and returns what was said. What holds for
// every response is checked on the way: it is the response to this question, it
// is the same when asked again and over TCP, and it holds no origin data.
func say(t *testing.T, c *chain, text string, keys *keyring) string {
	t.Helper()
	q, err := parseQuestion(text)
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	var m *dns.Msg
	for _, network := range []string{"udp", "tcp", "udp", "tcp"} {
		resp := c.ask(t, network, q.msg)
		if resp.Id != q.msg.Id || !resp.Response || resp.Opcode != q.msg.Opcode || !slices.Equal(resp.Question, q.msg.Question) || resp.RecursionDesired != q.msg.RecursionDesired || resp.CheckingDisabled != q.msg.CheckingDisabled {
			t.Errorf("> %s\nis no response to it:\n%s", text, resp)
		}
		if (resp.IsEdns0() != nil) != (q.msg.IsEdns0() != nil) {
			t.Errorf("> %s\nEDNS does not fit:\n%s", text, resp)
		}
		leaks(t, resp)
		got := printed(resp, keys.verdict)
		if before, ok := said[network]; ok && got != before {
			t.Errorf("> %s\nasked again over %s:\n%s\nbefore:\n%s", text, network, got, before)
		}
		said[network] = got
		if network == q.network {
			m = resp
		}
		if keys.strict && network == q.network {
			keys.validate(resp)
		}
	}
	if said["udp"] != said["tcp"] && !strings.Contains(strings.SplitN(said["udp"], "\n", 2)[0], " tc") {
		t.Errorf("> %s\nover UDP:\n%s\nover TCP:\n%s", text, said["udp"], said["tcp"])
	}
	return printed(m, keys.verdict)
}

// leaks complains if there is origin data in a message: the one rule above all.
func leaks(t *testing.T, m *dns.Msg) {
	t.Helper()
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			text := strings.ToLower(rr.String())
			for _, secret := range []string{"10.66.", "2001:db8:66:", "hidden"} {
				if at := strings.Index(text, secret); at >= 0 && !strings.Contains(strings.ToLower(m.Question[0].Name), secret) {
					t.Errorf("ORIGIN DATA LEAVES in the response to %v:\n%s", m.Question, m)
				}
			}
		}
	}
}

// rewrite writes an archive back with what was said.
func rewrite(t *testing.T, path string, archive *txtar.Archive, d dialogue) {
	for i := range archive.Files {
		if archive.Files[i].Name == "dialogue" {
			archive.Files[i].Data = []byte(d.String())
		}
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
		t.Fatal(err)
	}
}
