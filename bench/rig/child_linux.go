package rig

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the system end a command when this process ends, however that does.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
