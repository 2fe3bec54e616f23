package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Memory is what a process has of the machine's memory, in bytes.
type Memory struct {
	Resident int64 // now
	Peak     int64 // at most, ever
}

// Memory returns what the server has now.
func (s *Server) Memory() (Memory, error) { return memoryOf(s.cmd.Process.Pid) }

// OwnMemory returns what this process has now.
func OwnMemory() (Memory, error) { return memoryOf(os.Getpid()) }

func memoryOf(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		kb, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			m.Resident = kb << 10
		case "VmHWM:":
			m.Peak = kb << 10
		}
	}
	return m, nil
}

// tick is the unit of CPU time in /proc: USER_HZ, which is 100 wherever Go runs.
const tick = 10 * time.Millisecond

// Usage is the CPU time that a server has used since its start.
type Usage struct {
	All    time.Duration // in user and kernel mode
	Kernel time.Duration // in kernel mode alone
}

// Sub returns the time between two measurements.
func (u Usage) Sub(before Usage) Usage { return Usage{u.All - before.All, u.Kernel - before.Kernel} }

// Add returns the time of two turns.
func (u Usage) Add(o Usage) Usage { return Usage{u.All + o.All, u.Kernel + o.Kernel} }

// CPU returns the CPU time that the server has used, with that of the processes it has
// started. On a machine that does other things too it says more than the clock.
func (s *Server) CPU() (Usage, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return Usage{}, err
	}
	parent, used := make(map[int]int), make(map[int]Usage)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent[pid], used[pid] = parseStat(string(stat))
	}
	var sum Usage
	for pid := range used {
		for p := pid; p > 1; p = parent[p] {
			if p == s.cmd.Process.Pid {
				sum = sum.Add(used[pid])
				break
			}
		}
	}
	return sum, nil
}

// OwnCPU returns the CPU time that this process has used, without those it has started.
func OwnCPU() (Usage, error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return Usage{}, err
	}
	_, used := parseStat(string(stat))
	return used, nil
}

// parseStat returns the parent of a process and the CPU time it has used.
func parseStat(stat string) (parent int, used Usage) {
	// The name, in parentheses, may hold anything; see proc(5) for the rest.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, Usage{}
	}
	parent, _ = strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	kernel, _ := strconv.Atoi(fields[12])
	return parent, Usage{All: time.Duration(user+kernel) * tick, Kernel: time.Duration(kernel) * tick}
}
