package lane

import (
	"bytes"
	"net"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A socket that is bound to every address of the machine must answer from the address
// that was asked: clients take no response from another one. The kernel tells it in a
// control message of each packet, and is told it in one of each response (RFC 3542,
// section 6, and ip(7)).

// controlSize is that of a control message of either family, in octets.
var controlSize = max(len(ipv4.NewControlMessage(ipv4.FlagDst|ipv4.FlagInterface)),
	len(ipv6.NewControlMessage(ipv6.FlagDst|ipv6.FlagInterface)))

// askForLocal has the kernel tell the address. A socket may be of one family or of both.
func askForLocal(u *net.UDPConn) error {
	err6 := ipv6.NewPacketConn(u).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	err4 := ipv4.NewPacketConn(u).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
	if err6 != nil && err4 != nil {
		return err4
	}
	return nil
}

// replyControl returns the control message for the response to a packet with this one; nil
// if it tells nothing.
func replyControl(control []byte) []byte {
	var to6 ipv6.ControlMessage
	var to4 ipv4.ControlMessage
	var dst net.IP
	if to6.Parse(control) == nil && to6.Dst != nil {
		dst = to6.Dst
	} else if to4.Parse(control) == nil {
		dst = to4.Dst
	}
	switch {
	case dst == nil:
		return nil
	case dst.To4() == nil:
		return (&ipv6.ControlMessage{Src: dst}).Marshal()
	}
	return (&ipv4.ControlMessage{Src: dst}).Marshal()
}

// localAddr has the control message of the last response: most packets are sent to few
// addresses.
type localAddr struct{ asked, reply []byte }

// replyTo is [replyControl].
func (l *localAddr) replyTo(control []byte) []byte {
	if l.asked == nil || !bytes.Equal(control, l.asked) {
		l.asked, l.reply = slices.Clone(control), replyControl(control)
	}
	return l.reply
}

// keepControl keeps the control message of a packet with the client's address, behind
// the octets of its IP: the address is all of a packet that comes back with the response.
func keepControl(client net.Addr, control []byte) {
	if u, ok := client.(*net.UDPAddr); ok {
		n := len(u.IP)
		both := make([]byte, n+len(control))
		copy(both, u.IP)
		copy(both[n:], control)
		u.IP = both[:n]
	}
}

// controlOf returns what [keepControl] kept.
func controlOf(client *net.UDPAddr) []byte { return client.IP[len(client.IP):cap(client.IP)] }
