//go:build !unix

package fault

import "errors"

// mkfifo is compiled on other systems, no more.
func mkfifo(string) error { return errors.ErrUnsupported }
