package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A map is edited by rename, back and forth, while clients ask: the new
// addresses come, no query fails, no answer is a mixture. Then it is broken: the
// log says what and where, the answers stay. Then it is mended.
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

	const before, after = "[203.0.113.10, 203.0.113.11,", "[203.0.113.110, 203.0.113.111,"
	for range 10 {
		s.edit(t, edit{"maps.yaml", before, after})
		t.Logf("new addresses answered %v after the rename", s.await(t, "www.example.org", moved))
		s.edit(t, edit{"maps.yaml", after, before})
		t.Logf("old addresses answered %v after the rename", s.await(t, "www.example.org", old))
	}
	s.edit(t, edit{"maps.yaml", before, after})
	s.await(t, "www.example.org", moved)

	s.edit(t, edit{"maps.yaml", "203.0.113.110", "203.0.113.300"})
	t.Logf("the log of the broken edit:\n%s", s.awaitLog(t, "203.0.113.300"))
	if got := s.addresses(t, "www.example.org"); !slices.Equal(got, moved) {
		t.Errorf("want %v still answered after a broken edit, got %v", moved, got)
	}

	s.edit(t, edit{"maps.yaml", "[203.0.113.300, 203.0.113.111,", before})
	t.Logf("mended: answered %v after the rename", s.await(t, "www.example.org", old))

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

// askAlways asks until stop, over and over: one client is dig, one a faster
// one. Only the given answers are right.
func (s *server) askAlways(t *testing.T, name string, right ...[]string) *load {
	l := &load{quit: make(chan struct{})}
	for _, ask := range []func(string) ([]string, error){s.short, s.exchange} {
		l.wait.Go(func() {
			for !l.over() {
				got, err := ask(name)
				l.note(got, err, right)
			}
		})
	}
	t.Cleanup(func() { l.stop() })
	return l
}

// exchange does what short does without starting a program each time.
func (s *server) exchange(name string) ([]string, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.TypeA)
	r, err := dns.Exchange(m, "127.0.0.1:"+s.port)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, rr := range r.Answer {
		if a, ok := rr.(*dns.A); ok {
			addresses = append(addresses, a.A.String())
		}
	}
	return addresses, nil
}

func (l *load) over() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

func (l *load) note(got []string, err error, right [][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if err != nil {
		l.wrong = append(l.wrong, err.Error())
	} else if !slices.ContainsFunc(right, func(r []string) bool { return slices.Equal(r, got) }) {
		l.wrong = append(l.wrong, fmt.Sprint(got))
	}
}

// stop ends the clients and returns what they saw. It may be called again, by
// the same goroutine.
func (l *load) stop() (asked int, wrong []string) {
	if !l.over() {
		close(l.quit)
	}
	l.wait.Wait()
	return l.asked, l.wrong
}
