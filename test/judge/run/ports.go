// Package run sends the judge's queries to a CoreDNS with addressmap that is
// started as its users start it: a binary, a Corefile, sockets.
package run

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Host is where everything listens.
const Host = "127.0.0.1"

// The ports that worlds may take: below those that the system hands out.
const firstPort, lastPort = 20000, 29999

// Ports hands out ports that are free for UDP and TCP. The next call goes on
// where the last one ended.
type Ports struct{ next int }

// NewPorts begins at a random port, so that two runs seldom meet.
func NewPorts() *Ports { return &Ports{firstPort + rand.IntN(lastPort-firstPort)} }

// Take returns n free ports.
func (p *Ports) Take(n int) ([]int, error) {
	var out []int
	for range lastPort - firstPort {
		p.next++
		if p.next > lastPort {
			p.next = firstPort
		}
		if free(p.next) {
			if out = append(out, p.next); len(out) == n {
				return out, nil
			}
		}
	}
	return nil, fmt.Errorf("no %d free ports from %d to %d", n, firstPort, lastPort)
}

func free(port int) bool {
	addr := fmt.Sprintf("%s:%d", Host, port)
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	defer pc.Close()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	l.Close()
	return true
}
