package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

func newPull() *cobra.Command {
	var e etcdFlags
	cmd := &cobra.Command{
		Use:   "pull etcd:PATH DIR",
		Short: "Write the documents of a fleet as files",
		Long: `Write everyone's documents of a map in etcd as files of a directory, which is made if
it is not there. A file that is equal is not touched, and one that is not in etcd
stays, and is named.

Exit status: 0 done, 1 a document has a name that no push writes, 2 could not run.`,
		Example: "  addressmap pull etcd:/addressmap maps/",
		Args:    cobra.ExactArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := context.Background()
			store, err := e.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer store.Close()
			contents, err := store.Read(ctx, "")
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[1], 0o755); err != nil {
				return err
			}
			others, err := source.List(args[1])
			if err != nil {
				return err
			}
			written := 0
			var wrong []string
			for _, name := range slices.Sorted(maps.Keys(contents.Everyone)) {
				if fleet.CheckName(name) != nil {
					wrong = append(wrong, name)
					continue
				}
				path, text := filepath.Join(args[1], name), contents.Everyone[name].Value
				others = slices.DeleteFunc(others, func(o string) bool { return o == path })
				if was, err := os.ReadFile(path); err == nil && bytes.Equal(was, text) {
					continue
				}
				if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
					return fmt.Errorf("%s is no regular file, and is not written through: move it away", path)
				}
				if err := writeFile(path, text, 0o644); err != nil {
					return err
				}
				written++
			}
			if len(others) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: documents that %s has not: %d, they stay: %s\n", args[0], len(others), firstOf(others))
			}
			if _, err = fmt.Fprintf(cmd.OutOrStdout(), "push %d: %d documents, %d written\n", contents.Head.Push, len(contents.Everyone), written); err != nil || len(wrong) == 0 {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: documents whose names no push would write: %d, and no file is: %s\n", len(wrong), firstOf(wrong))
			return status(exitRefused)
		},
	}
	e.add(cmd)
	return cmd
}
