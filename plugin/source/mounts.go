package source

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// mountInfo lists the mounts this process sees; see proc_pid_mountinfo(5). Other
// systems have no such file and no mounts of single files.
const mountInfo = "/proc/self/mountinfo"

// mountPoints returns the mount points that the file info lists; info is mountInfo
// but in tests. A file that is mounted itself (docker run -v
// map.yaml:/etc/map.yaml) must be watched itself: the events of its writes go to the
// directory that it was mounted from, not to the directory of the mount point.
func mountPoints(info string) (map[string]bool, error) {
	data, err := os.ReadFile(info)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	points := make(map[string]bool)
	for line := range bytes.Lines(data) {
		if f := bytes.Fields(line); len(f) > 4 {
			points[unescape.Replace(string(f[4]))] = true
		}
	}
	return points, nil
}

// unescape undoes what the kernel writes for space, tab, newline and backslash.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
