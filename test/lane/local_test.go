package lane

import (
	"net"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// A server that listens at every address of the machine answers from the one that was
// asked, by the lane and by CoreDNS: a connected socket takes no other answer.
func TestLane_AnswersFromTheAddressAsked(t *testing.T) {
	s := server.Start(t, `example.org block.example.org {
    addressmap maps.yaml {
        lane on
    }
    file db.example.org example.org
    file db.block.example.org block.example.org
}`, world)
	_, port, err := net.SplitHostPort(s.Addr("udp"))
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{"127.0.0.1", "127.0.0.2", "127.9.9.9"}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		c.Close()
		addresses = append(addresses, "::1")
	}
	// In turn, so that no answer goes where the one before went.
	for range 3 {
		for _, address := range addresses {
			for name, want := range map[string]string{"www.example.org.": "203.0.113.10", "plain.example.org.": "192.0.2.80"} {
				conn, err := net.Dial("udp", net.JoinHostPort(address, port))
				if err != nil {
					t.Fatal(err)
				}
				client := &dns.Client{Timeout: server.Patience}
				resp, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion(name, dns.TypeA), &dns.Conn{Conn: conn})
				conn.Close()
				if err != nil {
					t.Fatalf("%s asked of %s: %v\n%s", name, address, err, s.Log)
				}
				if len(resp.Answer) == 0 || resp.Answer[0].(*dns.A).A.String() != want {
					t.Errorf("%s asked of %s: got %v, want %s", name, address, resp, want)
				}
			}
		}
	}
}
