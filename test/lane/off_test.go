package lane

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// What sees every write of a socket stands in one server block and is for all at the same
// address; and with presence off the backend is asked each time.
func TestLane_OffBesides(t *testing.T) {
	const other = "other.test {\n    EXTRA\n    file db.block.example.org block.example.org\n}\n"
	for _, tc := range []struct{ name, option, extra, want string }{
		{"on", "lane on", "errors", "lane on"},
		{"shed in another block", "lane on", "shed", "although the Corefile says lane on: a plugin of a server block at this address, such as shed"},
		{"presence off", "presence off", "errors", "presence off has the backend asked each time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := server.Start(t, "example.org {\n    addressmap maps.yaml {\n        "+tc.option+"\n    }\n    file db.example.org\n}\n"+
				strings.Replace(other, "EXTRA", tc.extra, 1), world)
			s.Lookup(t, "www.example.org.", dns.TypeA) // so that it serves
			if lines := s.Log.Lines("lane o"); len(lines) != 1 || !strings.Contains(lines[0], tc.want) {
				t.Errorf("want one line with %q, got %q", tc.want, lines)
			}
		})
	}
}

// A server block without plain DNS has no packets for the lane, which is said where the
// Corefile wants it: when the directive is set up. The server is not started, for that of
// gRPC has a data race if it is stopped at once.
func TestLane_NoPlainDNS(t *testing.T) {
	s, err := server.TryStart(t, server.Failing("grpc://example.org {\n    addressmap maps.yaml {\n        lane on\n    }\n    file db.example.org\n}\n"), world)
	if err == nil {
		t.Fatal("it starts")
	}
	const want = "Corefile:2: lane off, although the Corefile says lane on: the server block has no plain DNS"
	if lines := s.Log.Lines("lane o"); len(lines) != 1 || !strings.Contains(lines[0], want) {
		t.Errorf("want one line with %q, got %q", want, lines)
	}
}
