// Package ports chooses ports for the servers that tests and benchmarks start.
package ports

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// The ports lie below those that systems give to clients: Linux begins at 32768, and
// RFC 6335, section 6, at 49152. A client that shares its port (SO_REUSEPORT), as dig
// does, now and then gets the one of a server there, and reads its own query as the
// answer.
const (
	first = 10000
	count = 22000
)

// next is the port that was tried last, counted from first. It begins anywhere and goes
// up, so that processes that test at the same time seldom try the same port.
var next atomic.Uint32

func init() { next.Store(rand.Uint32N(count)) }

// Free returns a port that nobody listened at a moment ago, for UDP or TCP, at any
// address of this machine. It returns all others before it returns one again.
func Free() (string, error) {
	for range count {
		port := strconv.Itoa(first + int(next.Add(1)%count))
		if isFree(":" + port) {
			return port, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}

func isFree(addr string) bool {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	udp.Close()
	return true
}
