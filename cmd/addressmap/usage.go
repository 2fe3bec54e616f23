package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/addressmap/addressmap/plugin/nearest"
)

// failure is an error of a command whose arguments were right. Beneath any other error
// stands the usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// argumentError is an error about the arguments that the command itself found.
type argumentError struct {
	error
	of *cobra.Command // whose usage helps; nil for that of the command which ran
}

func argumentf(format string, args ...any) error {
	return argumentError{error: fmt.Errorf(format, args...)}
}

// prepare completes a command and those below it: each tells the version, one that only
// has commands below it refuses other words, and what a command returns is a failure.
// The library alone would print help and end with status 0.
func prepare(cmd *cobra.Command, version string) {
	cmd.Version = version
	if !cmd.Runnable() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = refuseWord
	} else if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := refuseBlank(cmd, args); err != nil {
				return err
			}
			return asFailure(run(cmd, args))
		}
	}
	for _, c := range cmd.Commands() {
		prepare(c, version)
	}
}

// mayBeEmpty is the annotation of a flag to which the empty text means something.
const mayBeEmpty = "may be empty"

// refuseBlank returns an error about an argument or option that is empty, as of a variable
// of the shell which is not set, or an option with control characters, which would end a
// line of a configuration.
func refuseBlank(cmd *cobra.Command, args []string) (err error) {
	look := func(f *pflag.Flag, text string) {
		switch {
		case text == "" && f.Annotations[mayBeEmpty] == nil:
			err = argumentf("--%s is empty: write a value, or leave it out", f.Name)
		case strings.ContainsFunc(text, unicode.IsControl):
			err = argumentf("--%s has a control character: %q", f.Name, text)
		}
	}
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash]
	}
	if i := slices.Index(args, ""); i >= 0 { // Names of files may have any characters.
		return argumentf("argument %d is empty: write a value, or leave it out", i+1)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		texts := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		} else if f.Value.Type() != "string" {
			return // It has judged its text itself.
		}
		if len(texts) == 0 {
			texts = []string{""}
		}
		for _, text := range texts {
			look(f, text)
		}
	})
	return err
}

func asFailure(err error) error {
	var s status
	var a argumentError
	if err == nil || errors.As(err, &s) || errors.As(err, &a) {
		return err
	}
	return failure{err}
}

// refuseWord refuses what stands in the place of a command.
func refuseWord(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return argumentError{fmt.Errorf("%s needs a command", cmd.CommandPath()), cmd}
	}
	return argumentError{fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), args[0], meant(args[0], commandNames(cmd))), cmd}
}

func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print the help of a command",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(cmd), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return refuseWord(cmd, rest)
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// commandNames returns the names of the commands below one.
func commandNames(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	return names
}

// meant is the end of an error about a word: which of the known ones is probably meant.
func meant(word string, known []string) string {
	if near := nearest.Word(word, known); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ""
}

// flagError adds to the error about an unknown flag which one is probably meant, and says
// how a duration is written.
func flagError(cmd *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) && wrong.GetFlag().Value.Type() == "duration" {
		return fmt.Errorf("--%s %q is no duration: write hours, minutes or seconds, as in 36h, 90m or 30s", wrong.GetFlag().Name, wrong.GetValue())
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, meant("--"+unknown.GetSpecifiedName(), names))
}

// usage is what stands beneath an error about arguments.
func usage(cmd *cobra.Command) string {
	var b strings.Builder
	if !cmd.HasSubCommands() {
		fmt.Fprintf(&b, "usage: %s\n", cmd.UseLine())
	} else {
		fmt.Fprintf(&b, "usage: %s COMMAND\n", cmd.CommandPath())
		for _, c := range cmd.Commands() {
			if slices.Contains(commandNames(cmd), c.Name()) {
				fmt.Fprintf(&b, "  %-10s  %s\n", c.Name(), c.Short)
			}
		}
	}
	fmt.Fprintf(&b, "for more: %s --help\n", cmd.CommandPath())
	return b.String()
}
