package pace

import "syscall"

// give lets other threads of the system go before the calling one. It cannot be taken
// back without privileges.
func give() {
	// Without success the load is as urgent as the queries, and nothing else is amiss.
	if p, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err == nil {
		usual := 20 - p // the kernel counts the other way round, see getpriority(2)
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, usual+nice)
	}
}
