package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/edge"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print what the servers behind the mapped addresses need to know",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newExportSNI(), newExportOrigins(), newExportAddresses())
	return cmd
}

// export is one run of an export command.
type export struct {
	load    exportedMap
	out     string
	output  output
	watch   bool
	linger  time.Duration
	format  string
	perm    fs.FileMode // of a new file
	command []string    // the command after a rewrite
	gather  func(*loaded)
	print   func(io.Writer, *loaded) error
	errs    io.Writer
}

// exportKind is one kind of export.
type exportKind struct {
	use, short, long string
	formats          []string // the first one is the default
	records          bool     // of the zone files are wanted, which hold origins
	// formatsOf has the formats that a flag is for, if it is not for all.
	formatsOf map[string][]string
	// check returns an error about the flags of the kind; it may be nil.
	check func() error
	// gather adds to a version what is printed of it.
	gather func(*loaded)
	// print has the printer of each format.
	print map[string]func(io.Writer, *loaded) error
}

// command makes the command of a kind of export.
func (k exportKind) command() *cobra.Command {
	x := &export{perm: 0o644, gather: k.gather}
	var anycast, zoneFiles []string
	var site string
	var etcd etcdFlags
	lingers := " An address that has gone stays for --linger."
	if k.records { // No origin lingers.
		lingers = ""
	}
	cmd := &cobra.Command{
		Use:   k.use + " MAP [flags] [-- COMMAND...]",
		Short: k.short,
		Long: k.long + `

With --watch, the output is written again whenever what is in force has changed it,
and the COMMAND is run after that, and at the start, again and again until it
succeeds. The map is loaded as the server loads it, with its guard and state: what
the server refuses changes nothing here. Give --state and the path of the map as the
Corefile has them.` + lingers + ` SIGHUP has the output written and the COMMAND run again,
unless the messages go to a terminal; SIGINT and SIGTERM end it.

A file that is there keeps its owner and mode, but that nobody else can read one that
holds origins.

Exit status: 0 good, 1 part of the map is refused and left out, 2 could not run.`,
		Example:           "  addressmap export " + k.use + " maps.yaml\n  addressmap export " + k.use + " maps.yaml --format " + k.formats[1] + " --out FILE --watch -- nginx -s reload",
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if x.load.opt.Path, x.command, err = splitArgs(cmd, args); err != nil {
				return err
			}
			if err := etcd.reach(&x.load.opt); err != nil {
				return err
			}
			if x.watch && x.out == "" {
				return argumentf("--watch needs --out: the file that is written again")
			}
			if len(x.command) > 0 && !x.watch {
				return argumentf("a command is run with --watch only")
			}
			if x.linger < 0 {
				return argumentf("--linger %s: write a duration that is not negative", x.linger)
			}
			if k.check != nil {
				if err := k.check(); err != nil {
					return err
				}
			}
			if err := k.refuseIdle(cmd, x); err != nil {
				return err
			}
			if x.load.opt.Compile, err = compileFlags(anycast, site); err != nil {
				return err
			}
			if err := x.load.parseZoneFiles(zoneFiles); err != nil {
				return err
			}
			x.print, x.errs, x.load.logf = k.print[x.format], cmd.ErrOrStderr(), x.logf
			x.output = output{x.out, cmd.OutOrStdout()}
			if err := x.output.refuseInMap(x.load.opt.Path); err != nil {
				return err
			}
			if err := x.output.refuseBelow(x.load.opt.State); err != nil {
				return err
			}
			if x.watch {
				x.load.opt.Poll = watchPoll
				return x.watchAndWrite(cmd.Context())
			}
			return x.writeOnce(cmd.OutOrStdout())
		},
	}
	choiceFlag(cmd, cmd.Flags(), &x.format, "format", k.formats, "how it is printed")
	cmd.Flags().StringVar(&x.out, "out", "", "write to `FILE`, not to the standard output")
	cmd.Flags().BoolVar(&x.watch, "watch", false, "write it again when what is in force changes")
	if !k.records {
		cmd.Flags().DurationVar(&x.linger, "linger", defaultLinger, "with --watch, for how long an address stays that has gone: twice the largest ttl of your directives")
	}
	cmd.Flags().StringSliceVar(&anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	siteFlag(cmd, &site)
	cmd.Flags().StringVar(&x.load.opt.State, "state", "", "the `directory` of the directive's state option: what the server has in force is read there, nothing is written")
	guardFlag(cmd, &x.load.opt.Guard)
	zoneFilesFlag(cmd, &x.load.opt.ZoneFiles)
	etcd.add(cmd)
	if k.records {
		x.load.records, x.perm = true, secret
		cmd.Flags().StringArrayVar(&zoneFiles, "zone-file", nil, "`ZONE=FILE`: the zone file of a zone whose map entry names none")
		_ = cmd.RegisterFlagCompletionFunc("zone-file", completeZoneFile)
	}
	return cmd
}

// refuseIdle returns an error if a flag is given that has no effect.
func (k exportKind) refuseIdle(cmd *cobra.Command, x *export) error {
	for _, name := range slices.Sorted(maps.Keys(k.formatsOf)) {
		formats := k.formatsOf[name]
		if err := refuseIdle(cmd, "--format "+orList(formats), slices.Contains(formats, x.format), name); err != nil {
			return err
		}
	}
	return cmp.Or(refuseIdle(cmd, "--watch", x.watch, "linger"),
		refuseIdle(cmd, "--state or --watch", x.watch || x.load.opt.State != "", "guard"))
}

// checkPort returns an error if the number of --port is no port.
func checkPort(n int) error {
	if n < 1 || n > 65535 {
		return argumentf("--port %d: write a port from 1 to 65535", n)
	}
	return nil
}

// splitArgs returns the path of the map and the command after "--".
func splitArgs(cmd *cobra.Command, args []string) (path string, run []string, err error) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args, run = args[:dash], args[dash:]
	}
	if len(args) != 1 {
		return "", nil, argumentf("want one MAP, got %d arguments", len(args))
	}
	return args[0], run, nil
}

// writeOnce writes the export of what is good of the map once.
func (x *export) writeOnce(stdout io.Writer) error {
	x.load.opt.Log = errorLog{x.logf}
	if err := x.load.open(); err != nil {
		return err
	}
	defer x.load.close()
	if x.load.opt.State != "" && !x.load.store.HasState() {
		return argumentf("--state %s: no server has a state of %s there: write the directory and the path of the map as the Corefile has them", x.load.opt.State, x.load.opt.Path)
	}
	l := x.load.read()
	if err := x.output.refuseInputs(l.paths...); err != nil {
		return err
	}
	x.gather(l)
	text, err := x.render(l)
	if err != nil {
		return err
	}
	for _, line := range l.warnings {
		fmt.Fprintln(x.errs, "warning: "+line)
	}
	if err := writeOut(stdout, x.out, text, x.perm); err != nil {
		return err
	}
	if n := len(l.refused); n > 0 {
		x.logf("files refused: %d, and what was written is of the others, and of last good versions in the state", n)
		return status(exitRefused)
	}
	return nil
}

// render returns the export.
func (x *export) render(l *loaded) ([]byte, error) {
	var b bytes.Buffer
	if err := x.print(&b, l); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// logf prints a line on the error stream.
func (x *export) logf(format string, args ...any) {
	fmt.Fprintf(x.errs, "addressmap: "+format+"\n", args...)
}

// errorLog is the log of a loader that loads once: what is refused, and nothing else.
type errorLog struct {
	logf func(format string, args ...any)
}

func (errorLog) Infof(string, ...any)                {}
func (errorLog) Warningf(string, ...any)             {}
func (l errorLog) Errorf(format string, args ...any) { l.logf(format, args...) }

func newExportSNI() *cobra.Command {
	tls := edge.TLS{}
	cmd := exportKind{
		use: "sni", short: "Which certificate a connection without SNI gets",
		long: `Print which certificate name belongs to a TLS connection without SNI on each mapped
address: the default_sni of its address map. A disabled map counts: it is disabled
for the DNS.

HAProxy and Envoy get a listener on every mapped address, with or without such a name.
With --routes, requests go on to what "addressmap export origins" writes for them.`,
		formats: []string{"json", "nginx", "haproxy", "envoy"},
		formatsOf: map[string][]string{
			"certs": {"haproxy", "envoy"}, "port": {"haproxy", "envoy"}, "routes": {"haproxy", "envoy"}, "cert": {"envoy"},
		},
		check: func() error {
			for i, text := range tls.Names {
				name, err := fqdn.Parse(text)
				if err != nil || !fqdn.Name(strings.TrimPrefix(string(name), "*.")).IsHostName() {
					return argumentf("--cert %q: write a host name, or a wildcard as *.example.org", text)
				}
				tls.Names[i] = strings.TrimSuffix(string(name), ".")
			}
			return checkPort(tls.Port)
		},
		gather: func(l *loaded) {
			l.addresses = edge.Addresses(l.sources, l.anycast)
			var warnings []string
			l.snis, warnings = edge.SNIs(l.sources)
			l.warnings = append(l.warnings, warnings...)
		},
		print: map[string]func(io.Writer, *loaded) error{
			"json":    func(w io.Writer, l *loaded) error { return writeJSON(w, l.snis) },
			"nginx":   func(w io.Writer, l *loaded) error { return edge.WriteNginxSNI(w, l.snis) },
			"haproxy": func(w io.Writer, l *loaded) error { return edge.WriteHAProxySNI(w, l.addresses, l.snis, tls) },
			"envoy": func(w io.Writer, l *loaded) error {
				if len(l.snis)+len(tls.Names) == 0 {
					l.warnings = append(l.warnings, "Envoy gets no listener: no map has a default_sni, and no --cert names a certificate")
				}
				return edge.WriteEnvoySNI(w, l.addresses, l.snis, tls)
			},
		},
	}.command()
	cmd.Flags().StringVar(&tls.Certs, "certs", "/etc/ssl/addressmap", "the `directory` of the certificates, for haproxy and envoy")
	cmd.Flags().StringSliceVar(&tls.Names, "cert", nil, "the `name` of one more certificate there, for envoy, which reads no directory; may be repeated")
	cmd.Flags().IntVar(&tls.Port, "port", 443, "the `port` to listen on, for haproxy and envoy")
	cmd.Flags().StringVar(&tls.Routes, "routes", "", "the `file` that the export of origins in the format haproxy-routes or envoy-routes writes")
	return cmd
}

func newExportOrigins() *cobra.Command {
	var o edge.Upstream
	var scheme string
	var resolvers []string
	var cmd *cobra.Command
	printed := func(print func(io.Writer, []edge.OriginServer, edge.Upstream) error) func(io.Writer, *loaded) error {
		return func(w io.Writer, l *loaded) error { return print(w, l.origins, o) }
	}
	cmd = exportKind{
		use: "origins", short: "Where the origin of each proxied name is",
		long: `Print where the origin of each proxied name is: its addresses in the zone files, or
the name that its CNAME leads to. The output holds what the DNS must not tell.

For HAProxy and Envoy, the backends and the routes to them are two files. An alias is
not followed to a proxied name of another account.`,
		formats: []string{"json", "nginx", "haproxy", "haproxy-routes", "envoy", "envoy-routes"},
		records: true,
		formatsOf: map[string][]string{
			"port": {"nginx", "haproxy", "envoy"}, "resolver": {"nginx", "haproxy", "envoy"}, "hash-sizes": {"nginx"},
			"scheme": {"haproxy", "envoy"}, "ca": {"haproxy", "envoy"},
		},
		check: func() (err error) {
			o.TLS = scheme == "https"
			if o.Resolvers, err = mapset.ParseAnycast(resolvers); err != nil {
				return argumentf("--resolver: %w", err)
			}
			return cmp.Or(checkPort(o.Port), refuseIdle(cmd, "--scheme https", o.TLS, "ca"))
		},
		gather: func(l *loaded) {
			var warnings []string
			l.origins, warnings = edge.OriginServers(l.version.Snapshot, l.files)
			l.warnings = append(l.warnings, warnings...)
		},
		print: map[string]func(io.Writer, *loaded) error{
			"json": func(w io.Writer, l *loaded) error { return writeJSON(w, l.origins) },
			"nginx": func(w io.Writer, l *loaded) error {
				if warning := edge.ResolverWarning(l.origins, o); warning != "" {
					l.warnings = append(l.warnings, warning)
				}
				return edge.WriteNginxOrigins(w, l.origins, o)
			},
			"haproxy":        printed(edge.WriteHAProxyOrigins),
			"haproxy-routes": func(w io.Writer, l *loaded) error { return edge.WriteHAProxyRoutes(w, l.origins) },
			"envoy":          printed(edge.WriteEnvoyOrigins),
			"envoy-routes":   func(w io.Writer, l *loaded) error { return edge.WriteEnvoyRoutes(w, l.origins) },
		},
	}.command()
	cmd.Flags().IntVar(&o.Port, "port", 443, "the `port` of the origins")
	choiceFlag(cmd, cmd.Flags(), &scheme, "scheme", []string{"https", "http"}, "how haproxy and envoy speak to origins; for nginx, proxy_pass says it")
	cmd.Flags().StringVar(&o.CA, "ca", "/etc/ssl/certs/ca-certificates.crt", "the `file` of the authorities of origins' certificates, for haproxy and envoy; empty takes any certificate")
	_ = cmd.Flags().SetAnnotation("ca", mayBeEmpty, []string{"true"})
	cmd.Flags().StringSliceVar(&resolvers, "resolver", nil, "the `addresses` of the resolvers for origins that are known by name")
	cmd.Flags().BoolVar(&o.HashSizes, "hash-sizes", true, "for nginx, write map_hash_max_size and map_hash_bucket_size too, which may stand only once, before any map")
	return cmd
}

func newExportAddresses() *cobra.Command {
	var device string
	cmd := exportKind{
		use: "addresses", short: "What addresses the edge must bind and accept",
		long: `Print the addresses that the edge must bind and accept: all that stand in the map, so
that an address is bound before it is answered. They come as a list, as sets of
nftables, as static routes of BIRD 2, or as a script of "ip addr" commands, which gives
a device of its own these addresses and no others.`,
		formats:   []string{"json", "list", "nftables", "bird", "ip"},
		formatsOf: map[string][]string{"device": {"ip"}},
		check: func() error {
			if !deviceName.MatchString(device) || device == "lo" {
				return argumentf("--device %q: write the name of a device that is for nothing else, of 15 letters, digits, \"-\" and \"_\" at most", device)
			}
			return nil
		},
		gather: func(l *loaded) { l.addresses = edge.Addresses(l.sources, l.anycast) },
		print: map[string]func(io.Writer, *loaded) error{
			"json":     func(w io.Writer, l *loaded) error { return writeJSON(w, l.addresses) },
			"list":     func(w io.Writer, l *loaded) error { return edge.WriteList(w, l.addresses) },
			"nftables": func(w io.Writer, l *loaded) error { return edge.WriteNftables(w, l.addresses) },
			"bird":     func(w io.Writer, l *loaded) error { return edge.WriteBIRD(w, l.addresses) },
			"ip":       func(w io.Writer, l *loaded) error { return edge.WriteIP(w, l.addresses, device) },
		},
	}.command()
	cmd.Flags().StringVar(&device, "device", "addressmap", "the `name` of the network device, for ip")
	return cmd
}

// deviceName is what a network device can be called, as far as the shell takes it as it is.
var deviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$`)
