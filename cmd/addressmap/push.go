package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/push"
)

// statusOfPush is the end of the help of the commands that push.
const statusOfPush = `
Exit status: 0 done, or nothing to do, 1 refused, 2 could not run, 3 somebody else
changed the map meanwhile: nothing was written.`

func newPush() *cobra.Command {
	var p pusher
	var to, stage string
	var prune, anew bool
	cmd := &cobra.Command{
		Use:   "push DIR --to etcd:PATH",
		Short: "Put the documents of a directory into force on a fleet",
		Long: `Write the documents of a directory to a map in etcd, from where all servers of a
fleet have them in force within a second. The whole change is judged first, by the
rules of the map (V) and of reloads (P1 to P5), against what is there; what it
changes is shown, and confirmed on a terminal or with --yes. Then all of it is
written, or nothing.

Documents that are in etcd and not in the directory stay, unless --prune is given.

A zone file that a document names is a file of each server. Give the directory
that has it here with --zone-files; what it marks cannot be judged otherwise, and
is pushed with --yes alone.

With --stage, only the servers of that stage have the change, until it is promoted
or abandoned.

Servers do not follow an etcd that went back, as after a restore, until somebody
has looked: push with --anew then, which writes also what changes nothing. It is
needed as well where nobody knows what the servers have in force, because documents
were changed in etcd by other means, it has compacted the last push, and not all
servers announce that they have the documents in force.
` + statusOfPush,
		Example: `  addressmap push maps/ --to etcd:/addressmap --message "new prefix"
  addressmap push maps/ --to etcd:/addressmap --dry-run
  addressmap push maps/ --to etcd:/addressmap --stage canary --yes`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkStage(cmd, stage); err != nil {
				return err
			}
			documents, err := push.ReadDir(args[0])
			if err != nil {
				return err
			}
			p.documents, p.dir = documents, args[0]
			return p.run(cmd, to, stage, func(_ context.Context, _ *push.Store, c *push.Contents) (*push.Change, string, error) {
				change, err := c.Push(documents, prune)
				if err == nil && anew {
					change.Anew()
				}
				return change, "", err
			})
		},
	}
	p.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the `map` in etcd, etcd:PATH")
	cmd.Flags().StringVar(&stage, "stage", "", "for the servers of the stage of this `name` alone")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove the documents that the directory does not have")
	cmd.Flags().BoolVar(&anew, "anew", false, "say that the documents of the store are meant, as after a restore: write a head also if nothing changes")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// checkStage checks the flag --stage.
func checkStage(cmd *cobra.Command, stage string) error {
	if !cmd.Flags().Changed("stage") {
		return nil
	}
	if err := fleet.CheckName(stage); err != nil {
		return argumentf("--stage: %w", err)
	}
	return nil
}

func newPromote() *cobra.Command {
	return newStageCommand("promote", "Make a stage everyone's", `Make the documents of a stage everyone's, and end the stage. They are judged like a
push. If everyone's documents have changed since the stage was pushed, nothing is
done, with status 3: push the stage again.
`, (*push.Contents).Promote)
}

func newAbandon() *cobra.Command {
	return newStageCommand("abandon", "Take a stage back", `Take the documents of a stage back: its servers have everyone's again.
`, (*push.Contents).Abandon)
}

func newStageCommand(name, short, long string, change func(*push.Contents) (*push.Change, error)) *cobra.Command {
	var p pusher
	var stage string
	cmd := &cobra.Command{
		Use:               name + " etcd:PATH --stage NAME",
		Short:             short,
		Long:              long + statusOfPush,
		Example:           "  addressmap " + name + " etcd:/addressmap --stage canary",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkStage(cmd, stage); err != nil {
				return err
			}
			p.unjudged = name == "abandon"
			return p.run(cmd, args[0], stage, func(_ context.Context, _ *push.Store, c *push.Contents) (*push.Change, string, error) {
				out, err := change(c)
				return out, "", err
			})
		},
	}
	p.add(cmd)
	cmd.Flags().StringVar(&stage, "stage", "", "the `name` of the stage")
	_ = cmd.MarkFlagRequired("stage")
	return cmd
}
