package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two servers do not share a state: the second starts with its map, says who has the
// lock, and is degraded until that one has ended. The first goes on.
func TestStart_StateInUse(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	kept := edit{"Corefile", "    addressmap maps.yaml\n", "    addressmap maps.yaml {\n        state " + t.TempDir() + "\n    }\n"}
	s, cmd := prepare(t, binary, "quickstart", kept)
	s.run(t, cmd, "example.com", "SOA")
	second, cmd2 := prepare(t, binary, "quickstart", kept)
	second.run(t, cmd2, "example.com", "SOA")
	for _, want := range []string{"cannot use the state directory", fmt.Sprintf("process %d", cmd.Process.Pid), "give every server a directory of its own"} {
		second.awaitLog(t, want)
	}
	s.edit(t, edit{"maps.yaml", "[203.0.113.10, 203.0.113.11,", "[203.0.113.110, 203.0.113.111,"})
	s.await(t, "www.example.org", []string{"203.0.113.110", "203.0.113.111"})
	cmd.Process.Signal(os.Interrupt)
	t.Logf("when the first had ended: %s", second.awaitLog(t, "is in the state again"))
}

// Where the kernel gives no notifications, or not enough of them, the poll finds
// what changes, even if it is off, and that is said once.
func TestReload_WithoutNotifications(t *testing.T) {
	needs(t, map[string]string{"dig": "bind9-dnsutils", "unshare": "util-linux"})
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ limit, says string }{
		{"/proc/sys/user/max_inotify_instances", "raise the sysctl fs.inotify.max_user_instances"},
		{"/proc/sys/user/max_inotify_watches", "raise the sysctl fs.inotify.max_user_watches"},
	} {
		t.Run(filepath.Base(c.limit), func(t *testing.T) {
			limited := []string{"-Ur", "sh", "-c", "echo 0 >" + c.limit + ` && exec "$@"`, "sh"}
			if out, err := exec.Command("unshare", append(limited, "true")...).CombinedOutput(); err != nil {
				t.Skipf("SKIPPED: cannot limit a process here: %v: %s", err, out)
			}
			s, plain := prepare(t, binary, "quickstart",
				edit{"Corefile", "    addressmap maps.yaml\n", "    addressmap maps.yaml {\n        reload off\n    }\n"})
			cmd := exec.Command("unshare", append(limited, plain.Args...)...)
			cmd.Dir = plain.Dir
			s.run(t, cmd, "example.com", "SOA")
			s.edit(t, edit{"maps.yaml", "[203.0.113.10, 203.0.113.11,", "[203.0.113.110, 203.0.113.111,"})
			t.Logf("new addresses answered %v after the rename", s.await(t, "www.example.org", []string{"203.0.113.110", "203.0.113.111"}))
			s.edit(t, edit{"maps.yaml", "[203.0.113.110, 203.0.113.111,", "[203.0.113.10, 203.0.113.11,"})
			s.await(t, "www.example.org", []string{"203.0.113.10", "203.0.113.11"})
			said := s.log.String()
			t.Logf("the log:\n%s", said)
			if strings.Count(said, "found by the poll alone, every 400ms") != 1 || !strings.Contains(said, c.says) {
				t.Errorf("want it said once, with %q", c.says)
			}
		})
	}
}
