package source

import (
	"os"
	"syscall"
)

// openForWriting reports whether any process has f open for writing, f being open
// for reading alone, and whether the kernel would say at all. It says so by
// refusing a read lease with EAGAIN (fcntl(2), "Leases"); for a file of another
// owner without CAP_LEASE, and on NFS, it refuses every lease otherwise.
//
// The lease is given up at once: while it is held, whoever opens the file for
// writing is made to wait, or fails if it will not. One who comes between the two
// calls has the kernel send a SIGIO to this process. Go's runtime handles that
// signal on its own and ignores it (os/signal, "Default behavior of signals in Go
// programs"), so that its default, which is to end the process, is never taken.
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

func setLease(fd, kind uintptr) syscall.Errno {
	for {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETLEASE, kind); errno != syscall.EINTR {
			return errno
		}
	}
}
