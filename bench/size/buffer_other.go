//go:build !linux

package main

import "net"

// forceBuffer leaves the buffer within the limit of the system.
func forceBuffer(*net.UDPConn, int) error { return nil }
