package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/who"
)

func newWho() *cobra.Command {
	var format, missing, together, server, site string
	var all bool
	var anycast, zoneFiles []string
	var etcd etcdFlags
	cmd := &cobra.Command{
		Use:   "who ADDRESS|PREFIX MAP",
		Short: "Say who is on an address",
		Long: `Say who is on an address or prefix: the accounts, zones and names that are answered
with it, the ones with the most names first, and how many of the names have another
address besides; whose address space it is; and where the map has it, also where it
answers for nobody, and what answers in its place.

With --together NAME in the place of the address, the names that have no address but
those of that name: what the name's addresses meet, meets all of them.

The map is the one that is given; --server asks a running server first, by its metrics,
whether it has just that content in force. The options are those of the directive of
that server.

Exit status: 0 the whole map is good, 1 it is refused in part or whole, or the server has
another content in force, 2 could not run.`,
		Example: `  addressmap who 203.0.113.10 maps.yaml
  addressmap who 203.0.113.0/24 etcd:/addressmap --server http://127.0.0.1:9153/metrics
  addressmap who --together www.example.org maps.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if together == "" {
				return cobra.ExactArgs(2)(cmd, args)
			}
			if len(args) != 1 {
				return argumentf("want one MAP beside --together, got %d arguments: the name stands in the place of the address", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 && together == "" {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeMaps(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseIdle(cmd, "--format text", format == "text", "all"); err != nil {
				return err
			}
			compile, err := compileFlags(anycast, site)
			if err != nil {
				return err
			}
			compile.PerFamily = missing == "next"
			a, err := newAsked(args, together, site)
			if err != nil {
				return err
			}
			if server != "" {
				if a.Server, err = inForceAt(server); err != nil {
					return err
				}
			}
			checked, err := load(live.Options{Path: a.Map, Compile: compile, ZoneFiles: zoneFiles}, cmd.InOrStdin(), &etcd)
			if err != nil {
				return err
			}
			refused := sayRefused(cmd.ErrOrStderr(), etcd.at(a.Map), checked)
			if checked.Snapshot == nil {
				return refused
			}
			sayUnknownSite(cmd.ErrOrStderr(), checked.Snapshot)
			if err := a.ask(checked, limitOf(all || format == "json")); err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), a)
			} else {
				err = writeWho(cmd.OutOrStdout(), a, all)
			}
			if err == nil && a.Server != nil && !a.Server.Same {
				refused = status(exitRefused)
			}
			if err != nil {
				return err
			}
			return refused
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the answer is printed; json has all of it")
	cmd.Flags().BoolVar(&all, "all", false, "list every place, account, zone and name")
	cmd.Flags().StringVar(&together, "together", "", "the names that have no address but those of this `name`")
	_ = cmd.RegisterFlagCompletionFunc("together", cobra.NoFileCompletions)
	cmd.Flags().StringVar(&server, "server", "", "ask the metrics of a running server at `URL` whether the map is the one in force there")
	_ = cmd.RegisterFlagCompletionFunc("server", cobra.NoFileCompletions)
	cmd.Flags().StringSliceVar(&anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	siteFlag(cmd, &site)
	choiceFlag(cmd, cmd.Flags(), &missing, "missing-family", []string{"nodata", "next"}, "the directive's option")
	zoneFilesFlag(cmd, &zoneFiles)
	etcd.add(cmd)
	return cmd
}

// asked is a question who is on an address, and the answer.
type asked struct {
	Map       string    `json:"map"`
	SHA256    string    `json:"sha256"`              // of the content, as a server shows it
	Asked     string    `json:"asked,omitempty"`     // the address or prefix
	Name      fqdn.Name `json:"name,omitempty"`      // of --together
	Addresses []string  `json:"addresses,omitempty"` // of that name
	Server    *inForce  `json:"server,omitempty"`
	*who.Report

	query who.Query
	site  string
}

// newAsked reads the arguments.
func newAsked(args []string, together, site string) (*asked, error) {
	a := &asked{Map: args[len(args)-1], site: site}
	var err error
	if together != "" {
		if a.Name, err = fqdn.Parse(together); err != nil {
			return nil, argumentf("--together: %q is no domain name: %w", together, err)
		}
		return a, nil
	}
	if a.query, err = who.Parse(args[0]); err != nil {
		if _, other := who.Parse(args[1]); other == nil {
			return nil, argumentf("%q is no address or prefix: write it before the map: addressmap who %s %s", args[0], args[1], args[0])
		}
		return nil, argumentError{error: err}
	}
	a.Asked = a.query.String()
	return a, nil
}

// ask answers the question from a map.
func (a *asked) ask(checked *live.Checked, limit int) error {
	a.SHA256 = checked.SHA256
	if a.Name != "" {
		d := checked.Snapshot.Lookup(a.Name)
		if a.Addresses = addressesOf(d); len(a.Addresses) == 0 {
			return fmt.Errorf("%s has no address of the map: addressmap explain %s %s says why", a.Name, a.Map, a.Name)
		}
		a.query = who.Of(d)
	}
	a.Report = who.Ask(checked.Snapshot, a.query, limit, a.Name)
	if a.Server != nil {
		a.Server.compare(a.SHA256)
	}
	return nil
}

// limitOf is how many names of a zone are listed, 0 for all.
func limitOf(all bool) int {
	if all {
		return 0
	}
	return maxShownNames
}
