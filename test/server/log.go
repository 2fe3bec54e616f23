package server

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// Log is what CoreDNS has logged. It is safe for concurrent use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Complaints returns the first line of each error of addressmap: further lines are
// indented. Other plugins log errors too: file looks once a minute for the zone file of a
// server that failed to start.
func (l *Log) Complaints() []string {
	const prefix = "[ERROR] plugin/addressmap: "
	return slices.DeleteFunc(l.Lines(prefix), func(line string) bool { return strings.Contains(line, prefix+"  ") })
}

// Lines returns the lines that contain text.
func (l *Log) Lines(text string) []string {
	var out []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}
