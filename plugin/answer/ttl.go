package answer

import (
	"fmt"
	"strconv"
)

// The TTL of [Options]: its default, and the largest (RFC 2181, section 8).
const (
	DefaultTTL = 300
	MaxTTL     = 1<<31 - 1
)

// ParseTTL reads the TTL of [Options] as the Corefile and the command line have it.
func ParseTTL(arg string) (uint32, error) {
	n, err := strconv.ParseUint(arg, 10, 32)
	if err != nil || n > MaxTTL {
		return 0, fmt.Errorf("%q is no TTL: write seconds, 0 to %d", arg, MaxTTL)
	}
	return uint32(n), nil
}
