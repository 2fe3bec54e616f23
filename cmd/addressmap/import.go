package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Bring zones and address maps over from Cloudflare",
		Args:  cobra.NoArgs,
	}
	addReportFlags(cmd)
	cmd.AddCommand(newImportZone(), newImportAPI())
	return cmd
}

// importStatus is part of the help of both import commands.
const importStatus = `

The report of all changes goes to the standard error stream: a summary, what is
lost with its remedy, what to look at, and the rest counted; -v prints every
change. Nothing is overwritten without --force.

Exit status: 0 all of it is there, 1 something is lost, 2 could not run.`

func newImportAPI() *cobra.Command {
	var out, account string
	var force, strict bool
	cmd := &cobra.Command{
		Use:   "api FILE...",
		Short: "Make a map document of responses of the API",
		Long: `Make a map document of responses of the API: address maps fetched one by one,
prefixes, delegations, BGP prefixes, zones, DNS records and Spectrum applications,
in their envelopes or bare, or of the file of "addressmap fetch". A list is complete,
on all its pages, or it is lost. Dates are left out, and what no map has. Records by
which the origin of a proxied name is known are reported.` + importStatus,
		Example: `  addressmap import api account.jsonl --out maps.yaml
  addressmap import api zones.json records-*.json maps-*.json prefixes.json --out maps.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseIdle(cmd, "--out", out != "", "force"); err != nil {
				return err
			}
			if err := (output{out, cmd.OutOrStdout()}).refuseInputs(args...); err != nil {
				return err
			}
			if err := mayWrite(out, force); err != nil {
				return err
			}
			in := cloudflare.NewImport(account)
			for _, path := range args {
				data, err := readFile(path, maxResponses)
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
			missing, err := reviewOfDocument(cmp.Or(out, "the document"), text)
			if err != nil {
				return err
			}
			if err := writeOut(cmd.OutOrStdout(), out, text, 0o644); err != nil {
				return err
			}
			public := exposedByAPI(in, text)
			err = report(cmd, nil, append(public, append(changes, missing...)...))
			if err == nil && strict && len(public) > 0 {
				return status(exitRefused)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the document to `FILE`, not to the standard output")
	cmd.Flags().StringVar(&account, "account", "", "the `id` of the account of maps that do not tell theirs")
	cmd.Flags().BoolVar(&strict, "strict", false, "status 1 if a record makes the origin of a proxied name known")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file")
	return cmd
}

// reviewOf returns a change to review for each error of the map.
func reviewOf(path string, zoneFiles []string) (changes []cloudflare.Change) {
	findings, err := (&checkRun{directiveFlags: directiveFlags{zoneFiles: zoneFiles}}).findings([]string{path})
	if err != nil {
		return []cloudflare.Change{{Kind: cloudflare.Review, Name: path, Text: err.Error()}}
	}
	for _, f := range findings {
		if f.Level == levelError {
			changes = append(changes, cloudflare.Change{Kind: cloudflare.Review, Line: f.Line, Name: f.File, Text: f.Rule + " " + f.Text, Remedy: f.Remedy})
		}
	}
	return changes
}

// withAnycast are options with anycast addresses, which nobody is answered with: most
// maps have theirs in the Corefile, and the others are refused without (V15) until the
// operator writes them.
var withAnycast = mapset.Options{Anycast: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}}

// reviewOfDocument returns a change to review for each address that a document lacks, and
// an error if the document is refused for anything else.
func reviewOfDocument(name string, text []byte) (changes []cloudflare.Change, err error) {
	doc, errs := mapfile.Parse(name, text)
	if len(errs) == 0 {
		_, errs = mapset.Build([]mapset.Source{{Doc: doc}}, withAnycast)
	}
	if err := errs.Err(); err != nil {
		return nil, fmt.Errorf("the document would be refused, and is not written; correct the responses, or leave the objects out:\n%w", err)
	}
	_, errs = mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	for _, e := range errs {
		changes = append(changes, cloudflare.Change{Kind: cloudflare.Review, Line: int(e.Pos.Line), Name: "the document", Text: fmt.Sprintf("%s %s", e.Rule, e.Text), Remedy: e.Remedy})
	}
	return changes, nil
}

// writeOut writes to the file at path, or to the standard output if path is "".
func writeOut(stdout io.Writer, path string, data []byte, perm fs.FileMode) error {
	if path == "" {
		_, err := stdout.Write(data)
		return err
	}
	return writeFile(path, data, perm)
}
