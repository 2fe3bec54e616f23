//go:build unix

package fault

import (
	"errors"
	"syscall"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o644) }

// becomeUser gives up the privileges of this process.
func becomeUser(id int) error { return errors.Join(syscall.Setgid(id), syscall.Setuid(id)) }
