package rig

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Shape describes when and where a run took place, as lines of Markdown: the
// date, the machine without its name, and the versions of what took part.
func Shape(programs ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s; load average before: %s\n", time.Now().Format("2006-01-02"), loadAverage())
	fmt.Fprintf(&b, "- %d cores, %s, %s GB of memory, %s\n", runtime.NumCPU(), cpuModel(), memory(), runtime.GOOS+"/"+runtime.GOARCH)
	versions := []string{runtime.Version(), "addressmap " + revision(), "CoreDNS " + moduleVersion("github.com/coredns/coredns")}
	for _, program := range programs {
		if v := versionOf(program); v != "" {
			versions = append(versions, v)
		}
	}
	fmt.Fprintf(&b, "- %s\n", strings.Join(versions, ", "))
	return b.String()
}

// loadAverage returns that of the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

func cpuModel() string {
	return procField("/proc/cpuinfo", "model name")
}

func memory() string {
	var kb int
	if _, err := fmt.Sscan(procField("/proc/meminfo", "MemTotal"), &kb); err != nil {
		return "?"
	}
	return fmt.Sprint((kb + 1<<19) >> 20)
}

// procField returns what follows a key and a colon in a file of /proc.
func procField(path, key string) string {
	b, _ := os.ReadFile(path) // Linux alone has it
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// revision returns the commit that is measured.
func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "(no commit)"
	}
	return strings.TrimSpace(string(out))
}

// moduleVersion returns the version of a module that the checkout's binaries are built
// with.
func moduleVersion(path string) string {
	top, err := checkout()
	if err != nil {
		return "(unknown)"
	}
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path)
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		return "(unknown)"
	}
	return strings.TrimSpace(string(out))
}

var version = regexp.MustCompile(`[0-9]+\.[0-9]+(\.[0-9]+)?`)

// versionOf returns name and version of an installed program, "" if there is
// none.
func versionOf(program string) string {
	flag := map[string]string{"nsd": "-v", "dnsperf": "-h"}[program]
	if flag == "" {
		flag = "--version"
	}
	path, err := LookPath(program)
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, flag).CombinedOutput() // nsd -v ends with status 1
	for line := range strings.Lines(string(out)) {
		if strings.Contains(strings.ToLower(line), "version") || strings.HasPrefix(line, program) {
			if v := version.FindString(line); v != "" {
				return program + " " + v
			}
		}
	}
	return program
}
