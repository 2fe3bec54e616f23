package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A map is edited by rename while clients ask: the new addresses come, no query
// fails, no answer is a mixture. Then it is broken: the log says what and
// where, the answers stay. Then it is mended.
func TestReload_GoodThenBroken(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, binary, "quickstart")
	old := []string{"203.0.113.10", "203.0.113.11"}
	moved := []string{"203.0.113.110", "203.0.113.111"}
	load := s.askAlways(t, "www.example.org", old, moved)

	s.edit(t, edit{"maps.yaml", "[203.0.113.10, 203.0.113.11,", "[203.0.113.110, 203.0.113.111,"})
	t.Logf("new addresses answered %v after the rename", s.await(t, "www.example.org", moved))

	s.edit(t, edit{"maps.yaml", "203.0.113.110", "203.0.113.300"})
	before := len(s.log.String())
	s.awaitLog(t, "203.0.113.300")
	if got := s.addresses(t, "www.example.org"); !slices.Equal(got, moved) {
		t.Errorf("want %v still answered after a broken edit, got %v", moved, got)
	}

	s.edit(t, edit{"maps.yaml", "203.0.113.300", "203.0.113.10"})
	s.edit(t, edit{"maps.yaml", "203.0.113.111", "203.0.113.11"})
	t.Logf("mended: answered %v after the rename", s.await(t, "www.example.org", old))
	t.Logf("the log of the broken edit:\n%s", s.log.String()[min(before, len(s.log.String())):])

	asked, wrong := load.stop()
	t.Logf("%d queries meanwhile, %d failed or wrong", asked, len(wrong))
	if len(wrong) > 0 {
		t.Errorf("want every query answered from the version before or after, got %q", wrong)
	}
	if asked == 0 {
		t.Error("want queries while the map was edited, got none")
	}
}

// Marks in a zone file count as soon as the file is written.
func TestReload_ZoneFile(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, binary, "cloudflare-export")
	mapped := []string{"203.0.113.10"}
	if got := s.addresses(t, "direct.example.com"); slices.Equal(got, mapped) {
		t.Fatalf("want direct.example.com not proxied at first, got %v", got)
	}
	s.edit(t, edit{"example.com.txt", "198.51.100.21 ; cf_tags=cf-proxied:false", "198.51.100.21 ; cf_tags=cf-proxied:true"})
	t.Logf("the mark counts %v after the rename", s.await(t, "direct.example.com", mapped))
}

// addresses returns what the server answers for a name's A, in order.
func (s *server) addresses(t *testing.T, name string) []string {
	t.Helper()
	got, err := s.short(name)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s *server) short(name string) ([]string, error) {
	out, err := s.dig("+short", "+tries=1", "+time=2", name, "A")
	if err != nil {
		return nil, fmt.Errorf("dig %s: %w: %s", name, err, out)
	}
	return strings.Fields(out), nil
}

// await asks until a name has these addresses and returns how long that took.
func (s *server) await(t *testing.T, name string, want []string) time.Duration {
	t.Helper()
	start := time.Now()
	for time.Since(start) < patience {
		if slices.Equal(s.addresses(t, name), want) {
			return time.Since(start).Round(time.Millisecond)
		}
	}
	t.Fatalf("want %v for %s, got %v\n%s", want, name, s.addresses(t, name), s.log)
	return 0
}

// load is clients that ask one question without a pause.
type load struct {
	quit chan struct{}
	wait sync.WaitGroup

	mu    sync.Mutex
	asked int
	wrong []string // answers that none of the versions gives, and failures
}

// askAlways runs dig in a loop, two at a time, until stop. Only the given
// answers are right.
func (s *server) askAlways(t *testing.T, name string, right ...[]string) *load {
	l := &load{quit: make(chan struct{})}
	ask := func() {
		for {
			select {
			case <-l.quit:
				return
			default:
			}
			got, err := s.short(name)
			l.mu.Lock()
			l.asked++
			if err != nil {
				l.wrong = append(l.wrong, err.Error())
			} else if !slices.ContainsFunc(right, func(r []string) bool { return slices.Equal(r, got) }) {
				l.wrong = append(l.wrong, fmt.Sprint(got))
			}
			l.mu.Unlock()
		}
	}
	l.wait.Go(ask)
	l.wait.Go(ask)
	t.Cleanup(func() { l.stop() })
	return l
}

// stop ends the clients and returns what they saw. It may be called twice.
func (l *load) stop() (asked int, wrong []string) {
	l.mu.Lock()
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	l.mu.Unlock()
	l.wait.Wait()
	return l.asked, l.wrong
}
