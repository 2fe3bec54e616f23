package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fleet is the running example examples/fleet.
type fleet struct {
	dns string // port
	run string // the directory of its files
	log *logBuffer
}

// startFleet starts a copy of the example, with some edits made to it, by its own script,
// and waits until that says what to try. It is stopped when the test ends.
func startFleet(t *testing.T, edits ...edit) *fleet {
	t.Helper()
	needs(t, map[string]string{"etcd": "etcd-server", "etcdctl": "etcd-client", "openssl": "openssl", "bash": "bash", "dig": "bind9-dnsutils", "curl": "curl"})
	dns, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{dns: freePort(t), log: new(logBuffer)}
	example := &server{dir: filepath.Join(t.TempDir(), "fleet")}
	if err := os.CopyFS(example.dir, os.DirFS(filepath.Join(repository, "examples/fleet"))); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		example.edit(t, e)
	}
	cmd := exec.Command("bash", filepath.Join(example.dir, "fleet.sh"))
	cmd.Env = append(os.Environ(), "COREDNS="+dns, "ADDRESSMAP="+tool,
		"DNS_PORT="+f.dns, "METRICS_PORT="+freePort(t), "ETCD_PORT="+freePort(t), "PEER_PORT="+freePort(t))
	cmd.Stdout, cmd.Stderr = f.log, f.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("the fleet did not end when told to:\n%s", f.log)
		}
		if _, err := os.Stat(f.run); f.run != "" && err == nil {
			t.Errorf("%s is left behind", f.run)
		}
	})
	env := regexp.MustCompile(`(?m)^  \. (.*)/pushers\.env\n(?s:.*)addressmap_source$`)
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(10 * time.Millisecond) {
		if m := env.FindStringSubmatch(f.log.String()); m != nil {
			f.run = m[1]
			return f
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the fleet ended at once: %v\n%s", err, f.log)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the fleet does not say what to try:\n%s", f.log)
		}
	}
}

// as gives commands to a shell as a user of etcd, in the directory of the fleet, and wants
// their status and a text in what they print.
func (f *fleet) as(t *testing.T, user string, status int, commands, want string) {
	t.Helper()
	out, err := exec.Command("bash", "-c", fmt.Sprintf(". %s/%s.env && %s", f.run, user, commands)).CombinedOutput()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != status || !strings.Contains(string(out), want) {
		t.Fatalf("$ %s\nwant status %d and %q, got %d and\n%s%s", commands, status, want, got, out, f.logs())
	}
}

// logs returns what the DNS servers have logged.
func (f *fleet) logs() string {
	var all strings.Builder
	for i := 1; i <= 3; i++ {
		text, _ := os.ReadFile(fmt.Sprintf("%s/ns%d.log", f.run, i))
		fmt.Fprintf(&all, "\nns%d.log:\n%s", i, text)
	}
	return all.String()
}

// answer asks one of the servers, 1 to 3.
func (f *fleet) answer(n int, name string) string {
	out, _ := exec.Command("dig", fmt.Sprintf("@127.0.0.%d", n), "-p", f.dns, "+short", "+tries=1", "+time=2", name, "A").CombinedOutput()
	return strings.TrimSpace(string(out))
}

// answers are what the three servers answer.
func (f *fleet) answers(name string) []string {
	return []string{f.answer(1, name), f.answer(2, name), f.answer(3, name)}
}

// await waits until the three servers answer so.
func (f *fleet) await(t *testing.T, name string, want ...string) {
	t.Helper()
	f.eventually(t, fmt.Sprintf("%s: %s", name, want), func() bool { return slices.Equal(f.answers(name), want) })
}

func (f *fleet) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > patience {
			t.Fatalf("want %s, got %v and %v\n%s%s", what, f.answers("www.example.org"), f.answers("shop.example.org"), f.log, f.logs())
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%s after %s", what, time.Since(begin).Round(time.Millisecond))
}

// The addresses of the example.
const (
	first, second = "203.0.113.10", "203.0.113.20"
	origin        = "198.51.100.12" // of shop, which is not proxied at first
)

// job writes the script of CI that docs/fleet.md has, for it to be run.
func (f *fleet) job(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repository, "docs/fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, found := strings.Cut(string(page), "\n```sh\n")
	script, _, ended := strings.Cut(script, "\n```\n")
	if !found || !ended {
		t.Fatal("docs/fleet.md has no script")
	}
	if err := os.WriteFile(filepath.Join(f.run, "job.sh"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestFleet_Walk(t *testing.T) {
	f := startFleet(t)
	f.await(t, "www.example.org", first, first, first)
	f.as(t, "pushers", 0, "sed -i 's/"+first+"/"+second+"/' maps/acme.yaml && addressmap push maps --to etcd:/addressmap --message new --yes", "push 2 is done")
	f.await(t, "www.example.org", second, second, second)

	f.as(t, "pushers", 1, "cp maps/acme.yaml good && sed -i 's/proxied/proxyed/' maps/acme.yaml && addressmap push maps --to etcd:/addressmap --yes", `unknown key "proxyed"`)
	f.as(t, "pushers", 0, "mv good maps/acme.yaml && addressmap push maps --to etcd:/addressmap --dry-run", "nothing to do")
	if got := f.answers("www.example.org"); !slices.Equal(got, []string{second, second, second}) {
		t.Errorf("after a refused push: %v", got)
	}

	f.as(t, "pushers", 0, "sed -i 's/www/www, shop/' maps/acme.yaml && addressmap push maps --to etcd:/addressmap --stage canary --yes", "push 3 is done")
	f.as(t, "pushers", 0, "addressmap fleet etcd:/addressmap --wait 3 --servers 3 --timeout 1m", "servers: 3; the newest push: 3")
	f.await(t, "shop.example.org", second, origin, origin)
	f.as(t, "pushers", 0, "addressmap abandon etcd:/addressmap --stage canary --yes", "push 4 is done")
	f.await(t, "shop.example.org", origin, origin, origin)

	f.job(t)
	const ask = `printf '#!/bin/sh\n%s\n' > ask-the-canaries && chmod +x ask-the-canaries && sh -x job.sh`
	f.as(t, "pushers", 1, fmt.Sprintf(ask, "false"), "push 6 is done")
	f.await(t, "shop.example.org", origin, origin, origin)
	f.as(t, "pushers", 0, "addressmap push maps --to etcd:/addressmap --stage canary --yes", "push 7 is done") // and its job ended
	f.as(t, "pushers", 0, fmt.Sprintf(ask, fmt.Sprintf(`[ "$(dig @127.0.0.1 -p %s +short shop.example.org)" = %s ]`, f.dns, second)), "--wait 10 ")
	f.await(t, "shop.example.org", second, second, second)
	f.as(t, "pushers", 0, "sh job.sh", "nothing to do")

	f.as(t, "pushers", 0, "addressmap rollback etcd:/addressmap 1 --yes", "push 11 is done")
	f.await(t, "www.example.org", first, first, first)
	f.await(t, "shop.example.org", origin, origin, origin)
	f.as(t, "pushers", 0, "addressmap history etcd:/addressmap", "rollback to push 1")

	f.as(t, "root", 0, "kill -9 $(cat etcd1.pid)", "")
	f.as(t, "pushers", 0, "addressmap push maps --to etcd:/addressmap --yes", "push 12 is done")
	f.await(t, "shop.example.org", second, second, second)
	f.as(t, "root", 0, "kill -9 $(cat etcd2.pid)", "")
	f.eventually(t, "every log with the loss of etcd", func() bool { return strings.Count(f.logs(), "is lost, what is in force stays") >= 3 })
	f.as(t, "pushers", 2, "addressmap push maps --to etcd:/addressmap --anew --yes", "etcd does not answer at")
	if got := f.answers("shop.example.org"); !slices.Equal(got, []string{second, second, second}) {
		t.Errorf("without etcd: %v", got)
	}
}

// Rights that are taken away: who has lost them says so, and answers go on.
func TestFleet_Rights(t *testing.T) {
	f := startFleet(t, edit{"Corefile", "state ns1.state", "state ns1.state\n        reload 1s"})
	// says waits until every server says a text, after another one.
	says := func(text, after string) {
		t.Helper()
		f.eventually(t, "every server say "+text, func() bool {
			for i := 1; i <= 3; i++ {
				log, _ := os.ReadFile(fmt.Sprintf("%s/ns%d.log", f.run, i))
				if at := strings.LastIndex(string(log), text); at < 0 || at < strings.LastIndex(string(log), after) {
					return false
				}
			}
			return true
		})
	}
	const away = "etcdserver: permission denied"
	f.as(t, "servers", 2, "addressmap push maps --to etcd:/addressmap --anew --yes", "permission denied")
	f.as(t, "root", 0, "etcdctl role revoke-permission --prefix servers /addressmap/servers/", "revoked")
	f.as(t, "pushers", 0, "addressmap push maps --to etcd:/addressmap --anew --yes", "push 2 is done")
	says("this server may not read and write below /addressmap/servers/", " lane ")

	f.as(t, "root", 0, "etcdctl user revoke-role servers servers", "revoked")
	says(away, " lane ")
	f.await(t, "www.example.org", first, first, first)
	f.as(t, "root", 0, "etcdctl user grant-role servers servers", "granted")
	says(" is back\n", away)
	f.as(t, "pushers", 0, "sed -i 's/"+first+"/"+second+"/' maps/acme.yaml && addressmap push maps --to etcd:/addressmap --yes", "push 3 is done")
	f.await(t, "www.example.org", second, second, second)
}
