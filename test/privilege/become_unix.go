//go:build unix

package privilege

import (
	"errors"
	"syscall"
)

// become gives the process to another user.
func become(user int) error { return errors.Join(syscall.Setgid(user), syscall.Setuid(user)) }
