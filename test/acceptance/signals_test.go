//go:build unix

package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A hundred reloads of the Corefile by signal, of which every fourth fails, while
// clients ask and the map is edited: they leave no goroutine and no descriptor
// behind, and lose no query.
func TestReload_ByHundredSignals(t *testing.T) {
	needs(t, dnsutils)
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("counts descriptors in /proc")
	}
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	p := &profiled{t: t, pprof: "127.0.0.1:" + freePort(t)}
	p.server, p.cmd = prepare(t, binary, "quickstart",
		edit{"Corefile", "    addressmap maps.yaml\n", "    addressmap maps.yaml {\n        state kept\n    }\n    pprof " + p.pprof + "\n"})
	p.run(t, p.cmd, "example.com", "SOA")
	old := []string{"203.0.113.10", "203.0.113.11"}
	moved := []string{"203.0.113.110", "203.0.113.111"}
	const before, after = "[203.0.113.10, 203.0.113.11,", "[203.0.113.110, 203.0.113.111,"

	const ofCoreDNS = 2 // what it keeps itself; one instance of ours has more
	goroutines, files := p.counts()
	t.Logf("after the start: %d goroutines, %d descriptors", goroutines, files)

	load := p.askAlways(t, "www.example.org", old, moved)
	for i := range 100 {
		if i%2 == 0 {
			p.edit(t, edit{"maps.yaml", before, after})
		} else {
			p.edit(t, edit{"maps.yaml", after, before})
		}
		fails := i%4 == 1 // Not the last: CoreDNS holds on to what failed until the next is loaded.
		if fails {
			p.edit(t, edit{"Corefile", "    file db.example.net example.net\n", "    file db.example.net {\n        nonsense\n    }\n"})
		}
		p.reload(fails)
		p.await(t, "www.example.org", [][]string{moved, old}[i%2])
		if fails {
			p.edit(t, edit{"Corefile", "    file db.example.net {\n        nonsense\n    }\n", "    file db.example.net example.net\n"})
		}
	}
	asked, wrong := load.stop()
	t.Logf("%d queries meanwhile, %d failed or wrong", asked, len(wrong))
	if len(wrong) > 0 {
		t.Errorf("want every query answered from the version before or after, got %q", wrong)
	}
	var g, f int
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if g, f = p.counts(); g <= goroutines+ofCoreDNS && f <= files+ofCoreDNS {
			break
		}
	}
	t.Logf("after 100 reloads, 25 of which failed: %d goroutines, %d descriptors", g, f)
	if g > goroutines+ofCoreDNS || f > files+ofCoreDNS {
		t.Errorf("want about %d goroutines and %d descriptors, got %d and %d:\n%s", goroutines, files, g, f, p.profile("goroutine?debug=1"))
	}
}

// profiled is a server that tells what it consists of.
type profiled struct {
	*server
	t     *testing.T
	cmd   *exec.Cmd
	pprof string // address of the plugin of this name
}

// reload tells the server to load its Corefile and waits until it has, or has
// failed to.
func (p *profiled) reload(fails bool) {
	p.t.Helper()
	said := "[INFO] Reloading complete"
	if fails {
		said = "[ERROR] SIGUSR1: "
	}
	n := strings.Count(p.log.String(), said)
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); strings.Count(p.log.String(), said) == n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("want %q once more in the log, got\n%s", said, p.log)
		}
	}
}

// counts returns how many goroutines and descriptors the server has, after it was
// made to forget what nobody refers to: of what failed to load, nobody is told.
func (p *profiled) counts() (goroutines, descriptors int) {
	p.t.Helper()
	p.profile("heap?gc=1")
	if _, err := fmt.Sscanf(p.profile("goroutine?debug=1"), "goroutine profile: total %d", &goroutines); err != nil {
		p.t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "fd"))
	if err != nil {
		p.t.Fatal(err)
	}
	return goroutines, len(files)
}

// profile returns a profile as text. The connection is closed afterwards.
func (p *profiled) profile(name string) string {
	p.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get("http://" + p.pprof + "/debug/pprof/" + name)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}
