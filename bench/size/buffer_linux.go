package main

import (
	"net"
	"syscall"
)

// forceBuffer makes the buffer larger than the limit of the system, if we may: root may.
func forceBuffer(conn *net.UDPConn, octets int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, octets)
	})
}
