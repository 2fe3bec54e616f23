package source

import (
	"os"
	"syscall"
)

// openForWriting reports whether any process has f, which is open for reading alone,
// open for writing, and whether the kernel knows. The kernel refuses a read lease of
// a file that is open for writing with EAGAIN (fcntl(2), "Leases"). For a file of
// another owner without CAP_LEASE, and on NFS, it refuses every lease with another
// error.
//
// The lease is given up at once: as long as there is a lease, a process that opens
// the file for writing waits, or fails if it opens without waiting. For a process that
// opens the file between the two calls, the kernel sends a SIGIO to this process. Go's
// runtime handles and ignores that signal (os/signal, "Default behavior of signals in
// Go programs"), so that its default, to end the process, has no effect.
func openForWriting(f *os.File) (open, known bool) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, false
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		if errno = setLease(fd, syscall.F_RDLCK); errno == 0 {
			setLease(fd, syscall.F_UNLCK)
		}
	})
	if err != nil {
		return false, false
	}
	return errno == syscall.EAGAIN, errno == 0 || errno == syscall.EAGAIN
}

// setLease sets or removes a lease, and repeats an interrupted call.
func setLease(fd, kind uintptr) syscall.Errno {
	for {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETLEASE, kind); errno != syscall.EINTR {
			return errno
		}
	}
}
