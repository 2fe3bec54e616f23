// Package run sends the judge's queries to a CoreDNS with addressmap that is
// started as its users start it: a binary, a Corefile, sockets.
package run

import (
	"strconv"

	"github.com/addressmap/addressmap/test/ports"
)

// Host is where everything listens.
const Host = "127.0.0.1"

// takePorts returns n free ports.
func takePorts(n int) ([]int, error) {
	var out []int
	for range n {
		port, err := ports.Free()
		if err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		out = append(out, number)
	}
	return out, nil
}
