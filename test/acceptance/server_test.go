package acceptance

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/addressmap/addressmap/test/ports"
)

// server is a running name server: CoreDNS, or another maker's.
type server struct {
	dir  string // where its files are; of CoreDNS, a copy of an example of the repository
	port string
	log  *logBuffer
}

// edit is a text replaced in a file of an example.
type edit struct{ file, old, new string }

// serve starts a binary on a copy of one example of the repository with some
// edits made to it, on a port that is free, and waits until it answers. It is
// stopped when the test ends.
func serve(t *testing.T, binary, example string, edits ...edit) *server {
	t.Helper()
	s, cmd := prepare(t, binary, example, edits...)
	s.run(t, cmd, "example.com", "SOA")
	return s
}

// run starts a server and waits until it answers the question. It is stopped
// when the test ends.
func (s *server) run(t *testing.T, cmd *exec.Cmd, question ...string) {
	t.Helper()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(patience):
			cmd.Process.Kill()
			t.Errorf("the server did not end when interrupted:\n%s", s.log)
		}
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended at once: %v\n%s", err, s.log)
		default:
		}
		if _, err := s.dig(append([]string{"+tries=1", "+time=1"}, question...)...); err == nil {
			return
		}
	}
	t.Fatalf("the server does not answer:\n%s", s.log)
}

// refuse starts a binary that should not come up and returns what it said.
func refuse(t *testing.T, binary, example string, edits ...edit) string {
	t.Helper()
	s, cmd := prepare(t, binary, example, edits...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || !exit.Exited() {
		t.Fatalf("want the start refused, got %v\n%s", err, s.log)
	}
	return s.log.String()
}

func prepare(t *testing.T, binary, example string, edits ...edit) (*server, *exec.Cmd) {
	t.Helper()
	top := t.TempDir()
	s := &server{dir: filepath.Join(top, "examples", example), port: freePort(t), log: new(logBuffer)}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(repository, "examples", example))); err != nil {
		t.Fatal(err)
	}
	s.edit(t, edit{"Corefile", ":1053", ":" + s.port})
	for _, e := range edits {
		s.edit(t, e)
	}
	cmd := exec.Command(binary, "-conf", filepath.Join("examples", example, "Corefile"))
	cmd.Dir = top
	cmd.Stdout, cmd.Stderr = s.log, s.log
	return s, cmd
}

// edit changes a file of the server's the way careful programs do: a new file
// renamed over the old.
func (s *server) edit(t *testing.T, e edit) {
	t.Helper()
	path := filepath.Join(s.dir, e.file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), e.old) {
		t.Fatalf("%s has no %q to replace", e.file, e.old)
	}
	changed := strings.ReplaceAll(string(content), e.old, e.new)
	if err := os.WriteFile(path+".new", []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// awaitLog waits until the server's log holds a text and returns the log from
// the start of that line on.
func (s *server) awaitLog(t *testing.T, want string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if before, after, found := strings.Cut(s.log.String(), want); found {
			return before[strings.LastIndexByte(before, '\n')+1:] + want + after
		}
	}
	t.Fatalf("want %q in the log, got\n%s", want, s.log)
	return ""
}

// freePort returns a port that is free for UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// logBuffer is what the server prints, safe to read while it prints.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
