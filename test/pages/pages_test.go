package pages

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/addressmap/addressmap/test/server"
)

var update = flag.Bool("update", false, "write into the pages what their commands print")

// docs is the folder of the pages, seen from this folder.
const docs = "../../docs"

// written are the ports that pages write down.
var written = regexp.MustCompile(`\b(105[3-7]|9153)\b`)

// A page does what it says: its commands print what it shows.
func TestPages(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("want pages in %s, got %v, %v", docs, paths, err)
	}
	bin := build(t)
	for _, path := range paths {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		run(t, bin, name(path), string(page))
	}
}

// run runs a page in a directory of its own, with ports of its own.
func run(t *testing.T, bin, page, text string) {
	t.Helper()
	for program, debian := range map[string]string{"etcd": "etcd-server", "etcdctl": "etcd-client"} {
		if _, err := exec.LookPath(program); err != nil && strings.Contains(text, "\n$ "+program+" ") {
			t.Logf("*** SKIPPED: docs/%s: %s is not installed, install the package %s", page, program, debian)
			return
		}
	}
	ports := make(map[string]string) // a written port → the one in its place
	steps, err := parse(written.ReplaceAllStringFunc(text, func(port string) string {
		if ports[port] == "" {
			ports[port] = server.FreePort(t)
		}
		return ports[port]
	}))
	if err != nil {
		t.Errorf("docs/%s: %v", page, err)
	}
	if len(steps) == 0 {
		return
	}
	o := &outputs{page: page, steps: steps, of: make(map[int]string)}
	t.Cleanup(func() { o.write(t, ports) })
	file := filepath.Join(t.TempDir(), strings.TrimSuffix(page, ".md")+".txtar")
	if err := os.WriteFile(file, []byte(script(page, steps)), 0o666); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: []string{file},
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"place": func(ts *testscript.TestScript, _ bool, args []string) { place(ts, steps[number(ts, args)]) },
			"show":  func(ts *testscript.TestScript, _ bool, args []string) { o.show(ts, number(ts, args)) },
		},
	})
}

func number(ts *testscript.TestScript, args []string) int {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	return n
}

// place writes the file of a step as careful programs do: a new one renamed over the old.
func place(ts *testscript.TestScript, s step) {
	path := ts.MkAbs(s.file)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
	ts.Check(os.WriteFile(path+"~", []byte(s.text), 0o666))
	ts.Check(os.Rename(path+"~", path))
}

// outputs are what the commands of a page print, where that is not what it shows.
type outputs struct {
	page  string
	steps []step

	mu sync.Mutex
	of map[int]string // :: step → output
}

// show gives the command of a step to a shell, and wants the output that the page shows.
func (o *outputs) show(ts *testscript.TestScript, n int) {
	s, patience := o.steps[n], server.Patience
	if *update {
		patience = 3 * time.Second
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec("sh", "-c", "exec 2>&1\n"+s.text)
		got := ts.ReadFile("stdout")
		switch {
		case err == nil && matches(s.want, got):
			return
		case asks.MatchString(s.text) && time.Now().Before(deadline):
		case err == nil && *update:
			o.mu.Lock()
			defer o.mu.Unlock()
			o.of[n] = got
			return
		default:
			ts.Fatalf("$ %s\nwant\n%sgot (%v)\n%s%s", s.text, s.want, err, got, logs(ts))
		}
	}
}

// write puts the outputs into the page, with the ports that it writes down.
func (o *outputs) write(t *testing.T, ports map[string]string) {
	if len(o.of) == 0 {
		return
	}
	path := filepath.Join(docs, o.page)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	for n := range slices.Backward(o.steps) {
		got, differs := o.of[n]
		if !differs {
			continue
		}
		for written, port := range ports {
			got = strings.ReplaceAll(got, port, written)
		}
		s := o.steps[n]
		from := s.line + strings.Count(s.text, "\n")
		var shown []string
		for line := range strings.Lines(got) {
			shown = append(shown, strings.TrimRight(line, " \t\n"))
		}
		lines = slices.Replace(lines, from, from+strings.Count(s.want, "\n"), shown...)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
}

// logs returns what servers of the page have logged.
func logs(ts *testscript.TestScript) string {
	var all strings.Builder
	paths, _ := filepath.Glob(ts.MkAbs("*.log"))
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		all.WriteString("\n" + filepath.Base(path) + ":\n" + string(text))
	}
	return all.String()
}

// build builds cmd/addressmap, and returns its folder. The sources are looked at here, so
// that go test's cache knows of them.
func build(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"../../cmd/addressmap", "../../plugin"} {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/addressmap/addressmap/cmd/addressmap").CombinedOutput(); err != nil {
		t.Fatalf("building cmd/addressmap: %v\n%s", err, out)
	}
	return bin
}
