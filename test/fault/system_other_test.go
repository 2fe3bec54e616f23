//go:build !unix

package fault

import "errors"

// The tests that need these are compiled on other systems, no more.

func mkfifo(string) error  { return errors.ErrUnsupported }
func becomeUser(int) error { return errors.ErrUnsupported }
