package addressmap

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/nearest"
	"github.com/addressmap/addressmap/plugin/source/etcd"
)

// options is one directive as written, defaults filled in.
type options struct {
	path     string
	place    string // of the directive in the Corefile
	tlsPlace string // of its option tls; "" if absent
	zones    []string
	compile  mapset.Options
	answer   answer.Options
	transfer transferMode
	poll     time.Duration // 0 is off
	state    string        // directory; "" is off
	drains   string        // file or directory; "" is off
	guard    int           // percent; 0 is off
	presence time.Duration // 0 is off
	lane     laneMode

	zoneFiles []string // directories
	etcd      etcd.Options
}

// Defaults of the options.
const (
	defaultPoll = 30 * time.Second
	defaultLook = 10 * time.Minute // the poll of a map in etcd, which has a watch that loses nothing
	minPoll     = 100 * time.Millisecond
	defaultALPN = "h2"
	// Long enough for a name that is asked for often to be asked of the backend
	// seldom, short enough for a deleted one to be gone before anybody wonders.
	defaultPresence = 5 * time.Second
)

// live is what the options say about keeping the map in force.
func (o *options) live(sh *share) live.Options {
	return live.Options{
		Path: o.path, Poll: o.poll, Etcd: o.etcd, Compile: o.compile, Guard: o.guard, Log: log,
		Loaded:    sh.loaded,
		Related:   sh.related,
		ZoneFiles: o.zoneFiles,
		State:     o.state,
		Drains:    o.drains,
		Owner:     o.path, // what stays when a reload brings another list of zones
		Settings:  o.settings(),
	}
}

// settings is what of the options decides what a transfer holds.
func (o *options) settings() string {
	s := fmt.Sprintf("anycast %v ttl %d missing_family next %t", o.compile.Anycast, o.answer.TTL, o.compile.PerFamily)
	if o.compile.Site != "" { // What is not written is left out, as the state had it before there was the option.
		s += fmt.Sprintf(" site %q", o.compile.Site)
	}
	if o.compile.DrainNext {
		s += " drain_last next"
	}
	return s
}

// parse reads the directive. It is pure: it opens nothing. An error names the
// line of the Corefile.
func parse(c *caddy.Controller) (*options, error) {
	o := &options{answer: answer.Options{TTL: answer.DefaultTTL}, transfer: transferMapped, poll: defaultPoll, presence: defaultPresence}
	for n := 0; c.Next(); n++ {
		if n > 0 {
			return nil, c.Err("only one addressmap may stand in a server block: merge the two, or give each a block of its own")
		}
		o.place = fmt.Sprintf("%s:%d", c.File(), c.Line())
		args := c.RemainingArgs()
		if len(args) == 0 || args[0] == "" {
			return nil, c.Err("the map is missing: write addressmap MAP [ZONES...]")
		}
		o.path = args[0]
		var err error
		if o.zones, err = parseZones(args[1:], c.ServerBlockKeys); err != nil {
			return nil, c.Err(err.Error())
		}
		seen := make(map[string]bool)
		for c.NextBlock() {
			name := c.Val()
			if seen[name] {
				return nil, c.Errf("%s stands twice: keep one of the two", name)
			}
			seen[name] = true
			if name == "tls" {
				o.tlsPlace = fmt.Sprintf("%s:%d", c.File(), c.Line())
			}
			option, ok := optionParsers[name]
			if !ok {
				return nil, c.Err(unknownOption(name))
			}
			if err := option(o, c.RemainingArgs()); err != nil {
				return nil, c.Errf("%s: %v", name, err)
			}
			if seen["site"] && seen["anycast"] {
				return nil, c.Err("site and anycast together: keep anycast to answer these addresses here, or site to answer those that the map has for it")
			}
			if err := o.checkEtcd(name); err != nil {
				return nil, c.Errf("%s: %v", name, err)
			}
		}
		if err := o.finishEtcd(seen); err != nil {
			return nil, c.Err(err.Error())
		}
	}
	return o, nil
}

// unknownOption says what options there are, and which of them may be meant.
func unknownOption(name string) string {
	known := slices.Sorted(maps.Keys(optionParsers))
	meant := ""
	if near := nearest.Word(name, known); near != "" {
		meant = fmt.Sprintf("did you mean %s? ", near)
	}
	return fmt.Sprintf("unknown option %q: %sknown are %s", name, meant, strings.Join(known, ", "))
}

// optionParsers read the arguments of each option.
var optionParsers = map[string]func(o *options, args []string) error{
	"anycast":        (*options).parseAnycast,
	"site":           (*options).parseSite,
	"ttl":            (*options).parseTTL,
	"missing_family": (*options).parseMissingFamily,
	"https":          (*options).parseHTTPS,
	"transfer":       (*options).parseTransfer,
	"reload":         (*options).parseReload,
	"state":          (*options).parseState,
	"guard":          (*options).parseGuard,
	"presence":       (*options).parsePresence,
	"lane":           (*options).parseLane,
	"unlisted":       (*options).parseUnlisted,
	"zone_files":     (*options).parseZoneFiles,
	"drains":         (*options).parseDrains,
	"drain_last":     (*options).parseDrainLast,
	"endpoint":       (*options).parseEndpoint,
	"credentials":    (*options).parseCredentials,
	"tls":            (*options).parseTLS,
	"announce":       (*options).parseAnnounce,
	"stage":          (*options).parseStage,
}

func (o *options) parseAnycast(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("write at least one address")
	}
	var err error
	o.compile.Anycast, err = mapset.ParseAnycast(args)
	return err
}

func (o *options) parseSite(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	if arg == "" {
		return fmt.Errorf("the site has no name: write one that stands under sites in the map")
	}
	o.compile.Site = arg
	return nil
}

func (o *options) parseTTL(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	o.answer.TTL, err = answer.ParseTTL(arg)
	return err
}

func (o *options) parseMissingFamily(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	switch arg {
	case "nodata":
	case "next":
		o.compile.PerFamily = true
	default:
		return fmt.Errorf("%q is neither nodata nor next", arg)
	}
	return nil
}

func (o *options) parseHTTPS(args []string) error {
	for i, arg := range args {
		switch {
		case arg == "":
			return fmt.Errorf("an ALPN is empty: write one such as h2, or none at all for %s", defaultALPN)
		case len(arg) > 255:
			return fmt.Errorf("the ALPN %q is longer than 255 octets: write one such as h2", arg)
		case slices.Contains(args[:i], arg):
			return fmt.Errorf("the ALPN %q stands twice: keep one of the two", arg)
		}
	}
	o.answer.ALPN = args
	if len(args) == 0 {
		o.answer.ALPN = []string{defaultALPN}
	}
	return nil
}

func (o *options) parseTransfer(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	switch mode := transferMode(arg); mode {
	case transferMapped, transferBackend, transferRefuse:
		o.transfer = mode
		return nil
	}
	return fmt.Errorf("%q is none of mapped, origin and refuse", arg)
}

func (o *options) parseReload(args []string) (err error) {
	o.poll, err = durationOrOff(args)
	if err == nil && o.poll != 0 && o.poll < minPoll {
		err = fmt.Errorf("%q is too often: write %s or more, or off", args[0], minPoll)
	}
	return err
}

func (o *options) parsePresence(args []string) (err error) {
	o.presence, err = durationOrOff(args)
	return err
}

func (o *options) parseUnlisted(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	switch arg {
	case "pass":
	case "refuse":
		o.answer.RefuseUnlisted = true
	default:
		return fmt.Errorf("%q is neither pass nor refuse", arg)
	}
	return nil
}

func (o *options) parseLane(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	switch arg {
	case "on":
		o.lane = laneOn
	case "off":
		o.lane = laneOff
	default:
		return fmt.Errorf("%q is neither on nor off", arg)
	}
	return nil
}

// durationOrOff reads a duration; "off" is 0.
func durationOrOff(args []string) (time.Duration, error) {
	arg, err := single(args)
	if err != nil || arg == "off" {
		return 0, err
	}
	d, err := time.ParseDuration(arg)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no duration: write one such as 30s, or off", arg)
	}
	return d, nil
}

func (o *options) parseState(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	if arg == "" {
		return fmt.Errorf("the directory has no name: write its path")
	}
	o.state = arg
	return nil
}

func (o *options) parseDrains(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	if arg == "" {
		return fmt.Errorf("the file has no name: write its path, or that of a directory")
	}
	o.drains = filepath.Clean(arg)
	if path := filepath.Clean(o.path); o.drains == path || filepath.Dir(o.drains) == path || filepath.Dir(path) == o.drains {
		return fmt.Errorf("%q and the map %q are in one place: keep drains in a directory of their own", arg, o.path)
	}
	return nil
}

func (o *options) parseDrainLast(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	switch arg {
	case "keep":
	case "next":
		o.compile.DrainNext = true
	default:
		return fmt.Errorf("%q is neither keep nor next", arg)
	}
	return nil
}

func (o *options) parseZoneFiles(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("write at least one directory")
	}
	for _, arg := range args {
		if arg == "" {
			return fmt.Errorf("a directory has no name: write its path")
		}
		dir := filepath.Clean(arg)
		if slices.Contains(o.zoneFiles, dir) {
			return fmt.Errorf("%q stands twice: keep one of the two", arg)
		}
		o.zoneFiles = append(o.zoneFiles, dir)
	}
	return nil
}

func (o *options) parseGuard(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	o.guard, err = mapset.ParseGuard(arg)
	return err
}

func single(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("takes one argument, not %d", len(args))
	}
	return args[0], nil
}

// acting returns the zones that the directive acts for.
func (o *options) acting() (fqdn.Set, error) {
	set := make(fqdn.Set, len(o.zones))
	for _, z := range o.zones {
		n, err := fqdn.Parse(z)
		if err != nil {
			return nil, fmt.Errorf("zone %q: %w", z, err)
		}
		set[n] = struct{}{}
	}
	return set, nil
}
