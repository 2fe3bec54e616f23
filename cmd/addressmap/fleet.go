package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/push"
)

// fleetPoll is how often servers are looked at that are waited for.
const fleetPoll = 200 * time.Millisecond

func newFleet() *cobra.Command {
	var e etcdFlags
	var format string
	var wait int64
	var least int
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "fleet etcd:PATH",
		Short: "Say which server has what in force",
		Long: `List the servers that have announced themselves at a map in etcd, and what each has in
force. With --wait, wait until all of them have a push or a later one. A server that is
down is not among them: say with --servers how many there are to be.

Exit status: 0 done, 1 with --wait some lag behind, or fewer than --servers have
announced themselves, 2 could not run.`,
		Example: `  addressmap fleet etcd:/addressmap
  addressmap fleet etcd:/addressmap --wait 42 --timeout 30s --servers 3`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			waits := cmd.Flags().Changed("wait")
			switch {
			case waits && wait < 1 || timeout < 0 || least < 1:
				return argumentf("--wait takes the number of a push, --servers is 1 or more, and --timeout is not negative")
			case !waits && (cmd.Flags().Changed("servers") || cmd.Flags().Changed("timeout")):
				return argumentf("--servers and --timeout are for --wait: give it, or leave them out")
			}
			ctx := context.Background()
			store, err := e.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer store.Close()
			servers, head, err := awaitPush(ctx, store, wait, least, timeout)
			if err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), fleetState{head, append([]push.Server{}, servers...)})
			} else {
				err = writeFleet(cmd.OutOrStdout(), head, servers)
			}
			if err != nil || wait == 0 {
				return err
			}
			late := laggards(servers, wait)
			if len(servers) < least {
				fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: of %d servers that there are to be, %d have announced themselves\n", least, len(servers))
			}
			if len(late) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: %d of %d servers do not have push %d in force: %s\n", len(late), len(servers), wait, strings.Join(late, " "))
			}
			if len(servers) >= least && len(late) == 0 {
				return nil
			}
			return status(exitRefused)
		},
	}
	cmd.Flags().Int64Var(&wait, "wait", 0, "wait until all servers have this `push` in force")
	cmd.Flags().IntVar(&least, "servers", 1, "with --wait, how many servers there are to be, a `number`")
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "with --wait, for how long at most")
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the servers are printed")
	e.add(cmd)
	return cmd
}

// fleetState is the head of a map and the servers.
type fleetState struct {
	Head    fleet.Head    `json:"head"`
	Servers []push.Server `json:"servers"`
}

// awaitPush returns the servers once there are so many at least and all of them have a push
// in force, or the time is up.
func awaitPush(ctx context.Context, store *push.Store, number int64, least int, timeout time.Duration) ([]push.Server, fleet.Head, error) {
	deadline := time.Now().Add(timeout)
	for {
		servers, head, err := store.Servers(ctx)
		if err != nil || number == 0 || len(servers) >= least && len(laggards(servers, number)) == 0 || !time.Now().Before(deadline) {
			return servers, head, err
		}
		time.Sleep(fleetPoll)
	}
}

// laggards are the names of the servers that do not have a push in force.
func laggards(servers []push.Server, number int64) (names []string) {
	for _, s := range servers {
		if s.Push < number || s.WentBack() { // What that has in force is of a store that is no more.
			names = append(names, s.Name)
		}
	}
	return names
}

func writeFleet(w io.Writer, head fleet.Head, servers []push.Server) error {
	rows := [][]string{{"SERVER", "PUSH", "DIGEST", "STATE", "SINCE", "STAGE", "VERSION"}}
	for _, s := range servers {
		state := "good"
		if s.Degraded {
			state = "degraded: " + s.Why
		}
		rows = append(rows, []string{s.Name, strconv.FormatInt(s.Push, 10), fmt.Sprintf("%.12s", s.Digest), state, s.Since.Format(time.RFC3339), s.Stage, s.Version})
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "servers: %d; the newest push: %d\n", len(servers), head.Push)
	return err
}
