package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
	"github.com/addressmap/addressmap/plugin/push"
)

// pusher is one run of a command that pushes.
type pusher struct {
	etcdFlags
	message     string
	dryRun, yes bool
	guard, keep int
	zoneFiles   []string

	documents fleet.Documents // of a directory, for the names in errors
	dir       string
	unjudged  bool // the change may be made whatever it does
}

func (p *pusher) add(cmd *cobra.Command) {
	p.etcdFlags.add(cmd)
	cmd.Flags().StringVar(&p.message, "message", "", "say why, in a `line` for the history")
	cmd.Flags().BoolVar(&p.dryRun, "dry-run", false, "judge and show the change, write nothing")
	cmd.Flags().BoolVar(&p.yes, "yes", false, "do not ask")
	cmd.Flags().IntVar(&p.keep, "keep", push.DefaultKeep, "how many `pushes` the history has at most")
	guardFlag(cmd, &p.guard)
	zoneFilesFlag(cmd, &p.zoneFiles)
}

// run makes a change of what the store has, judges and shows it, asks, and writes it.
func (p *pusher) run(cmd *cobra.Command, path, stage string, change func(context.Context, *push.Store, *push.Contents) (*push.Change, string, error)) error {
	if p.keep < 1 {
		return argumentf("--keep %d: write 1 or more", p.keep)
	}
	ctx := context.Background()
	store, err := p.open(ctx, path)
	if err != nil {
		return err
	}
	defer store.Close()
	read := store.ReadToWrite
	if p.dryRun {
		read = store.Read
	}
	contents, err := read(ctx, stage)
	if err != nil {
		return err
	}
	c, warning, err := change(ctx, store, contents)
	if err != nil {
		return p.changed(cmd, err)
	}
	if warning != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: %s\n", warning)
	}
	if n := len(c.Unpruned); n > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: documents that %s has and %s has not: %d, they stay; --prune removes them: %s\n", path, p.dir, n, firstOf(c.Unpruned))
	}
	if c.Empty() {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "nothing to do: %s has these documents\n", path)
		return err
	}
	if err := p.judge(cmd, store.Map(), c); err != nil {
		return err
	}
	if p.dryRun {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "\nnothing was written: this would be push %d\n", c.Number())
		return err
	}
	if err := p.confirm(cmd, c, path); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	written, err := store.Write(ctx, c, push.Note{By: whoPushes(), Message: p.message, Keep: p.keep})
	if err != nil {
		return p.changed(cmd, err)
	}
	for _, w := range written.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: warning: %s\n", w)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "push %d is done; who has it: addressmap fleet %s --wait %d\n", written.Head.Push, p.at(path), written.Head.Push)
	return err
}

// changed prints an error that somebody else has caused, which has a status of its own.
func (p *pusher) changed(cmd *cobra.Command, err error) error {
	if !errors.Is(err, push.ErrChanged) {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: %v\nnothing was written: look at what there is now, and give the same command again\n", err)
	return status(exitChanged)
}

// confirm asks whether the change is to be written.
func (p *pusher) confirm(cmd *cobra.Command, c *push.Change, path string) error {
	if p.yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isatty.IsTerminal(in.Fd()) {
		return errors.New("nothing was written: there is no terminal to ask on, give --yes")
	}
	whose := ""
	if c.Stage != "" {
		whose = ", stage " + c.Stage
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "\nwrite push %d to %s%s? [y/N] ", c.Number(), path, whose)
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing was written")
		return status(exitRefused)
	}
	return nil
}

// nameOf is what a document of the next version is called in errors: the file that is
// pushed, or the one in etcd.
func (p *pusher) nameOf(m fleet.Map) func(string) string {
	return func(name string) string {
		if _, is := p.documents[name]; is {
			return filepath.Join(p.dir, name)
		}
		return m.String() + "/" + name
	}
}

// judge shows a change, and returns the status if it may not be made.
func (p *pusher) judge(cmd *cobra.Command, m fleet.Map, c *push.Change) error {
	of := checker(m, p.zoneFiles)
	of.WithoutZoneFiles = true
	old, _ := of.Check(c.Was)
	found, _ := of.Check(c.Found)
	of.Name = p.nameOf(m)
	next, unjudged := of.Check(c.Next)
	empty, _ := mapset.Build(nil, mapset.Options{})
	for _, was := range []*live.Checked{old, found} {
		if was.Snapshot == nil {
			was.Snapshot = empty
		}
	}
	var bad []finding
	for _, problem := range next.Problems {
		name := filepath.Base(problem.Path)
		if slices.Contains(c.Names(), name) || !slices.ContainsFunc(found.Problems, func(o live.Problem) bool { return filepath.Base(o.Path) == name }) {
			bad = append(bad, findingsOf(problem)...)
			continue
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: %s is refused, and stays as it is\n", problem.Path)
	}
	for _, problem := range found.Problems {
		if name := filepath.Base(problem.Path); slices.Contains(c.Names(), name) {
			unjudged = append(unjudged, fmt.Sprintf("%s, which is refused as it is there: a server may have an older one", problem.Path))
		}
	}
	out := cmd.OutOrStdout()
	fmt.Fprintln(out, printable.Line(documentsOf(c)))
	if names := c.Foreign(); len(names) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: changed since the last push by other means, and part of this change: %s\n", firstOf(names))
	}
	if !p.unjudged && (len(bad) > 0 || next.Snapshot == nil) {
		if err := writeText(out, bad); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "addressmap: nothing was written: the documents are refused")
		return status(exitRefused)
	}
	if next.Snapshot == nil {
		next.Snapshot = empty
	}
	d := compare(cmp.Or(p.dir, m.String()), old.Snapshot, next.Snapshot, p.guard, newWaiting())
	if c.Stage != "" && !p.unjudged {
		d.Work = d.Work.ofStage()
	}
	for _, v := range violations(cmp.Or(p.dir, m.String()), found.Snapshot, next.Snapshot, p.guard) {
		if !slices.Contains(d.Refused, v) { // Servers may have either in force.
			d.Refused = append(d.Refused, v)
		}
	}
	if p.unjudged {
		d.Refused, unjudged = nil, nil
	}
	d.Refused = append(d.Refused, p.beside(m, c)...)
	d.Exposed = revealed(old, next, d.Groups, p.zoneFiles)
	if err := writeDiff(out, d, false); err != nil {
		return err
	}
	if len(d.Refused) > 0 {
		text := "addressmap: nothing was written: the change is refused"
		if slices.ContainsFunc(d.Refused, func(f finding) bool { return f.Rule == "P4" || f.Rule == "P5" }) {
			text += "; what a remedy writes as guard in the Corefile is --guard here"
		}
		fmt.Fprintln(cmd.ErrOrStderr(), text)
		return status(exitRefused)
	}
	if why := c.Unknown(); why != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: nothing was written: %s, so that nobody can tell what this change takes away from the servers; compare what they answer with all documents of the store, by addressmap pull, and say by addressmap push --anew that these are meant\n", why)
		return status(exitRefused)
	}
	if len(unjudged) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: not judged, for each server has its own: %s\n", firstOf(unjudged))
		if !p.yes {
			fmt.Fprintln(cmd.ErrOrStderr(), "addressmap: nothing was written: name the directory of the zone files with --zone-files, or give --yes")
			return status(exitRefused)
		}
	}
	return nil
}

// beside returns the rules that others have broken for everyone, where the change is about
// a stage.
func (p *pusher) beside(m fleet.Map, c *push.Change) []finding {
	was, found, changed := c.Everyone()
	if !changed {
		return nil
	}
	of := checker(m, p.zoneFiles)
	of.WithoutZoneFiles = true
	old, _ := of.Check(was)
	next, _ := of.Check(found)
	if old.Snapshot == nil || next.Snapshot == nil { // Servers keep what is in force.
		return nil
	}
	return violations(m.String(), old.Snapshot, next.Snapshot, p.guard)
}

// documentsOf says which documents a change writes.
func documentsOf(c *push.Change) string {
	names, removed := c.Names(), len(c.Removed())
	text := fmt.Sprintf("documents: %d changed", len(names)-removed)
	if removed > 0 {
		text += fmt.Sprintf(", %d removed", removed)
	}
	if len(names) > 0 {
		text += ": " + firstOf(names)
	}
	return text
}

// firstOf joins the first names of a list, and says how many more there are.
func firstOf(names []string) (text string) {
	shown, others := firstNames(names, false)
	for i, name := range shown { // Anybody may have written a key of that name.
		if i > 0 {
			text += ", "
		}
		text += printable.Line(name)
	}
	if others > 0 {
		text += fmt.Sprintf(" and %d more", others)
	}
	return text
}

// whoPushes is the user and the host, for the history.
func whoPushes() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname()
	return name + "@" + host
}
