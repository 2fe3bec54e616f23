package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
)

func newImportZone() *cobra.Command {
	var out, to, account string
	var force, strict bool
	var zoneFiles []string
	var apex nameFlag
	var opt cloudflare.ZoneOptions
	cmd := &cobra.Command{
		Use:   "zone EXPORT",
		Short: "Make a zone file that can be served of a zone's export",
		Long: `Make of a zone's export a zone file that the file plugin serves truthfully, and
the zone's entry in the map. Exports of every year since 2016 are read: names
count as they are meant at Cloudflare, with their last dots or without, and TTL 1
becomes 300. Aliases that would hide other records are replaced, by addresses or,
of a proxied name, by a placeholder that keeps where the origin is for
"addressmap export origins". Give --ns and --soa for what only Cloudflare had.` + importStatus,
		Example: `  addressmap import zone example.com.txt --zone example.com --out db.example.com \
    --ns ns1.example.net,ns2.example.net --soa "ns1.example.net hostmaster@example.com"
  addressmap import zone example.com.txt --zone example.com --out db.example.com --map maps.yaml --account acme`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to != "" && out == "" {
				return argumentf("--map needs --out: the map names the zone file")
			}
			if err := refuseIdle(cmd, "--map", to != "", "account", "zone-files"); err != nil {
				return err
			}
			if err := refuseIdle(cmd, "--out", out != "", "force"); err != nil {
				return err
			}
			if err := refuseImported(output{out, cmd.OutOrStdout()}, args[0], to); err != nil {
				return err
			}
			data, err := readFile(args[0], maxText)
			if err != nil {
				return err
			}
			if err := mayWrite(out, force); err != nil {
				return err
			}
			converted, err := cloudflare.ConvertZone(args[0], data, apex.Name, opt)
			if err != nil {
				return err
			}
			if to != "" {
				unlock, err := lockMap(to)
				if err != nil {
					return err
				}
				defer unlock()
			}
			entry := zoneEntry{apex: apex.Name, file: out, proxiedDefault: opt.ProxiedDefault, account: account}
			old := &live.Checked{}
			if _, err := os.Stat(to); err == nil {
				// Now: the import may overwrite the zone file that is in force.
				if old, err = load(live.Options{Path: to, ZoneFiles: zoneFiles, Compile: withAnycast}, nil, nil); err != nil {
					return err
				}
			}
			document, change, err := entry.addTo(to, force)
			if err != nil {
				return err
			}
			changes := append(converted.Changes, change)
			var public []cloudflare.Change
			if to == "" {
				if err := writeOut(cmd.OutOrStdout(), out, converted.Text, secret); err != nil {
					return err
				}
			} else {
				next, err := entry.write(to, converted.Text, document, zoneFiles)
				if err != nil {
					return err
				}
				changes = append(changes, reviewOf(to, zoneFiles)...)
				public = unmaskedBy(to, old, next)
			}
			public = append(public, exposedBy(converted.Text, apex.Name, opt.ProxiedDefault)...)
			err = report(cmd, &imported{Zone: apex.String(), Records: converted.Records, Proxied: converted.Proxied}, append(public, changes...))
			if err == nil && strict && len(public) > 0 {
				return status(exitRefused)
			}
			return err
		},
	}
	cmd.Flags().Var(&apex, "zone", "the name of the zone")
	cmd.Flags().StringVar(&out, "out", "", "write the zone file to `FILE`, not to the standard output")
	cmd.Flags().StringVar(&to, "map", "", "put the zone into the map document `FILE`, a new one if it is not there")
	cmd.Flags().StringVar(&account, "account", "imported", "the `id` of the zone's account in that map")
	cmd.Flags().Var((*namesFlag)(&opt.NameServers), "ns", "the zone's name servers, in the place of Cloudflare's; may be repeated")
	cmd.Flags().Var(&soaFlag{soa: &opt.SOA}, "soa", `"MNAME RNAME" of the SOA, in the place of Cloudflare's; serial and timers may follow`)
	cmd.Flags().BoolVar(&opt.ProxiedDefault, "proxied-default", false, "records without a mark are proxied")
	cmd.Flags().BoolVar(&strict, "strict", false, "status 1 if a record makes the origin of a proxied name known, or a name is not proxied any more")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files, and change the map that is there")
	zoneFilesFlag(cmd, &zoneFiles)
	_ = cmd.MarkFlagRequired("zone")
	return cmd
}

// nameFlag is the value of a flag with a domain name.
type nameFlag struct{ fqdn.Name }

func (f *nameFlag) Type() string   { return "NAME" }
func (f *nameFlag) String() string { return strings.TrimSuffix(string(f.Name), ".") }

// Set implements [pflag.Value].
func (f *nameFlag) Set(arg string) (err error) {
	f.Name, err = fqdn.Parse(arg)
	return err
}

// namesFlag is the value of a flag with domain names between commas.
type namesFlag []fqdn.Name

func (f *namesFlag) Type() string   { return "NAME,..." }
func (f *namesFlag) String() string { return "" }

// Set implements [pflag.Value].
func (f *namesFlag) Set(arg string) error {
	for name := range strings.SplitSeq(arg, ",") {
		n, err := fqdn.Parse(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		if !n.IsHostName() {
			return fmt.Errorf("%q is no host name with its domain: write it as ns1.example.net", name)
		}
		*f = append(*f, n)
	}
	return nil
}

// soaFlag is the value of the flag with an SOA record.
type soaFlag struct{ soa **cloudflare.SOA }

func (f *soaFlag) Type() string   { return "RECORD" }
func (f *soaFlag) String() string { return "" }

// Set implements [pflag.Value].
func (f *soaFlag) Set(arg string) (err error) {
	*f.soa, err = cloudflare.ParseSOA(arg)
	return err
}
