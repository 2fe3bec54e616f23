package lane

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A query is answered at once although the socket blocks, as it does for a moment of each
// reload of the Corefile: no read waits for more packets than there are.
func TestConn_SocketThatBlocks(t *testing.T) {
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(u, tableOf(t, 1), func(net.PacketConn) {})
	if err != nil {
		t.Fatal(err)
	}
	f, err := u.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Fd() // has both block

	client, err := net.Dial("udp", u.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	query := packed(t, "host0.example.org.", dns.TypeA, nil)
	ask := func() error {
		_, err := client.Write(query)
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if err := client.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, answerSize)); err != nil {
		t.Errorf("no answer: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		c.End()
		c.Close()
		close(ended)
	}()
	for { // Whoever reads from a socket that blocks notices the end at the next packet.
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
			_ = ask() // refused once the socket is closed
		}
	}
}
