// Command addressmap checks, explains and compares address maps. It loads a map
// with the same code as the CoreDNS plugin: what it accepts, the plugin accepts.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// The exit statuses.
const (
	exitGood      = 0
	exitBad       = 1 // refused, or different
	exitCannot    = 2 // could not run: wrong arguments, unreadable files
	exitProtected = 3 // diff: a reload would refuse the change
)

// status is an error that was reported already: only the exit status is left.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run is the command without the process around it.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.Execute()
	var s status
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &s):
		return int(s)
	}
	fmt.Fprintf(root.ErrOrStderr(), "addressmap: %v\n", err)
	return exitCannot
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "addressmap",
		Short:         "Work with address maps",
		Long:          "Check, explain and compare the maps of the addressmap plugin of CoreDNS.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
	}
	root.AddCommand(newCheck(), newExplain(), newDiff(), newImport(), newExport(), newSchema(), newMan(root))
	return root
}
