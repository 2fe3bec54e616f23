package fault

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/coredns/caddy"
	"github.com/prometheus/client_golang/prometheus"
)

func init() { asChild = runChild }

// runChild is CoreDNS as its main function runs it, signals and all. It takes
// commands from its standard input, about what the system gives it, and answers each with
// a line.
func runChild(corefile string) {
	caddy.SetDefaultCaddyfileLoader("child", caddy.LoaderFunc(func(string) (caddy.Input, error) {
		text, err := os.ReadFile(corefile)
		return caddy.CaddyfileInput{Contents: text, Filepath: corefile, ServerTypeName: "dns"}, err
	}))
	caddy.TrapSignals()
	input, err := caddy.LoadCaddyfile("dns")
	if err == nil {
		_, err = caddy.Start(input)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("started")
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		var what string
		var n int64
		_, err := fmt.Sscan(s.Text(), &what, &n)
		if err == nil {
			err = childCommands[what](n)
		}
		fmt.Println(what, err)
	}
	os.Exit(0) // Its parent has gone.
}

// filler are descriptors that are open for nothing.
var filler []int

// ballast fills the heap so far that a load would go beyond the limit, and leaves enough for
// the garbage collector not to run all the time, which a busy machine has no time for. Nobody
// writes to it, so that it takes no memory.
var ballast []byte

// childCommands are those that the child understands; 0 takes away, 1 gives back.
var childCommands = map[string]func(int64) error{
	"descriptors": func(n int64) error {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
		limit.Cur = min(256, limit.Max)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
		for n == 0 {
			fd, err := syscall.Dup(0)
			if err != nil {
				return nil // All are taken.
			}
			filler = append(filler, fd)
		}
		for _, fd := range filler {
			_ = syscall.Close(fd)
		}
		filler = nil
		return nil
	},
	"disk": func(n int64) error { // Files cannot grow.
		limit := syscall.Rlimit{Cur: math.MaxUint64, Max: math.MaxUint64}
		if n == 0 {
			limit.Cur = 0
		}
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	},
	"memory": func(n int64) error {
		ballast = nil
		debug.SetMemoryLimit(math.MaxInt64)
		if n == 0 {
			ballast = make([]byte, 1<<30)
			debug.SetMemoryLimit(int64(len(ballast)) / 100 * 108)
		}
		return nil
	},
	"inotify": func(n int64) error { // of the namespace of users of this process alone
		return os.WriteFile("/proc/sys/user/max_inotify_watches", fmt.Append(nil, n*1000), 0o644)
	},
	"degraded": func(int64) error {
		families, _ := prometheus.DefaultGatherer.Gather() // What is about the process may fail without descriptors.
		for _, f := range families {
			if f.GetName() == "coredns_addressmap_degraded" {
				for _, m := range f.GetMetric() {
					return fmt.Errorf("%v", m.GetGauge().GetValue())
				}
			}
		}
		return fmt.Errorf("unknown")
	},
}

// childProcess is a child as its parent sees it.
type childProcess struct {
	cmd     *exec.Cmd
	in      *os.File
	out     *bufio.Scanner
	log     syncBuffer
	ended   chan struct{} // closed when it has ended
	private bool          // it has a namespace of users of its own
}

// syncBuffer is a buffer that is safe for concurrent use.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startChild starts a child, in a namespace of users of its own if it can have one, for
// its limits of inotify to be its own. It returns an error if the child does not come to
// serve.
func startChild(corefile string) (*childProcess, error) {
	c, err := spawnChild(corefile, true)
	if c == nil {
		c, err = spawnChild(corefile, false)
	}
	return c, err
}

func spawnChild(corefile string, private bool) (*childProcess, error) {
	r, w, err := os.Pipe()
	mustDisk(err)
	defer r.Close()
	c := &childProcess{cmd: exec.Command(os.Args[0]), in: w, ended: make(chan struct{}), private: private}
	c.cmd.Env = append(os.Environ(), childVar+"="+corefile)
	c.cmd.Stdin, c.cmd.Stderr = r, &c.log
	if private {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		}
	}
	out, outW, err := os.Pipe()
	mustDisk(err)
	c.cmd.Stdout = outW
	err = c.cmd.Start()
	outW.Close()
	if err != nil {
		w.Close()
		out.Close()
		return nil, err
	}
	c.out = bufio.NewScanner(out)
	go func() {
		_ = c.cmd.Wait() // How it ended is in its state.
		close(c.ended)
	}()
	if !c.out.Scan() {
		<-c.ended
		w.Close()
		return c, fmt.Errorf("it does not start: %v: %s", c.cmd.ProcessState, &c.log)
	}
	return c, nil
}

// tell gives the child a command and returns what it answers.
func (c *childProcess) tell(command string, n int) string {
	if _, err := fmt.Fprintln(c.in, command, n); err != nil {
		return err.Error()
	}
	if !c.out.Scan() {
		return "it has ended"
	}
	_, answer, _ := strings.Cut(c.out.Text(), " ")
	return answer
}

// end waits until the child has ended.
func (c *childProcess) end() {
	<-c.ended
	c.in.Close()
}
