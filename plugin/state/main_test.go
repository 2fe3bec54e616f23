package state

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// child names the variable that makes the test binary one of the processes that
// tests start: what it is to do; the directory is its argument.
const child = "ADDRESSMAP_STATE_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(child) {
	case "":
		os.Exit(m.Run())
	case "save":
		err = saveForever(os.Args[1])
	case "hold":
		err = hold(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// put puts one text and returns its digest.
func put(d *Dir, text []byte) (Sum, error) {
	sums, err := putAll(d, [][]byte{text})
	if err != nil {
		return Sum{}, err
	}
	return sums[0], nil
}

// putAll puts texts and returns their digests.
func putAll(d *Dir, texts [][]byte) ([]Sum, error) {
	if err := d.PutAll(texts); err != nil {
		return nil, err
	}
	sums := make([]Sum, len(texts))
	for i, text := range texts {
		sums[i] = sha256.Sum256(text)
	}
	return sums, nil
}

// saveForever saves one version after the other and prints the number of each
// when it is saved.
func saveForever(dir string) error {
	d, err := acquired(dir)
	if err != nil {
		return err
	}
	i, err := saved(d)
	for ; err == nil; err = save(d, i) {
		fmt.Println(i)
		i++
	}
	return err
}

// hold keeps the directory in use until its input ends.
func hold(dir string) error {
	d := openAt(dir, "/maps", "maps for example.org.")
	if _, err := d.Acquire(); err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return d.Close()
}

// process is a child process. Its input stays open for as long as the test.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner // lines of its output
	errs *bytes.Buffer  // what it has complained of, once it has ended
}

func start(t *testing.T, what, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), child+"="+what)
	errs := &bytes.Buffer{}
	cmd.Stderr = errs
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return &process{cmd, in, bufio.NewScanner(out), errs}
}

// kill ends the process as a power switch would, but for the disk's cache, and
// returns the last line it has printed since, or last if there is none.
func (p *process) kill(t *testing.T, last string) string {
	t.Helper()
	must(t, p.cmd.Process.Kill())
	for p.out.Scan() {
		last = p.out.Text()
	}
	if err := p.cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("want the process killed, got %v: %s", err, p.errs)
	}
	return last
}
