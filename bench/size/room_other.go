//go:build !linux

package main

import "net"

// forceRoom leaves the buffer within the limit of the system.
func forceRoom(*net.UDPConn, int) error { return nil }
