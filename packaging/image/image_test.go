package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/addressmap/addressmap/test/ports"
)

const (
	name     = "localhost/coredns-addressmap:test"
	uid      = 65532
	patience = time.Minute
)

// builder is buildah with a storage of its own, which goes away with the test.
type builder struct {
	t       *testing.T
	command []string
}

func newBuilder(t *testing.T) *builder {
	t.Helper()
	if os.Getenv("ADDRESSMAP_IMAGE") != "1" || os.Getuid() != 0 {
		t.Skip("*** SKIPPED: set ADDRESSMAP_IMAGE=1, and be root, to build the image and run it")
	}
	for program, debian := range map[string]string{"buildah": "buildah", "dig": "bind9-dnsutils"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed: `apt-get install %s`", program, debian)
		}
	}
	dir := t.TempDir()
	b := &builder{t, []string{"buildah", "--storage-driver", "vfs", "--root", dir + "/storage", "--runroot", dir + "/run"}}
	t.Setenv("BUILDAH", strings.Join(b.command, " "))
	t.Cleanup(func() { b.do("umount", "--all") })
	return b
}

// do runs buildah, and returns what it prints.
func (b *builder) do(args ...string) string {
	b.t.Helper()
	return output(b.t, exec.Command(b.command[0], append(slices.Clone(b.command[1:]), args...)...))
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// The image has what it should and nothing else, is the same twice, and answers: as buildah
// runs it, and as a strict runtime does, with its root read-only and without any right.
func TestImage(t *testing.T) {
	b := newBuilder(t)
	first := output(t, exec.Command("./build.sh", name))
	if again := output(t, exec.Command("./build.sh", name)); again != first {
		t.Errorf("built twice, it is %s and %s", first, again)
	}
	container := b.do("from", name)
	root := b.do("mount", container)
	b.hasConfig()
	hasFiles(t, root) // before a runtime adds what it mounts over

	config, port := configure(t)
	t.Run("as buildah runs it", func(t *testing.T) {
		args := append(slices.Clone(b.command[1:]), "run", "--isolation", "chroot", "--volume", config+":/etc/addressmap:ro", container,
			"--", "/usr/bin/coredns-addressmap", "-conf", "/etc/addressmap/Corefile")
		asks(t, exec.Command(b.command[0], args...), port)
	})
	t.Run("read-only and without rights", func(t *testing.T) {
		script := fmt.Sprintf(`set -e
mkdir -p %[1]s/proc
mount --bind %[1]s %[1]s
mount -o remount,bind,ro %[1]s
mount --bind -o ro %[2]s %[1]s/etc/addressmap
mount -t proc proc %[1]s/proc
mount -t tmpfs -o uid=%[3]d,gid=%[3]d,mode=700 state %[1]s/var/lib/addressmap
exec setpriv --no-new-privs chroot --userspec=%[3]d:%[3]d %[1]s /usr/bin/coredns-addressmap -conf /etc/addressmap/Corefile
`, root, config, uid)
		cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
		asks(t, cmd, port)
	})
}

func (b *builder) hasConfig() {
	b.t.Helper()
	var is struct {
		OCIv1 struct {
			Config struct {
				User, WorkingDir string
				Entrypoint, Cmd  []string
				Labels, Volumes  map[string]any
				ExposedPorts     map[string]any
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(b.do("inspect", "--type", "image", name)), &is); err != nil {
		b.t.Fatal(err)
	}
	c := is.OCIv1.Config
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/bin/coredns-addressmap"}) || !slices.Equal(c.Cmd, []string{"-conf", "/etc/addressmap/Corefile"}) {
		b.t.Errorf("runs %v %v as %s", c.Entrypoint, c.Cmd, c.User)
	}
	for _, label := range []string{"title", "source", "licenses", "version", "revision"} {
		if text, _ := c.Labels["org.opencontainers.image."+label].(string); text == "" || strings.Contains(text, "$") {
			b.t.Errorf("label %s is %q", label, text)
		}
	}
	if len(c.ExposedPorts) != 2 || len(c.Volumes) != 1 {
		b.t.Errorf("ports %v, volumes %v", c.ExposedPorts, c.Volumes)
	}
}

// hasFiles wants the files of the image, of which the server may write to none.
func hasFiles(t *testing.T, root string) {
	t.Helper()
	var files []string
	size := int64(0)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		path = strings.TrimPrefix(path, root)
		owner := fi.Sys().(*syscall.Stat_t).Uid
		if wanted := map[bool]uint32{true: uid}[path == "/var/lib/addressmap"]; owner != wanted || fi.Mode().Perm()&0o022 != 0 || fi.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			t.Errorf("%s: mode %v of %d", path, fi.Mode(), owner)
		}
		if owner == uid && fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, and others read what the state has of the map", path, fi.Mode())
		}
		if !d.IsDir() {
			files = append(files, path)
			size += fi.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/etc/group", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/usr/bin/coredns-addressmap", "/usr/share/licenses/addressmap/LICENSE", "/usr/share/licenses/addressmap/THIRD-PARTY.txt"}; !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	t.Logf("%.1f MB", float64(size)/1e6)
}

// configure writes the quick start's map for a port that is free, with a state.
func configure(t *testing.T) (dir, port string) {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/quickstart")); err != nil {
		t.Fatal(err)
	}
	corefile := "example.org:" + port + ` {
	bind 127.0.0.1
	errors
	addressmap /etc/addressmap/maps.yaml {
		state /var/lib/addressmap
	}
	file /etc/addressmap/db.example.org
}
`
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(corefile), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, port
}

// asks starts a server, asks it by dig until it answers, and ends it.
func asks(t *testing.T, cmd *exec.Cmd, port string) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for answer := ""; answer != "203.0.113.10\n203.0.113.11"; {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, &log)
		default:
		}
		if time.Since(begin) > patience {
			t.Fatalf("no answer within %v, the last was %q", patience, answer)
		}
		out, _ := exec.Command("dig", "@127.0.0.1", "-p", port, "+short", "+tries=1", "+time=1", "www.example.org", "A").Output()
		lines := strings.Fields(string(out))
		slices.Sort(lines)
		answer = strings.Join(lines, "\n")
	}
	t.Logf("the first answer after %v", time.Since(begin).Round(time.Millisecond))
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if text := log.String(); strings.Contains(text, "[ERROR]") || strings.Contains(text, "WARNING") {
		t.Errorf("log %s", text)
	}
}
