// Package ports chooses ports for the servers that tests and benchmarks start.
package ports

import (
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync"
)

// The ports lie below those that systems give to clients: Linux begins at 32768, and
// RFC 6335, section 6, at 49152. A client that shares its port (SO_REUSEPORT), as dig
// does, now and then gets the one of a server there, and reads its own query as the
// answer.
const (
	first  = 10000
	blocks = 44
	block  = 500 // ports
)

// chosen is the ports of this process: those of a block, one after the other, in the blocks
// that it has. Between the moment a port is found to be free and that in which a server
// binds it, another process would find it free as well: so no two of them have one block.
var chosen struct {
	sync.Mutex
	own  []int          // numbers of blocks
	next int            // port, counted through the blocks
	held []net.Listener // what says to other processes which blocks are taken
}

// Free returns a port that nobody listened at a moment ago, for UDP or TCP, at any
// address of this machine. It returns all others of the process before it returns one
// again.
func Free() (string, error) {
	chosen.Lock()
	defer chosen.Unlock()
	for range blocks * block {
		if chosen.next == block*len(chosen.own) && !take() {
			chosen.next = 0 // from the beginning
		}
		number := first + block*chosen.own[chosen.next/block] + chosen.next%block
		chosen.next++
		if port := strconv.Itoa(number); isFree(":" + port) {
			return port, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}

// take makes another block one of this process's, and reports false if there is none. The
// first one that it tries is a random one. On systems other than Linux, that is all that
// keeps processes apart.
func take() bool {
	start := rand.IntN(blocks)
	for i := range blocks {
		n := (start + i) % blocks
		if runtime.GOOS == "linux" {
			// A socket without a file: its name is free again when the process ends.
			l, err := net.Listen("unix", "@addressmap-test-ports-"+strconv.Itoa(n))
			if err != nil {
				continue
			}
			chosen.held = append(chosen.held, l)
		}
		chosen.own = append(chosen.own, n)
		return true
	}
	if len(chosen.own) == 0 { // so many processes test at once
		chosen.own = append(chosen.own, start)
		return true
	}
	return false
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
