package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Bring zones and address maps over from Cloudflare",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newImportZone(), newImportAPI())
	return cmd
}

// importStatus is part of the help of both import commands.
const importStatus = `

Every change is reported on the standard error stream. Nothing is overwritten
without --force.

Exit status: 0 all of it is there, 1 something is lost, 2 could not run.`

func newImportZone() *cobra.Command {
	var zone, out, to, account string
	var force, proxied bool
	var zoneFiles []string
	cmd := &cobra.Command{
		Use:   "zone EXPORT",
		Short: "Make a zone file that can be served of a zone's export",
		Long: `Make of a zone's export a zone file that the file plugin serves truthfully, and
the zone's entry in the map: TTL 1 becomes 300, the SOA record gets its owner's
last dot, and aliases that would hide other records are replaced, by addresses or,
of a proxied name, by a placeholder that keeps where the origin is for
"addressmap export origins".` + importStatus,
		Example: `  addressmap import zone example.com.txt --zone example.com --out db.example.com
  addressmap import zone example.com.txt --zone example.com --out db.example.com --map maps.yaml --account acme`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			apex, err := fqdn.Parse(zone)
			if err != nil {
				return fmt.Errorf("--zone %q: %w", zone, err)
			}
			if to != "" && out == "" {
				return fmt.Errorf("--map needs --out: the map names the zone file")
			}
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if err := mayWrite(out, force); err != nil {
				return err
			}
			converted, err := cloudflare.ConvertZone(args[0], data, apex, cloudflare.ZoneOptions{ProxiedDefault: proxied})
			if err != nil {
				return err
			}
			entry := zoneEntry{apex: apex, file: out, proxiedDefault: proxied, account: account}
			document, change, err := entry.addTo(to, force)
			if err != nil {
				return err
			}
			changes := append(converted.Changes, change)
			if err := writeOut(cmd.OutOrStdout(), out, converted.Text, 0o644); err != nil {
				return err
			}
			if to != "" {
				if err := writeFile(to, document, 0o644); err != nil {
					return err
				}
				changes = append(changes, reviewOf(to, zoneFiles)...)
			}
			return report(cmd.ErrOrStderr(), changes, fmt.Sprintf("%d records, %d proxied names", converted.Records, converted.Proxied))
		},
	}
	cmd.Flags().StringVar(&zone, "zone", "", "the `name` of the zone")
	cmd.Flags().StringVar(&out, "out", "", "write the zone file to `FILE`, not to the standard output")
	cmd.Flags().StringVar(&to, "map", "", "put the zone into the map document `FILE`, a new one if it is not there")
	cmd.Flags().StringVar(&account, "account", "imported", "the `id` of the zone's account in that map")
	cmd.Flags().BoolVar(&proxied, "proxied-default", false, "records without a mark are proxied")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files, and change the map that is there")
	zoneFilesFlag(cmd, &zoneFiles)
	_ = cmd.MarkFlagRequired("zone")
	return cmd
}

func newImportAPI() *cobra.Command {
	var out, account string
	var force bool
	cmd := &cobra.Command{
		Use:   "api FILE...",
		Short: "Make a map document of responses of the API",
		Long: `Make a map document of responses of the API: address maps fetched one by one,
prefixes, delegations, BGP prefixes, zones, DNS records and Spectrum applications,
in their envelopes or bare. Dates are left out, and what no map has.` + importStatus,
		Example: `  addressmap import api zones.json records-*.json maps-*.json prefixes.json --out maps.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := mayWrite(out, force); err != nil {
				return err
			}
			in := cloudflare.NewImport(account)
			for _, path := range args {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if err := in.Add(path, data); err != nil {
					return err
				}
			}
			text, changes, err := in.Document()
			if err != nil {
				return err
			}
			if err := writeOut(cmd.OutOrStdout(), out, text, 0o644); err != nil {
				return err
			}
			return report(cmd.ErrOrStderr(), append(changes, reviewOfDocument(out, text)...), "")
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the document to `FILE`, not to the standard output")
	cmd.Flags().StringVar(&account, "account", "", "the `id` of the account of maps that do not tell theirs")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file")
	return cmd
}

// reviewOf returns a change to review for each error of the map.
func reviewOf(path string, zoneFiles []string) (changes []cloudflare.Change) {
	findings, err := check([]string{path}, "", 0, zoneFiles)
	if err != nil {
		return []cloudflare.Change{{Kind: cloudflare.Review, Name: path, Text: err.Error()}}
	}
	for _, f := range findings {
		if f.Level == levelError {
			changes = append(changes, cloudflare.Change{Kind: cloudflare.Review, Line: f.Line, Name: f.File, Text: fmt.Sprintf("%s %s: %s", f.Rule, f.Text, f.Remedy)})
		}
	}
	return changes
}

// reviewOfDocument returns a change to review for each error of a document.
func reviewOfDocument(name string, text []byte) (changes []cloudflare.Change) {
	doc, errs := mapfile.Parse(name, text)
	if len(errs) == 0 {
		_, errs = mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	}
	for _, e := range errs {
		changes = append(changes, cloudflare.Change{Kind: cloudflare.Review, Line: int(e.Pos.Line), Name: "the document", Text: fmt.Sprintf("%s %s: %s", e.Rule, e.Text, e.Remedy)})
	}
	return changes
}

// writeOut writes to the file at path, or to the standard output if path is "".
func writeOut(stdout io.Writer, path string, data []byte, perm fs.FileMode) error {
	if path == "" {
		_, err := stdout.Write(data)
		return err
	}
	return writeFile(path, data, perm)
}

// report prints the changes. A lost record makes the exit status exitRefused.
func report(w io.Writer, changes []cloudflare.Change, summary string) error {
	var b strings.Builder
	count := make(map[cloudflare.Kind]int)
	for _, c := range changes {
		count[c.Kind]++
		place := ""
		if c.Line > 0 {
			place = fmt.Sprintf("line %d: ", c.Line)
		}
		fmt.Fprintf(&b, "%-7s  %s%s: %s\n", c.Kind, place, c.Name, c.Text)
	}
	if summary != "" {
		b.WriteString(summary + ", ")
	}
	fmt.Fprintf(&b, "%d changed, %d to review, %d lost\n", count[cloudflare.Changed], count[cloudflare.Review], count[cloudflare.Lost])
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if count[cloudflare.Lost] > 0 {
		return status(exitRefused)
	}
	return nil
}
