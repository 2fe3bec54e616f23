//go:build !linux

package pace

// give does nothing: only Linux has priorities of threads.
func give() {}
