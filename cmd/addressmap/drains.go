package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/printable"
)

func newDrains() *cobra.Command {
	var format string
	var etcd etcdFlags
	cmd := &cobra.Command{
		Use:   "drains FILE|DIR|etcd:PATH",
		Short: "List what is drained",
		Long: `List the drains of a file, of a directory of files, or of a map in etcd: what is
drained, since when and until when, why, by whom, and where that is written. Drains that
have ended stay in their files until somebody takes them out.

Exit status: 0 done, 1 a file of drains is refused or one of a directory cannot be read,
2 could not run.`,
		Example: `  addressmap drains /etc/addressmap/drains
  addressmap drains etcd:/addressmap
  addressmap drains drains.yaml`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := drainFiles{args[0], &etcd}.read()
			if err != nil {
				return err
			}
			list := []drained{}
			for _, f := range all {
				for _, d := range f.has {
					list = append(list, drainedOf(d, time.Now()))
				}
			}
			refused := sayRefusedDrains(cmd.ErrOrStderr(), all)
			switch {
			case format == "json":
				err = writeJSON(cmd.OutOrStdout(), list)
			case len(list) > 0 || refused == nil: // What servers do with a refused file is said above.
				err = writeDrains(cmd.OutOrStdout(), list)
			}
			if err != nil {
				return err
			}
			return refused
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the drains are printed")
	etcd.add(cmd)
	return cmd
}

// drained is an entry of a file of drains.
type drained struct {
	State     string     `json:"state"` // in force, ended or to come
	Addresses []string   `json:"addresses,omitempty"`
	Site      string     `json:"site,omitempty"`
	Map       string     `json:"map,omitempty"`
	Reason    string     `json:"reason"`
	By        string     `json:"by,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Until     time.Time  `json:"until"`
	At        string     `json:"at"` // file and line

	what, left string
}

func drainedOf(d drain.Drain, now time.Time) drained {
	out := drained{
		State: "in force", Addresses: drain.Texts(d.Addresses), Site: d.Site, Map: d.Map, Reason: d.Reason, By: d.By, Until: d.Until, At: d.Source,
		what: whatIs(d),
	}
	if !d.Since.IsZero() {
		out.Since = &d.Since
	}
	switch {
	case now.Before(d.Since):
		out.State, out.left = "to come", "in "+d.Since.Sub(now).Truncate(time.Second).String()
	case !now.Before(d.Until):
		out.State = "ended"
	default:
		out.left = "for " + d.Until.Sub(now).Truncate(time.Second).String()
	}
	return out
}

func writeDrains(w io.Writer, list []drained) error {
	if len(list) == 0 {
		_, err := io.WriteString(w, "nothing is drained\n")
		return err
	}
	rows := [][]string{{"STATE", "LEFT", "DRAINED", "REASON", "BY", "UNTIL", "AT"}}
	for _, d := range list {
		rows = append(rows, []string{d.State, d.left, d.what, d.Reason, d.By, d.Until.UTC().Format(time.RFC3339), d.At})
	}
	return writeTable(w, rows)
}

// sayRefusedDrains prints which files of drains are refused, and returns the exit status
// then, or nil.
func sayRefusedDrains(w io.Writer, all []drainFile) (refused error) {
	for _, f := range all {
		if f.errs != nil {
			fmt.Fprintf(w, "addressmap: %s is refused, and a server goes on with what it had of it until that ends\n%v\n", printable.Line(f.name), f.errs)
			refused = status(exitRefused)
		}
	}
	return refused
}

// readIfThere is read, of no files if there is nothing at the path.
func (d drainFiles) readIfThere() ([]drainFile, error) {
	all, err := d.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}
