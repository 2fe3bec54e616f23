package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/mapedit"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/printable"
)

func newDrain() *cobra.Command {
	var run drainRun
	var reason, by string
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "drain TARGET... --reason R --for D {--file FILE | --to etcd:PATH} [--dry-run MAP]",
		Short: "Take addresses out of the answers for a time",
		Long: `Take addresses out of the answers for a time: of a prefix, one address, site:NAME or
map:ID. It is written into a file of drains that servers read (the option drains), beside
what others have written there, and is in force within a second. It ends by itself, or by
addressmap undrain. A step that would be left without an address of a family ignores the
drain, or falls back: --dry-run says what happens to which names, and writes nothing.

Exit status: 0 done, 1 the file of drains is refused and stays as it is, or with --dry-run
the map is, 2 could not run.`,
		Example: `  addressmap drain 203.0.113.0/24 --reason "fibre cut, T1234" --for 2h --file drains.yaml
  addressmap drain map:storefront --reason T1234 --for 30m --to etcd:/addressmap
  addressmap drain 203.0.113.7 --reason T1234 --for 2h --file drains.yaml --dry-run maps.yaml`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case reason == "":
				return argumentf("--reason is missing: who finds the drain at night wants to know why")
			case lasts <= 0 && cmd.Flags().Changed("for"):
				return argumentf("--for %s is over before the drain begins: write how long the drain lasts, as in --for 2h; addressmap undrain ends one", lasts)
			case lasts <= 0:
				return argumentf("--for is missing: write how long the drain lasts, as in --for 2h; it ends by itself")
			}
			targets, err := parseTargets(args)
			if err != nil {
				return err
			}
			until := time.Now().Add(lasts).Truncate(time.Second)
			for i := range targets {
				// No since: the drain begins at once on a server whose clock is behind as well.
				targets[i].Reason, targets[i].By, targets[i].Until = reason, by, until
			}
			return run.drain(cmd, args, targets)
		},
	}
	run.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a `line` for who finds the drain")
	_ = cmd.Flags().SetAnnotation("reason", mayBeEmpty, []string{"true"}) // and is missing then
	cmd.Flags().DurationVar(&lasts, "for", 0, "how long the drain lasts, as in 2h or 90m")
	cmd.Flags().StringVar(&by, "by", whoPushes(), "who drains")
	cmd.Flags().Lookup("by").DefValue = "you"
	return cmd
}

func newUndrain() *cobra.Command {
	var run drainRun
	cmd := &cobra.Command{
		Use:   "undrain TARGET... {--file FILE|DIR | --to etcd:PATH} [--dry-run MAP]",
		Short: "End a drain",
		Long: `End every drain of a prefix, an address, site:NAME or map:ID, as addressmap drains lists
it, whoever wrote it: its entry goes, or the one address of several. What else the files
hold stays.

Exit status: 0 done, 1 nothing like that is drained, or a file of drains is refused or
cannot be read and stays as it is, 2 could not run.`,
		Example: `  addressmap undrain 203.0.113.0/24 --file drains.yaml
  addressmap undrain map:storefront --to etcd:/addressmap`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			targets, err := parseTargets(args)
			if err != nil {
				return err
			}
			return run.undrain(cmd, args, targets)
		},
	}
	run.add(cmd)
	return cmd
}

// drainRun is one run of drain or undrain.
type drainRun struct {
	file, to, name string
	etcd           etcdFlags
	dryRun         string // path of a map
	effect         effectFlags
}

func (r *drainRun) add(cmd *cobra.Command) {
	file := "the `file` of drains, made if there is none; with --dry-run, their directory counts what others have drained too"
	if cmd.Name() == "undrain" {
		file = "the `file` of drains, or a directory of such files"
	}
	cmd.Flags().StringVar(&r.file, "file", "", file)
	cmd.Flags().StringVar(&r.to, "to", "", "in place of --file, the drains of a map in etcd, as `etcd:PATH`")
	if cmd.Name() == "drain" {
		cmd.Flags().StringVar(&r.name, "name", "drains.yaml", "with --to, the `key` below PATH/drains: one for each writer")
	}
	cmd.Flags().StringVar(&r.dryRun, "dry-run", "", "write nothing, and say what would change for the names of a `map`")
	r.effect.add(cmd)
	r.etcd.add(cmd)
	_ = cmd.MarkFlagFilename("file", mapSuffixes...)
	_ = cmd.MarkFlagFilename("dry-run", mapSuffixes...)
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.NoFileCompletions)
}

// files returns where the drains are.
func (r *drainRun) files(cmd *cobra.Command) (drainFiles, error) {
	d := drainFiles{path: r.file + r.to, etcd: &r.etcd}
	switch {
	case (r.file == "") == (r.to == ""):
		return d, argumentf("write --file FILE or --to etcd:PATH, one of the two: where servers read their drains")
	case r.to != "":
		if _, err := fleet.ParseMap(r.to); err != nil {
			return d, argumentf("--to: %w", err)
		}
	}
	if err := r.effect.refuseIdle(cmd, r.dryRun != ""); err != nil {
		return d, err
	}
	return d, refuseIdle(cmd, "--to", r.to != "", "name", "endpoint", "credentials", "tls-cert", "tls-key", "tls-ca")
}

// drain adds entries to the file.
func (r *drainRun) drain(cmd *cobra.Command, args []string, entries []drain.Drain) error {
	files, err := r.files(cmd)
	if err != nil {
		return err
	}
	add := func(name string) func([]byte) ([]byte, error) {
		return func(text []byte) ([]byte, error) { return mapedit.AddDrains(name, text, entries) }
	}
	if _, err := add("the drain")(nil); err != nil {
		return argumentError{error: err}
	}
	if r.dryRun != "" {
		return r.effect.show(cmd, r.dryRun, &r.etcd, files, entries, func(in []drain.Drain) []drain.Drain { return append(in, entries...) })
	}
	name := r.file
	if r.to != "" {
		name = files.nameOf(r.name)
	}
	if err := files.edit(name, add(name)); err != nil {
		return sayDrains(cmd, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "drained until %s; end it with: addressmap undrain %s %s\n",
		entries[0].Until.UTC().Format(time.RFC3339), strings.Join(args, " "), r.where())
	return err
}

// where is the flag that says where the drains are.
func (r *drainRun) where() string {
	if r.to != "" {
		return "--to " + r.etcd.at(r.to)
	}
	return "--file " + r.file
}

// sayDrains prints that a file of drains is refused, which has a status of its own.
func sayDrains(cmd *cobra.Command, err error) error {
	var errs mapfile.Errors
	if !errors.As(err, &errs) && !errors.Is(err, mapedit.ErrRefused) {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: nothing was written: %v\n", err)
	return status(exitRefused)
}

// undrain takes entries out of the files.
func (r *drainRun) undrain(cmd *cobra.Command, args []string, targets []drain.Drain) error {
	files, err := r.files(cmd)
	if err != nil {
		return err
	}
	if r.dryRun != "" {
		return r.effect.show(cmd, r.dryRun, &r.etcd, files, nil, func(in []drain.Drain) []drain.Drain {
			var out []drain.Drain
			for _, d := range in {
				if rest, _ := reduced(d, targets); rest != nil {
					out = append(out, *rest)
				}
			}
			return out
		})
	}
	all, err := files.read()
	if err != nil {
		return err
	}
	refused := sayRefusedDrains(cmd.ErrOrStderr(), all)
	for i := range targets {
		if why := missing(all, targets[i]); why != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: nothing was written: %s %s; addressmap drains %s lists what is drained\n", args[i], why, r.etcd.at(files.path))
			return status(exitRefused)
		}
	}
	for _, f := range all {
		if !slices.ContainsFunc(f.has, func(d drain.Drain) bool { _, hit := reduced(d, targets); return hit }) {
			continue
		}
		if err := files.edit(f.name, func(text []byte) ([]byte, error) { return undrained(f.name, text, targets) }); err != nil {
			return sayDrains(cmd, err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "undrained in %s: %s\n", printable.Line(f.name), strings.Join(args, " "))
	}
	return refused
}

// undrained returns the text of a file of drains without the targets.
func undrained(name string, text []byte, targets []drain.Drain) ([]byte, error) {
	for {
		has, errs := drain.Parse(name, text)
		if len(errs) > 0 {
			return nil, errs
		}
		i := slices.IndexFunc(has, func(d drain.Drain) bool { _, hit := reduced(d, targets); return hit })
		if i < 0 {
			return text, nil
		}
		rest, _ := reduced(has[i], targets)
		var err error
		if text, err = mapedit.ReplaceDrain(name, text, i, rest); err != nil {
			return nil, err
		}
	}
}

// reduced returns what stays of an entry, nil for nothing, and whether any of the targets
// is in it.
func reduced(d drain.Drain, targets []drain.Drain) (rest *drain.Drain, hit bool) {
	left := slices.Clone(d.Addresses)
	for _, t := range targets {
		if len(t.Addresses) == 0 && t.Site == d.Site && t.Map == d.Map {
			return nil, true
		}
		left = slices.DeleteFunc(left, func(p netip.Prefix) bool { return slices.Contains(t.Addresses, p) })
	}
	if hit = len(left) < len(d.Addresses); hit && len(left) == 0 {
		return nil, true
	}
	d.Addresses = left
	return &d, hit
}

// missing says why a target is in none of the files, "" if it is in one.
func missing(all []drainFile, target drain.Drain) string {
	why := "is not drained there"
	for _, f := range all {
		for _, d := range f.has {
			if _, hit := reduced(d, []drain.Drain{target}); hit {
				return ""
			}
			for _, p := range d.Addresses {
				if len(target.Addresses) > 0 && p.Overlaps(target.Addresses[0]) {
					why = fmt.Sprintf("is not drained by itself, but %s is, at %s", drain.Texts([]netip.Prefix{p})[0], d.Source)
				}
			}
		}
	}
	return why
}

// parseTargets reads what is to be drained: an entry for each.
func parseTargets(args []string) (out []drain.Drain, err error) {
	for _, arg := range args {
		var d drain.Drain
		if site, ok := strings.CutPrefix(arg, "site:"); ok {
			d.Site = site
		} else if id, ok := strings.CutPrefix(arg, "map:"); ok {
			d.Map = id
		} else if ip, err := netip.ParseAddr(arg); err == nil && ip.Zone() == "" {
			d.Addresses = []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}
		} else if p, err := netip.ParsePrefix(arg); err != nil {
			return nil, argumentf("%q is nothing to drain: write a prefix such as 203.0.113.0/24, an address, site:NAME or map:ID", arg)
		} else if p != p.Masked() {
			return nil, argumentf("%s is an address within a prefix: write %s, or %s for all of it", arg, p.Addr(), p.Masked())
		} else {
			d.Addresses = []netip.Prefix{p}
		}
		if len(d.Addresses) == 0 && d.Site+d.Map == "" {
			return nil, argumentf("%q names nothing: write site:NAME or map:ID", arg)
		}
		out = append(out, d)
	}
	return out, nil
}
