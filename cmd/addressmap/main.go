// Command addressmap checks, explains, compares and changes address maps, and drains
// addresses. It loads a map with the same code as the CoreDNS plugin: a map that it
// accepts, the plugin accepts.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/printable"
)

func main() { os.Exit(run(os.Args[1:])) }

// The exit statuses.
const (
	exitOK        = 0
	exitRefused   = 1 // refused, in part or whole, or different
	exitError     = 2 // could not run: wrong arguments, unreadable files
	exitProtected = 3 // diff: a reload would refuse the change
	exitChanged   = 3 // push and the like: somebody else changed the store meanwhile
)

// status is the exit status of a command that has printed its result already.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run runs the command and returns the exit status.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetErr(printable.Writer(os.Stderr))
	cmd, err := root.ExecuteC()
	var s status
	var failed failure
	var wrong argumentError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &failed):
		fmt.Fprintf(root.ErrOrStderr(), "addressmap: %v\n", err)
	case errors.As(err, &wrong) && wrong.of != nil:
		cmd = wrong.of
		fallthrough
	default:
		fmt.Fprintf(root.ErrOrStderr(), "addressmap: %v\n%s", err, usage(cmd))
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "addressmap",
		Short:         "Work with address maps",
		Long:          "Check, explain, compare and change the maps of the addressmap plugin of CoreDNS, and drain\naddresses: push, rollback, promote, abandon, drain and undrain change what servers answer.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newCheck(), newExplain(), newWho(), newDiff(), newFetch(), newImport(), newExport(),
		newPush(), newPull(), newHistory(), newRollback(), newPromote(), newAbandon(), newFleet(), newDrain(), newUndrain(), newDrains(), newSchema(), newMan(root))
	root.SetHelpCommand(newHelp(root))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.PersistentFlags().Bool("version", false, "print the version, and that of CoreDNS")
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	prepare(root, version())
	return root
}
