package addressmap

import (
	"fmt"
	"strings"
	"sync"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/addressmap/addressmap/plugin/printable"
)

// log logs for the plugin.
var log = logger{clog.NewWithPlugin(pluginName), new(sync.Mutex)}

// logger is CoreDNS's log for a plugin that quotes what tenants have written: what they
// hide is made visible, and an error of several lines is an entry a line, each with the
// plugin's prefix, so that none can be taken for one of another plugin. All but the first
// are indented.
type logger struct {
	to   clog.P
	turn *sync.Mutex // held while the lines of one error are written
}

func (l logger) Infof(format string, args ...any)    { l.each(l.to.Info, format, args) }
func (l logger) Warningf(format string, args ...any) { l.each(l.to.Warning, format, args) }
func (l logger) Errorf(format string, args ...any)   { l.each(l.to.Error, format, args) }

func (l logger) each(log func(...any), format string, args []any) {
	l.turn.Lock()
	defer l.turn.Unlock()
	indent := ""
	for line := range strings.SplitSeq(printable.Text(fmt.Sprintf(format, args...)), "\n") {
		log(indent + line)
		indent = "  "
	}
}
