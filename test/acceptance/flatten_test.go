package acceptance

import (
	"bytes"
	"net"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// silence is a name server that takes queries and never answers.
type silence struct {
	addr string // host:port, UDP

	mu      sync.Mutex
	queries [][]byte
}

func newSilence(t *testing.T) *silence {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silence{addr: conn.LocalAddr().String()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.queries = append(s.queries, bytes.Clone(buf[:n]))
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return s
}

// asked returns how many queries came for names with this label.
func (s *silence) asked(label string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	wire := append([]byte{byte(len(label))}, label...)
	n := 0
	for _, query := range s.queries {
		if bytes.Contains(query, wire) {
			n++
		}
	}
	return n
}

var queryTime = regexp.MustCompile(`;; Query time: .*`)

// A proxied CNAME is answered without its target ever being looked up, although
// the server that would have to be asked never answers. A name beside it with
// such a target that is not proxied shows that the backend does ask, and waits.
func TestR5_UnreachableTarget(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	resolver := newSilence(t)
	s := serve(t, binary, "quickstart",
		edit{"Corefile", "198.51.100.253", resolver.addr},
		edit{"db.example.org", "$TTL 3600\n", "$TTL 3600\nslow IN CNAME control.storage.invalid.\n"})
	once := []string{"+tries=1", "+time=1"}

	out, err := s.dig(append(once, "assets.example.org", "A")...)
	if err != nil {
		t.Fatalf("want an answer at once, got %v\n%s", err, out)
	}
	t.Logf("proxied, CNAME to bucket.storage.invalid:\n%s", out)
	want := []string{"assets.example.org. 300 IN A 203.0.113.10", "assets.example.org. 300 IN A 203.0.113.11"}
	if got := parseDig(out).answer; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}

	out, err = s.dig(append(once, "slow.example.org", "A")...)
	if err == nil {
		t.Errorf("want the name that is not proxied to wait for its target, got %s", queryTime.FindString(out))
	}
	if n := resolver.asked("control"); n == 0 {
		t.Error("want queries for the target of the name that is not proxied: the test shows nothing without them")
	}
	if n := resolver.asked("bucket"); n != 0 {
		t.Errorf("want no query for the target of a proxied name, got %d", n)
	}
	t.Logf("queries for the target of the proxied name: %d, of the other: %d", resolver.asked("bucket"), resolver.asked("control"))
}
