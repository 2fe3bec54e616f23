package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

func newSchema() *cobra.Command {
	drains := false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a map document, or of a file of drains",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema := mapfile.Schema
			if drains {
				schema = drain.Schema
			}
			_, err := cmd.OutOrStdout().Write(schema)
			return err
		},
	}
	cmd.Flags().BoolVar(&drains, "drains", false, "that of a file of drains")
	return cmd
}

// newMan is for tools/man, and for packagers, who run it once. Pages say neither when nor
// by what they were made; those of completion have the help of each shell, and no page.
func newMan(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all commands to a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			unsigned(root)
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "addressmap", Manual: "Address maps"}, args[0])
		},
	}
}

func unsigned(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	for _, c := range cmd.Commands() {
		c.Hidden = c.Hidden || c.Name() == "completion"
		unsigned(c)
	}
}
