package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/edge"
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
	load         loader
	out          string
	output       output
	watch        bool
	format       string
	perm         fs.FileMode // of a new file
	watchedPaths []string    // paths
	command      []string    // the command after a rewrite
	print        func(io.Writer, *loaded) error
	errs         io.Writer
}

// exportCommand makes the command of one kind of export. The first of its formats is
// the default; printer returns the function that prints a format.
func exportCommand(use, short, long string, formats []string, printer func(format string) (func(io.Writer, *loaded) error, error)) *cobra.Command {
	x := &export{perm: 0o644}
	var anycast, zoneFiles []string
	cmd := &cobra.Command{
		Use:   use + " MAP [flags] [-- COMMAND...]",
		Short: short,
		Long: long + `

With --watch, the output is written again whenever the map or a zone file has
changed it, and the COMMAND is run after that. A map that is refused changes
nothing: what was good of it stays.

Exit status: 0 good, 1 part of the map is refused and left out, 2 could not run.`,
		Example:           "  addressmap export " + use + " maps.yaml\n  addressmap export " + use + " maps.yaml --format " + formats[1] + " --out FILE --watch -- nginx -s reload",
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if x.load.path, x.command, err = splitArgs(cmd, args); err != nil {
				return err
			}
			if x.watch && x.out == "" {
				return argumentf("--watch needs --out: the file that is written again")
			}
			if len(x.command) > 0 && !x.watch {
				return argumentf("a command is run with --watch only")
			}
			if x.print, err = printer(x.format); err != nil {
				return err
			}
			if x.load.anycast, err = mapset.ParseAnycast(anycast); err != nil {
				return fmt.Errorf("--anycast: %w", err)
			}
			if err := x.load.parseZoneFiles(zoneFiles); err != nil {
				return err
			}
			x.errs = cmd.ErrOrStderr()
			x.output = output{x.out, cmd.OutOrStdout()}
			if err := x.output.refuseInMap(x.load.path); err != nil {
				return err
			}
			if x.watch {
				return x.watchAndWrite(cmd.Context())
			}
			return x.writeOnce(cmd.OutOrStdout())
		},
	}
	choiceFlag(cmd, &x.format, "format", formats, "how it is printed")
	cmd.Flags().StringVar(&x.out, "out", "", "write to `FILE`, not to the standard output")
	cmd.Flags().BoolVar(&x.watch, "watch", false, "write it again when the map changes")
	cmd.Flags().StringSliceVar(&anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	zoneFilesFlag(cmd, &x.load.dirs)
	if use == "origins" {
		x.load.records, x.perm = true, secret
		cmd.Flags().StringArrayVar(&zoneFiles, "zone-file", nil, "`ZONE=FILE`: the zone file of a zone whose map entry names none")
		_ = cmd.RegisterFlagCompletionFunc("zone-file", completeZoneFile)
	}
	return cmd
}

// checkPort returns an error if the number of --port is no port.
func checkPort(n int) error {
	if n < 1 || n > 65535 {
		return fmt.Errorf("--port %d: write a port from 1 to 65535", n)
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
	l, err := x.load.load(nil)
	if err != nil {
		return err
	}
	for _, err := range l.refused {
		x.logf("%v", err)
	}
	if err := x.output.refuseInputs(l.paths...); err != nil {
		return err
	}
	text, err := x.text(l)
	if err != nil {
		return err
	}
	if err := writeOut(stdout, x.out, text, x.perm); err != nil {
		return err
	}
	if n := len(l.refused); n > 0 {
		x.logf("files refused: %d, and what was written is of the others", n)
		return status(exitRefused)
	}
	return nil
}

// text returns the export, and prints warnings on the error stream.
func (x *export) text(l *loaded) ([]byte, error) {
	var b bytes.Buffer
	if err := x.print(&b, l); err != nil {
		return nil, err
	}
	for _, w := range l.warnings {
		fmt.Fprintln(x.errs, "warning: "+w)
	}
	return b.Bytes(), nil
}

// printerOf returns the printer of a format.
func printerOf[T any](format string, from map[string]func(io.Writer, []T) error, get func(*loaded) []T) (func(io.Writer, *loaded) error, error) {
	from["json"] = writeJSON[[]T]
	print, ok := from[format]
	if !ok {
		return nil, fmt.Errorf("unknown format %q: write %s", format, orList(slices.Sorted(maps.Keys(from))))
	}
	return func(w io.Writer, l *loaded) error { return print(w, get(l)) }, nil
}

func newExportSNI() *cobra.Command {
	tls := edge.TLS{}
	cmd := exportCommand("sni", "Which certificate a connection without SNI gets",
		`Print which certificate name belongs to a TLS connection without SNI on each mapped
address: the default_sni of its address map. A disabled map counts: it is disabled
for the DNS.`,
		[]string{"json", "nginx", "haproxy", "envoy"},
		func(format string) (func(io.Writer, *loaded) error, error) {
			if err := checkPort(tls.Port); err != nil {
				return nil, err
			}
			return printerOf(format, map[string]func(io.Writer, []edge.SNI) error{
				"nginx":   edge.WriteNginxSNI,
				"haproxy": func(w io.Writer, list []edge.SNI) error { return edge.WriteHAProxySNI(w, list, tls) },
				"envoy":   func(w io.Writer, list []edge.SNI) error { return edge.WriteEnvoySNI(w, list, tls) },
			}, func(l *loaded) []edge.SNI {
				list, warnings := edge.SNIs(l.sources)
				l.warnings = append(l.warnings, warnings...)
				return list
			})
		})
	cmd.Flags().StringVar(&tls.Certs, "certs", "/etc/ssl/addressmap", "the `directory` of the certificates, for haproxy and envoy")
	cmd.Flags().IntVar(&tls.Port, "port", 443, "the `port` to listen on, for haproxy and envoy")
	return cmd
}

func newExportOrigins() *cobra.Command {
	port := 443
	cmd := exportCommand("origins", "Where the origin of each proxied name is",
		`Print where the origin of each proxied name is: its addresses in the zone files, or
the name that its CNAME leads to. The output holds what the DNS must not tell.`,
		[]string{"json", "nginx"},
		func(format string) (func(io.Writer, *loaded) error, error) {
			if err := checkPort(port); err != nil {
				return nil, err
			}
			return printerOf(format, map[string]func(io.Writer, []edge.OriginServer) error{
				"nginx": func(w io.Writer, list []edge.OriginServer) error { return edge.WriteNginxOrigins(w, list, port) },
			}, func(l *loaded) []edge.OriginServer {
				list, warnings := edge.OriginServers(l.snapshot, l.files)
				l.warnings = append(l.warnings, warnings...)
				return list
			})
		})
	cmd.Flags().IntVar(&port, "port", port, "the `port` of the origins, for nginx")
	return cmd
}

func newExportAddresses() *cobra.Command {
	return exportCommand("addresses", "What addresses the edge must bind and accept",
		`Print the addresses that the edge must bind and accept: all that stand in the map, so
that an address is bound before it is answered.`,
		[]string{"json", "list", "nftables"},
		func(format string) (func(io.Writer, *loaded) error, error) {
			return printerOf(format, map[string]func(io.Writer, []edge.Address) error{
				"list": edge.WriteList, "nftables": edge.WriteNftables,
			}, func(l *loaded) []edge.Address { return edge.Addresses(l.sources, l.anycast) })
		})
}
