package acceptance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exporter is a map of every kind in a folder of its own, with certificates.
type exporter struct {
	t         *testing.T
	tool, dir string
}

// longest is a host name of 253 characters.
var longest = strings.Repeat(strings.Repeat("x", 59)+".", 4) + "example.org"

func newExporter(t *testing.T) *exporter {
	t.Helper()
	needs(t, map[string]string{"haproxy": "haproxy", "nginx": "nginx", "nft": "nftables", "bird": "bird2", "ip": "iproute2", "openssl": "openssl", "curl": "curl", "unshare": "util-linux"})
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	x := &exporter{t, tool, t.TempDir()}
	x.write("maps.yaml", `
anycast: [127.0.3.1, "2001:db8::1"]
accounts:
  - id: acme
    static_ips: [127.0.1.10, 127.0.1.22]
    prefixes: [203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: false}, "2001:db8:100::/48"]
    zones:
      - {name: example.org, zone_file: db}
      - {name: below.example, zone_file: db.below, proxied_default: true}
    address_maps:
      - {enabled: true, default_sni: "*.example.org", ips: [127.0.1.10, "2001:db8:100::10"], memberships: [{kind: zone, identifier: example.org}]}
      - {id: later, default_sni: "_.example.org", ips: [198.51.100.7], memberships: []}
    spectrum_apps:
      - {dns: {name: ssh.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [127.0.1.22]}}
`)
	x.write("db", `$ORIGIN example.org.
@ 300 IN SOA ns1 h 1 2 3 4 5
www IN A 127.0.2.1 ; cf_tags=cf-proxied:true
*.shop IN A 127.0.2.2 ; cf_tags=cf-proxied:true
plain.shop IN A 127.0.2.9
byname IN CNAME localhost. ; cf_tags=cf-proxied:true
`+strings.TrimSuffix(longest, ".example.org")+` IN A 127.0.2.1 ; cf_tags=cf-proxied:true
`)
	var many strings.Builder
	many.WriteString("$ORIGIN below.example.\n@ 300 IN SOA ns1 h 1 2 3 4 5\n")
	for _, name := range []string{"*", "_wildcard_", "wildcard", "name", "*.wildcard"} {
		fmt.Fprintf(&many, "%s IN A 127.0.2.1\n%[1]s IN A 127.0.2.2\n", name)
	}
	for i := range 3000 {
		fmt.Fprintf(&many, "h%d IN A 127.0.2.1\n", i)
	}
	x.write("db.below", many.String())
	x.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7", "-subj", "/CN=wild",
		"-addext", "subjectAltName=DNS:*.example.org,DNS:*.shop.example.org", "-out", x.path("cert.pem"), "-keyout", x.path("key.pem"))
	x.write("certs/_.example.org.pem", x.read("cert.pem")+x.read("key.pem"))
	return x
}

func (x *exporter) path(name string) string { return filepath.Join(x.dir, name) }

func (x *exporter) write(name, text string) {
	x.t.Helper()
	if err := os.MkdirAll(filepath.Dir(x.path(name)), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(x.path(name), []byte(text), 0o644); err != nil {
		x.t.Fatal(err)
	}
}

func (x *exporter) read(name string) string {
	x.t.Helper()
	text, err := os.ReadFile(x.path(name))
	if err != nil {
		x.t.Fatal(err)
	}
	return string(text)
}

// run runs a program that must succeed, and returns what it said.
func (x *exporter) run(name string, args ...string) string {
	x.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// export writes an export to a file, and returns the path of that.
func (x *exporter) export(to, kind, format string, flags ...string) string {
	x.t.Helper()
	x.run(x.tool, append([]string{"export", kind, x.path("maps.yaml"), "--format", format, "--out", x.path(to)}, flags...)...)
	return x.path(to)
}

// haproxy writes what HAProxy needs beside the exports, and returns its arguments.
func (x *exporter) haproxy(port, originPort, scheme string) []string {
	x.t.Helper()
	// No character of a path is taken for one of the configuration.
	const odd = `a b,c)d'e"f\g#h$i`
	certs, ca := x.path(odd+" certs"), x.path(odd+".pem")
	for link, to := range map[string]string{certs: "certs", ca: "cert.pem"} {
		if err := os.Symlink(to, link); err != nil && !errors.Is(err, fs.ErrExist) {
			x.t.Fatal(err)
		}
	}
	routes := x.export(odd+".map", "origins", "haproxy-routes")
	sni := x.export("sni.cfg", "sni", "haproxy", "--certs", certs, "--port", port, "--routes", routes)
	flags := []string{"--port", originPort, "--scheme", scheme}
	if scheme == "https" {
		flags = append(flags, "--ca", ca)
	}
	origins := x.export("origins.cfg", "origins", "haproxy", flags...)
	x.write("base.cfg", `defaults
    timeout client 10s
    timeout server 10s
    timeout connect 10s
backend addressmap
    mode http
    http-request return status 421
`)
	return []string{"-f", x.path("base.cfg"), "-f", sni, "-f", origins}
}

// What is exported is loaded by the programs that it is for.
func TestExport_IsLoaded(t *testing.T) {
	x := newExporter(t)
	t.Run("haproxy", func(t *testing.T) {
		for _, scheme := range []string{"https", "http"} {
			x.run("haproxy", append([]string{"-c"}, x.haproxy("443", "443", scheme)...)...)
		}
		if n := strings.Count(x.read("sni.cfg"), "    bind "); n != 5 || strings.Contains(x.read("sni.cfg"), "127.0.1.22") {
			t.Errorf("want a bind line for each of five addresses, got %d:\n%s", n, x.read("sni.cfg"))
		}
	})
	t.Run("nginx", func(t *testing.T) {
		x.export("sni.conf", "sni", "nginx")
		x.export("origins.conf", "origins", "nginx", "--resolver", "127.0.0.1,::1")
		x.write("nginx.conf", "pid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n    access_log off;\n    include origins.conf;\n    include sni.conf;\n"+
			"    server {\n        listen 127.0.0.1:1;\n        location / { proxy_pass http://$addressmap_origin; set $unused $addressmap_sni; }\n    }\n}\n")
		if out := x.run("nginx", "-t", "-p", x.dir, "-c", x.path("nginx.conf")); strings.Contains(out, "[warn] could not build optimal") || strings.Contains(out, "[emerg]") {
			t.Errorf("want hashes of the right size, got\n%s", out)
		}
	})
	t.Run("nft", func(t *testing.T) {
		x.run("unshare", "-rn", "nft", "-c", "-f", x.export("nft.conf", "addresses", "nftables"))
	})
	t.Run("bird", func(t *testing.T) {
		x.write("bird.conf", fmt.Sprintf("router id 192.0.2.1;\ninclude \"%s\";\nprotocol static more { ipv4; }\n", x.export("routes.conf", "addresses", "bird")))
		x.run("bird", "-p", "-c", x.path("bird.conf"))
		if text := x.read("routes.conf"); strings.Count(text, "    route ") != 6 {
			t.Errorf("want six routes, got\n%s", text)
		}
	})
	t.Run("ip", func(t *testing.T) {
		script := x.export("ip.sh", "addresses", "ip", "--device", "edge0")
		// Where the kernel has no dummy devices, another kind is there before.
		out := x.run("unshare", "-rn", "sh", "-ec", `
			ip link add edge0 type dummy 2>/dev/null && ip link del edge0 || ip link add edge0 type bridge
			sh "$0"
			ip addr add 203.0.113.99/32 dev edge0
			ip addr add 2001:db8::99/128 dev edge0
			sh "$0"
			ip -o addr show dev edge0`, script)
		for _, want := range []string{"127.0.1.10/32", "127.0.1.22/32", "127.0.3.1/32", "198.51.100.7/32", "2001:db8::1/128", "2001:db8:100::10/128"} {
			if !strings.Contains(out, " "+want+" ") {
				t.Errorf("want %s on the device, got\n%s", want, out)
			}
		}
		if strings.Contains(out, "::99") || strings.Contains(out, ".99/") {
			t.Errorf("want others gone, got\n%s", out)
		}
	})
}

// HAProxy finds the backend of a host as the DNS finds its records, and has a certificate
// for connections without SNI only where the map names one.
func TestExport_HAProxyServes(t *testing.T) {
	x := newExporter(t)
	port, originPort := freePort(t), freePort(t)
	// Only addresses that the machine has.
	x.write("maps.yaml", strings.NewReplacer(`, "2001:db8::1"`, "", `, "2001:db8:100::10"`, "", "ips: [198.51.100.7]", "ips: []").Replace(x.read("maps.yaml")))
	x.write("origins.nginx", fmt.Sprintf(`pid nginx.pid;
error_log stderr;
daemon off;
events {}
http {
    access_log off;
    client_body_temp_path tmp1; proxy_temp_path tmp2; fastcgi_temp_path tmp3; uwsgi_temp_path tmp4; scgi_temp_path tmp5;
    server { listen 127.0.2.1:%[1]s; return 200 "one"; }
    server { listen 127.0.2.2:%[1]s; return 200 "two"; }
}
`, originPort))
	x.start("nginx", "-p", x.dir, "-c", x.path("origins.nginx"))
	x.start("haproxy", append([]string{"-db"}, x.haproxy(port, originPort, "http")...)...)
	for _, tc := range []struct{ host, want string }{
		{"www.example.org", "one 200"},
		{"WWW.example.org", "one 200"},
		{"a.shop.example.org", "two 200"},
		{"a.b.c.shop.example.org", "two 200"},
		{"plain.shop.example.org", " 421"}, // not proxied, below a wildcard
		{"shop.example.org", " 421"},       // a wildcard is not for its parent
		{"other.example.com", " 421"},
	} {
		x.until(tc.host+" is answered "+tc.want, func() (string, bool) {
			out, err := exec.Command("curl", "--silent", "--insecure", "--max-time", "10", "--write-out", " %{http_code}",
				"--resolve", tc.host+":"+port+":127.0.1.10", "https://"+tc.host+":"+port+"/").CombinedOutput()
			return fmt.Sprintf("%v %s", err, out), err == nil && string(out) == tc.want
		})
	}
	for address, want := range map[string]string{"127.0.1.10": "subject=CN = wild", "127.0.3.1": "unrecognized name"} {
		out, _ := exec.Command("openssl", "s_client", "-connect", address+":"+port, "-noservername").CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q without SNI at %s, got\n%s", want, address, out)
		}
	}
}

// start starts a program, which is ended with the test.
func (x *exporter) start(name string, args ...string) *logBuffer {
	x.t.Helper()
	log := new(logBuffer)
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		if x.t.Failed() {
			x.t.Logf("%s:\n%s", name, log)
		}
	})
	return log
}

// until waits until something is as wanted, and says what it was last.
func (x *exporter) until(what string, ok func() (string, bool)) {
	x.t.Helper()
	last := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var done bool
		if last, done = ok(); done {
			return
		}
	}
	x.t.Fatalf("waited in vain until %s: %s", what, last)
}

// The twin of a server binds what that answers: what both refuse, what only the server has
// seen, and what came into force before the twin began. It never locks the state.
func TestExport_TwinOfTheServer(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	kept := edit{"Corefile", "    addressmap maps.yaml\n", "    addressmap maps.yaml {\n        state " + state + "\n    }\n"}
	protected := edit{"maps.yaml", "        enabled: true\n", "        enabled: true\n        can_modify_ips: false\n"}
	s, cmd := prepare(t, binary, "quickstart", kept, protected)
	s.run(t, cmd, "example.com", "SOA")
	x := &exporter{t, tool, t.TempDir()}
	first, second := "203.0.113.10", "203.0.113.110"
	s.edit(t, edit{"maps.yaml", first + ", ", second + ", "}) // P2
	s.awaitLog(t, "P2: ")
	// The file of now at a cold start would be good: only the state has what is in force.
	log := x.start(tool, "export", "addresses", filepath.Join(s.dir, "maps.yaml"), "--state", state, "--format", "list", "--out", x.path("list"),
		"--watch", "--linger", "1s", "--", "true")
	has := func(want, not string) func() (string, bool) {
		return func() (string, bool) {
			text, _ := os.ReadFile(x.path("list"))
			lines := "\n" + string(text)
			return lines + log.String(), strings.Contains(lines, "\n"+want+"\n") && !strings.Contains(lines, "\n"+not+"\n")
		}
	}
	x.until("the twin has what the server answers", has(first, second))
	s.edit(t, edit{"maps.yaml", second + ", ", first + ", "})
	s.edit(t, edit{"maps.yaml", "can_modify_ips: false", "can_modify_ips: true"})
	s.awaitLog(t, "maps: 2 changed")
	s.edit(t, edit{"maps.yaml", first + ", ", second + ", "})
	s.await(t, "www.example.org", []string{second, "203.0.113.11"})
	x.until("the twin follows", has(second, first))
	// Restarted, the server has its state to itself.
	if strings.Contains(s.log.String(), "cannot use the state directory") {
		t.Errorf("want the state for the server alone:\n%s", s.log)
	}
}
