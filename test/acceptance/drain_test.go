package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BIRD loses the route to an edge, and its addresses are drained by the file that the
// example writes; a person drains beside it; what nothing can replace is answered all the
// same; the route comes back, and so do the addresses.
func TestDrain_BIRD(t *testing.T) {
	needs(t, map[string]string{"bird": "bird2", "birdc": "bird2", "dig": "bind9-dnsutils", "bash": "bash"})
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	s := &server{port: freePort(t), log: new(logBuffer)}
	cmd := exec.Command("bash", filepath.Join(repository, "examples/drain/drain.sh"))
	cmd.Env = append(os.Environ(), "COREDNS="+binary, "ADDRESSMAP="+tool, "DNS_PORT="+s.port, "TMPDIR="+temporary)
	s.run(t, cmd, "example.org", "SOA")
	runs, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("want one folder of the example, got %q, %v", runs, err)
	}
	run := runs[0]
	do := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, out, s.log)
		}
	}
	const paris, tokyo = "203.0.113.10", "198.51.100.10"
	people := filepath.Join(run, "drains", "people.yaml")

	awaitAnswer(t, s, paris, tokyo)
	do("birdc", "-s", filepath.Join(run, "bird.ctl"), "disable", "paris")
	awaitAnswer(t, s, tokyo)
	do("birdc", "-s", filepath.Join(run, "bird.ctl"), "enable", "paris")
	awaitAnswer(t, s, paris, tokyo)
	do(tool, "drain", tokyo, "--reason", "a try", "--for", "24h", "--file", people)
	awaitAnswer(t, s, paris)
	do("birdc", "-s", filepath.Join(run, "bird.ctl"), "disable", "paris")
	awaitAnswer(t, s, paris, tokyo) // drain_last keep: better than none
	do(tool, "undrain", tokyo, "--file", people)
	awaitAnswer(t, s, tokyo)
}

// awaitAnswer waits until the example's name is answered with these addresses, in order.
func awaitAnswer(t *testing.T, s *server, want ...string) {
	t.Helper()
	t.Logf("%v after %v", want, s.await(t, "www.example.org", want))
}
