package addressmap

import (
	"testing"
	"unsafe"
)

// TestLayout: with ten thousand server blocks, each line of memory that a query needs
// of its handler is a wait. One is enough for most: handlers begin at a line if their
// size is one that is allocated so.
func TestLayout(t *testing.T) {
	const line = 64
	var a AddressMap
	scope := unsafe.Offsetof(a.resolver) + unsafe.Offsetof(a.resolver.scope)
	if end := scope + unsafe.Offsetof(a.scope.TTL) + unsafe.Sizeof(a.scope.TTL); end > line {
		t.Errorf("what a query needs of its handler ends at octet %d, want at most %d", end, line)
	}
	if size := unsafe.Sizeof(a); size <= 480 || size > 512 {
		t.Errorf("a handler has %d octets: look for a size class that is a multiple of %d", size, line)
	}
}
