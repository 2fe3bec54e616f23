package etcd

import "syscall"

// Windows has no such signals, and nobody runs these tests there.
const (
	sigStop     = syscall.SIGKILL
	sigContinue = syscall.SIGKILL
)
