package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

// command is the path of the command addressmap, built for these tests.
var command string

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "explain")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "addressmap")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/addressmap").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

// openSources opens the files that the command is built from: go test goes by the files
// that a test opens to know whether a result of its cache still holds.
func openSources(t *testing.T) {
	t.Helper()
	sources, err := filepath.Glob("../../cmd/addressmap/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	for _, path := range sources {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
}

// beyondExplain lists the questions of the book that the map, and the options of one
// directive, do not answer, with the reason.
var beyondExplain = map[string]string{
	"r01-other-zones www.example.net. A":        "stands in a server block without the directive",
	"r01-other-zones www.example.net. AAAA":     "stands in a server block without the directive",
	"r08-not-acted-for own.example.org. A":      "the directive does not act for the zone",
	"r08-not-acted-for again.example.net. A":    "the directive does not act for the zone",
	"r26-outside www.example.net. A":            "the directive does not act for the zone",
	"r14-plugin-any www.example.org. ANY":       "the plugin any answers first",
	"r20-inner-queries www.example.org. AAAA":   "the plugin dns64 makes the addresses",
	"r20-inner-queries flat.example.org. AAAA":  "the plugin dns64 makes the addresses",
	"r20-inner-queries alias.example.org. AAAA": "the plugin dns64 makes the addresses",
	"r20-inner-queries both.example.org. AAAA":  "the plugin dns64 makes the addresses",
}

// TestExplain_IsTheServersWord asks the questions of the whole book of behaviour with
// explain --server: no answer may be one that the map does not make.
func TestExplain_IsTheServersWord(t *testing.T) {
	openSources(t)
	paths, err := filepath.Glob("../../testdata/answer/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no archives", err)
	}
	unused := make(map[string]bool)
	for key := range beyondExplain {
		unused[key] = true
	}
	answers := make(map[string]int)
	for _, path := range paths {
		path, _ := filepath.Abs(path) // a server changes the working directory
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			c, files := start(t, path)
			dir, options, ok := directive(server.CorefileOf(files))
			if !ok {
				t.Skip("several directives, which may differ")
			}
			for _, q := range questions(files["dialogue"]) {
				e := explain(t, c, dir, options, q)
				for _, a := range e.Answers {
					answers[a.Server.Verdict]++
					key := name + " " + q.name + " " + a.Type
					_, beyond := beyondExplain[key]
					delete(unused, key)
					if isDifferent := a.Server.Verdict == "different"; isDifferent != beyond {
						t.Errorf("%s: %+v, map says %v %s", key, a.Server, append(a.Addresses, a.Records...), a.Text)
					}
				}
			}
		})
	}
	if answers["same"]+answers["possible"] < 500 {
		if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
			t.Skipf("only %v were asked", answers) // a part of the archives was chosen
		}
		t.Fatalf("only %v were asked: the test says too little", answers)
	}
	for key := range unused {
		t.Errorf("beyondExplain lists %s, which was not asked", key)
	}
	if answers["same"] < 200 {
		t.Errorf("only %d answers are the same: the comparison says nothing", answers["same"])
	}
}

// explanation is the part of the command's output that is looked at.
type explanation struct {
	Answers []struct {
		Type, Text         string
		Addresses, Records []string
		Server             struct{ Answer, Verdict, Why string }
	}
}

// explain runs the command about one name.
func explain(t *testing.T, c *server.Server, dir string, options []string, q question) (e explanation) {
	t.Helper()
	args := slices.Concat([]string{"explain", "--format", "json", "--server", c.Addr("udp")}, options, []string{dir, q.name}, q.types)
	cmd := exec.Command(command, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out, stderr.String())
	}
	return e
}

// start starts the server of an archive of the book.
func start(t *testing.T, path string) (*server.Server, map[string]string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	t.Setenv("SILENT", server.ListenSilently(t).Addr)
	t.Setenv("UPSTREAM", server.ListenScripted(t, server.ParseDialogue(files["upstream"])))
	server.Place(t, files)
	for _, zone := range strings.Fields(files["keys"]) {
		server.NewKey(t, zone)
	}
	for _, zone := range strings.Fields(files["signed"]) {
		server.SignFile(t, "db."+zone, zone)
	}
	return server.Start(t, server.CorefileOf(files), nil), files
}

// directive returns the map of the one directive in a Corefile, and its options as those
// of the command. It reports false if there are more directives.
func directive(corefile string) (path string, options []string, ok bool) {
	inside := false
	for line := range strings.Lines(corefile) {
		fields := strings.Fields(line)
		switch {
		case len(fields) > 1 && fields[0] == "addressmap":
			if path != "" {
				return "", nil, false
			}
			path, inside = fields[1], fields[len(fields)-1] == "{"
		case !inside || len(fields) == 0:
		case fields[0] == "}":
			inside = false
		case fields[0] == "https" && len(fields) == 1:
			options = append(options, "--https")
		case fields[0] == "https", fields[0] == "anycast":
			options = append(options, "--"+fields[0]+"="+strings.Join(fields[1:], ","))
		case slices.Contains([]string{"missing_family", "site", "drains", "drain_last"}, fields[0]):
			options = append(options, "--"+strings.ReplaceAll(fields[0], "_", "-")+"="+fields[1])
		}
	}
	return path, options, path != ""
}

// question is a name of a dialogue, and the types that it is asked for.
type question struct {
	name  string
	types []string
}

// questions returns the plain questions of a dialogue, those of other classes left out.
func questions(dialogue string) (out []question) {
	for _, line := range server.ParseDialogue(dialogue) {
		q := strings.Fields(line.Question)
		if len(q) < 2 || q[1] == "CH" || q[1] == "HS" || q[1] == "NONE" || len(q) > 2 && q[1] == "ANY" && q[2] != "+tcp" || strings.HasPrefix(q[1], "TYPE") || q[1] == "AXFR" {
			continue
		}
		i := slices.IndexFunc(out, func(o question) bool { return o.name == q[0] })
		if i < 0 {
			i = len(out)
			out = append(out, question{name: q[0]})
		}
		if !slices.Contains(out[i].types, q[1]) {
			out[i].types = append(out[i].types, q[1])
		}
	}
	return out
}

// asked is one question to explain --server, a part of what the command says, and its
// exit status.
type asked struct {
	args   []string
	want   string
	status int
}

func askAll(t *testing.T, addr string, all []asked) {
	t.Helper()
	for _, tc := range all {
		cmd := exec.Command(command, append([]string{"explain", "--server", addr}, tc.args...)...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != tc.status || !strings.Contains(string(out), tc.want) {
			t.Errorf("%v: status %d, want %d and %q:\n%s", tc.args, got, tc.status, tc.want, out)
		}
	}
}

// TestExplain_OtherMap: a server with another version of the map in force answers
// differently, and a server that does not answer is an error.
func TestExplain_OtherMap(t *testing.T) {
	openSources(t)
	const document = `anycast: [192.0.2.1]
accounts: [{id: acme, zones: [{name: example.org, proxied: [www, txt]}]}]
`
	c := server.Start(t, "example.org {\n addressmap maps.yaml\n file db.example.org\n}\n", map[string]string{
		"maps.yaml":      document,
		"new.yaml":       strings.Replace(document, "192.0.2.1", "192.0.2.2", 1),
		"db.example.org": "$TTL 60\n@ IN SOA ns hostmaster 1 7200 3600 1209600 300\nwww IN A 10.66.0.1\n IN TXT x\ntxt IN TXT x\n",
	})
	askAll(t, c.Addr("udp"), []asked{
		{[]string{"maps.yaml", "www.example.org", "A"}, "server: A 192.0.2.1, the same", 0},
		{[]string{"maps.yaml", "www.example.org", "TXT"}, `server: TXT "x", the backend's own records (R13)`, 0},
		{[]string{"maps.yaml", "www.example.org", "AAAA"}, "server: NODATA, the same", 0},
		{[]string{"maps.yaml", "new.example.org", "A"}, "server: NXDOMAIN, the backend decides", 0},
		{[]string{"new.yaml", "www.example.org", "A"}, "is no mapped address: another version of the map or other drains may be in force there (--drains)", 1},
		{[]string{"new.yaml", "www.example.org", "ANY"}, "server: A 192.0.2.1 is DIFFERENT: ", 1},
		{[]string{"maps.yaml", "txt.example.org", "A", "HTTPS"}, "server: NODATA, right for a name of which the backend has no address and no alias (R4)", 0},
		{[]string{"maps.yaml", "www.example.org", "HTTPS", "--https"}, "server: NODATA is DIFFERENT: ", 1},
	})
	nobody := "127.0.0.1:" + server.FreePort(t)
	cmd := exec.Command(command, "explain", "--server", nobody, "maps.yaml", "www.example.org")
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "asking "+nobody) {
		t.Errorf("status %d:\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// TestExplain_PlainServer: a server without the plugin shows origins, and never is right
// to do so; one with it is, for names of which the mark of a wildcard says nothing.
func TestExplain_PlainServer(t *testing.T) {
	openSources(t)
	files := map[string]string{
		"maps.yaml": `anycast: [192.0.2.1]
accounts: [{id: acme, zones: [{name: example.org, proxied: [www, alias, "*.w", "*.c"]}]}]
`,
		"db.example.org": `$TTL 60
@ IN SOA ns hostmaster 1 7200 3600 1209600 300
www IN A 10.66.0.1
 IN HTTPS 1 . ipv4hint=10.66.0.1
alias IN CNAME origin
origin IN A 10.66.0.2
chain IN CNAME www
service IN HTTPS 1 www ipv4hint=10.66.0.1
*.w IN A 10.66.0.3
 IN HTTPS 1 . ipv4hint=10.66.0.3
 IN TXT "of the wildcard"
itself.w IN A 10.66.0.4
 IN HTTPS 1 . ipv4hint=10.66.0.4
*.c IN CNAME origin
itself.c IN CNAME origin
`,
	}
	plain := server.Start(t, "example.org {\n file db.example.org\n}\n", files)
	const itself = "right if the name exists by itself in the backend, and the backend tells (R8)"
	askAll(t, plain.Addr("udp"), []asked{
		{[]string{"maps.yaml", "alias.example.org", "HTTPS"}, "DIFFERENT: an alias at alias.example.org. is no mapped address", 1},
		{[]string{"maps.yaml", "alias.example.org", "TXT"}, "DIFFERENT", 1},
		{[]string{"maps.yaml", "www.example.org", "HTTPS"}, "DIFFERENT: 10.66.0.1 at www.example.org. is", 1},
		{[]string{"maps.yaml", "www.example.org", "ANY"}, "DIFFERENT", 1},
		{[]string{"maps.yaml", "chain.example.org", "A"}, "DIFFERENT: 10.66.0.1 at www.example.org. is", 1},
		{[]string{"maps.yaml", "service.example.org", "HTTPS"}, "DIFFERENT: 10.66.0.1 at www.example.org. is", 1},
		{[]string{"maps.yaml", "x.w.example.org", "A"}, "DIFFERENT: 10.66.0.3 at *.w.example.org. is", 1},
		{[]string{"maps.yaml", "x.w.example.org", "HTTPS"}, "DIFFERENT: 10.66.0.3 at *.w.example.org. is", 1},
		{[]string{"maps.yaml", "itself.w.example.org", "A"}, "DIFFERENT: 10.66.0.3 at *.w.example.org. is", 1},
		{[]string{"maps.yaml", "x.c.example.org", "HTTPS"}, "DIFFERENT: an alias at *.c.example.org. is", 1},
		{[]string{"maps.yaml", "www.example.org", "TXT"}, "the same", 0},
		{[]string{"maps.yaml", "origin.example.org", "A"}, "the backend decides", 0},
	})
	mapped := server.Start(t, "example.org {\n addressmap maps.yaml\n file db.example.org\n}\n", nil)
	askAll(t, mapped.Addr("udp"), []asked{
		{[]string{"maps.yaml", "x.w.example.org", "A"}, "the same", 0},
		{[]string{"maps.yaml", "x.w.example.org", "HTTPS"}, "the backend's own records (R13)", 0},
		{[]string{"maps.yaml", "x.w.example.org", "TXT"}, "the backend's own records (R13)", 0},
		{[]string{"maps.yaml", "itself.w.example.org", "A"}, itself, 0},
		{[]string{"maps.yaml", "itself.w.example.org", "HTTPS"}, "the backend's own records (R13)", 0},
		{[]string{"maps.yaml", "itself.c.example.org", "HTTPS"}, itself, 0},
		{[]string{"maps.yaml", "chain.example.org", "A"}, "the backend decides", 0},
		{[]string{"maps.yaml", "service.example.org", "HTTPS"}, "the backend decides", 0},
		{[]string{"maps.yaml", "alias.example.org", "HTTPS"}, "the same", 0},
	})
}
