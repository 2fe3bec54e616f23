package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
)

// choice is the value of a flag that takes one of some words.
type choice struct {
	value *string
	words []string
}

// choiceFlag adds to the flags of a command one that takes one of some words, the first if
// it is absent.
func choiceFlag(cmd *cobra.Command, flags *pflag.FlagSet, value *string, name string, words []string, usage string) {
	*value = words[0]
	flags.Var(&choice{value, words}, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return errors.New("write " + orList(c.words) + meant(word, c.words))
	}
	*c.value = word
	return nil
}

// orList joins words as in "text, json or sarif".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// guardFlag adds the flag for the directive's guard option to a command.
func guardFlag(cmd *cobra.Command, percent *int) {
	cmd.Flags().Var((*guardValue)(percent), "guard", "the directive's option, as in 10%: refuse if more would go at once")
	_ = cmd.RegisterFlagCompletionFunc("guard", cobra.NoFileCompletions)
}

type guardValue int

func (g *guardValue) Type() string { return "PERCENT" }

func (g *guardValue) String() string {
	if *g == 0 {
		return ""
	}
	return strconv.Itoa(int(*g)) + "%"
}

func (g *guardValue) Set(arg string) error {
	n, err := mapset.ParseGuard(arg)
	if err == nil {
		*g = guardValue(n)
	}
	return err
}

// ttlValue is the value of the flag for the directive's ttl option.
type ttlValue uint32

func (t *ttlValue) Type() string   { return "SECONDS" }
func (t *ttlValue) String() string { return strconv.FormatUint(uint64(*t), 10) }

func (t *ttlValue) Set(arg string) error {
	n, err := answer.ParseTTL(arg)
	if err == nil {
		*t = ttlValue(n)
	}
	return err
}

// siteFlag adds the flag for the directive's option site.
func siteFlag(cmd *cobra.Command, site *string) {
	cmd.Flags().StringVar(site, "site", "", "the `name` of the directive's site option: its anycast addresses count")
	_ = cmd.RegisterFlagCompletionFunc("site", cobra.NoFileCompletions)
}

// compileFlags returns the options of deciding that the values of --anycast and --site say.
func compileFlags(anycast []string, site string) (mapset.Options, error) {
	addrs, err := mapset.ParseAnycast(anycast)
	switch {
	case err != nil:
		return mapset.Options{}, argumentf("--anycast: %w", err)
	case len(addrs) > 0 && site != "":
		return mapset.Options{}, argumentf("--anycast and --site together: a directive has one of the two options")
	}
	return mapset.Options{Anycast: addrs, Site: site}, nil
}

// sayUnknownSite warns where the map does not know the site of the options.
func sayUnknownSite(w io.Writer, s *mapset.Snapshot) {
	if text := s.SiteWarning(); text != "" {
		fmt.Fprintln(w, "warning: "+printable.Line(text))
	}
}

// zoneFilesFlag adds the flag for the directive's zone_files option to a command.
func zoneFilesFlag(cmd *cobra.Command, dirs *[]string) {
	cmd.Flags().Var((*directories)(dirs), "zone-files", "a `directory` of the directive's zone_files option; may be repeated")
	_ = cmd.MarkFlagDirname("zone-files")
}

// directories is the value of a flag that takes directories which are there.
type directories []string

func (d *directories) Type() string   { return "directory" }
func (d *directories) String() string { return "" }

func (d *directories) Set(arg string) error {
	if info, err := os.Stat(arg); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no directory", arg)
	}
	*d = append(*d, arg)
	return nil
}

// refuseIdle returns an error if one of the flags is given, but not the one that gives it a
// meaning: who wrote it expects something that does not happen.
func refuseIdle(cmd *cobra.Command, needs string, has bool, names ...string) error {
	for _, name := range names {
		if !has && cmd.Flags().Changed(name) {
			return argumentf("--%s has no effect without %s: add that, or leave it out", name, needs)
		}
	}
	return nil
}
