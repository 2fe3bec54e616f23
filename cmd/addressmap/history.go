package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/printable"
	"github.com/addressmap/addressmap/plugin/push"
)

func newHistory() *cobra.Command {
	var e etcdFlags
	var format string
	cmd := &cobra.Command{
		Use:   "history etcd:PATH",
		Short: "List the pushes of a fleet",
		Long: `List the pushes of a map in etcd, the newest first: when, who, how many documents
changed, for which stage, and the message.

Exit status: 0 done, 2 could not run.`,
		Example:           "  addressmap history etcd:/addressmap",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := context.Background()
			store, err := e.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer store.Close()
			entries, err := store.History(ctx)
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(cmd.OutOrStdout(), pastOf(entries))
			}
			return writeHistory(cmd.OutOrStdout(), pastOf(entries))
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the pushes are printed")
	e.add(cmd)
	return cmd
}

// past is a push of the history.
type past struct {
	Push      int64     `json:"push"`
	When      time.Time `json:"when"`
	By        string    `json:"by"`
	Documents int       `json:"documents"` // that it changed, of everyone's or of the stage
	Stage     string    `json:"stage,omitempty"`
	Message   string    `json:"message,omitempty"`
	Digest    string    `json:"digest"`
}

func pastOf(entries []push.Entry) []past {
	out := make([]past, 0, len(entries))
	for _, e := range entries {
		out = append(out, past{e.Head.Push, e.Head.When, e.Head.By, cmp.Or(e.Changed, e.Replaced), e.Head.Stage, e.Head.Message, e.Head.Digest})
	}
	return out
}

func writeHistory(w io.Writer, list []past) error {
	rows := [][]string{{"PUSH", "WHEN", "BY", "DOCUMENTS", "STAGE", "MESSAGE"}}
	for _, p := range list {
		rows = append(rows, []string{strconv.FormatInt(p.Push, 10), p.When.Format(time.RFC3339), p.By, strconv.Itoa(p.Documents), p.Stage, p.Message})
	}
	return writeTable(w, rows)
}

// writeTable prints rows in columns, with "-" for what is empty.
func writeTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = printable.Line(cell); cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func newRollback() *cobra.Command {
	var p pusher
	cmd := &cobra.Command{
		Use:   "rollback etcd:PATH PUSH",
		Short: "Push the documents as they were after a push",
		Long: `Bring everyone's documents of a map in etcd back to what they were after an earlier
push, as a push of its own: it is judged, shown and confirmed like any other. Where
a rule refuses it, the remedy names the flag that a push has to lift first.

Stages stay as they are. Documents that were changed otherwise than by a push stay,
too, unless a push has replaced them since.
` + statusOfPush,
		Example:           "  addressmap rollback etcd:/addressmap 41",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := parsePush(args[1])
			if err != nil {
				return err
			}
			if p.message == "" {
				p.message = fmt.Sprintf("rollback to push %d", to)
			}
			return p.run(cmd, args[0], "", func(ctx context.Context, s *push.Store, c *push.Contents) (*push.Change, string, error) {
				return s.Rollback(ctx, c, to)
			})
		},
	}
	p.add(cmd)
	return cmd
}

// parsePush reads the number of a push.
func parsePush(arg string) (int64, error) {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n < 1 {
		return 0, argumentf("%q is no number of a push: addressmap history lists them", arg)
	}
	return n, nil
}
