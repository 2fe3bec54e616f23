//go:build unix

package etcd

import "syscall"

// The signals by which a process is stopped without ending it, and goes on.
const (
	sigStop     = syscall.SIGSTOP
	sigContinue = syscall.SIGCONT
)
