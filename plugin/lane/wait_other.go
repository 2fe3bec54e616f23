//go:build !linux

package lane

// readFlags is for systems where a read returns one packet.
const readFlags = 0
