package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
)

// drainsFlag adds the flag for the directive's drains option to a command.
func drainsFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "drains", "", "the directive's option: a `file` or directory of drains, or the map in etcd that has them")
	_ = cmd.MarkFlagFilename("drains", mapSuffixes...)
}

// readDrains returns the entries of all files that are good, and says which are refused:
// refused is the exit status then. There are none if there is no path.
func readDrains(w io.Writer, files drainFiles, refused *error) (entries []drain.Drain, err error) {
	if files.path == "" {
		return nil, nil
	}
	all, err := files.read()
	if err != nil {
		return nil, err
	}
	if r := sayRefusedDrains(w, all); r != nil {
		*refused = r
	}
	for _, f := range all {
		entries = append(entries, f.has...)
	}
	return entries, nil
}

// drainedIPs is addresses of a step that are drained, with the entry that says so.
type drainedIPs struct {
	IPs    []string  `json:"ips"`
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"`
	Until  time.Time `json:"until"`
	At     string    `json:"at"`
}

// String is the entry in one line.
func (d drainedIPs) String() string {
	text := "until " + d.Until.UTC().Format(time.RFC3339) + ": " + d.Reason
	if d.By != "" {
		text += ", by " + d.By
	}
	return text
}

func (d drainedIPs) visible() drainedIPs {
	d.Reason, d.By, d.At = printable.Line(d.Reason), printable.Line(d.By), printable.Line(d.At)
	return d
}

// drainedBy returns the addresses of a step that are drained, by the entries in force that
// say so.
func drainedBy(r mapset.Reason, entries []drain.Drain, s *mapset.Snapshot) (out []drainedIPs) {
	all := r.Drained()
	for _, e := range drain.InForce(entries, time.Now()) {
		said := drainedIPs{Reason: e.Reason, By: e.By, Until: e.Until, At: e.Source}
		drains := s.DrainedBy(e)
		for _, ip := range all {
			if drains(r.Step, ip) {
				said.IPs = append(said.IPs, ip.String())
			}
		}
		if len(said.IPs) > 0 {
			out = append(out, said)
		}
	}
	return out
}

// refusedDrains returns the findings of files of drains that are refused.
func refusedDrains(all []drainFile) (out []finding) {
	for _, f := range all {
		if f.errs != nil {
			out = append(out, findingsOf(live.Problem{Path: f.name, Err: f.errs})...)
		}
	}
	return out
}

// unlikely warns of drains that do nothing to a map, or not all that they say.
func (r *checkRun) unlikely(all []drainFile, s *mapset.Snapshot) (out []finding) {
	var entries []drain.Drain
	for _, f := range all {
		entries = append(entries, f.has...)
	}
	drained := r.drained(s, entries).Drained()
	for _, target := range drained.Unknown {
		out = append(out, finding{Level: levelWarning, File: r.drains, Rule: ruleUnlikely, Text: idle(target)})
	}
	for _, at := range ignoredOf(drained) {
		out = append(out, finding{Level: levelWarning, File: r.drains, Rule: ruleUnlikely, Text: "a drain is ignored: " + at.String()})
	}
	return out
}
