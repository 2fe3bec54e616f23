//go:build !unix

package privilege

import "errors"

// become fails: the tests that need it are compiled on other systems, no more.
func become(int) error { return errors.ErrUnsupported }
