//go:build !linux

package run

import "os/exec"

// endWithUs does nothing: only Linux ends a command when its parent ends.
func endWithUs(*exec.Cmd) {}
