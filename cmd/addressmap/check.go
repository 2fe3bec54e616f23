package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/live"
)

func newCheck() *cobra.Command {
	var run checkRun
	var format string
	var strict bool
	cmd := &cobra.Command{
		Use:   "check MAP...",
		Short: "Check maps as the plugin would load them",
		Long: `Check each map, a document or a directory of them, with the plugin's own rules. The
map "-" is one document on the standard input; its zone files are looked up from
the working directory. Zone files that the map names are looked through for records
by which the origin of a proxied name is known. With --drains, files of drains are
judged too, and warned of what they drain that the map does not have or cannot spare.

Exit status: 0 good, 1 refused, 2 could not run.`,
		Example: `  addressmap check maps.yaml
  addressmap check --against /etc/coredns/maps.yaml maps.yaml
  git show :maps.yaml | addressmap check -
  addressmap check --format sarif maps/ > maps.sarif`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseTwoStdin(append(args, run.against)...); err != nil {
				return err
			}
			if err := refuseIdle(cmd, "--against", run.against != "", "guard"); err != nil {
				return err
			}
			if err := refuseIdle(cmd, "--drains", run.drains != "", "drain-last"); err != nil {
				return err
			}
			run.stdin = cmd.InOrStdin()
			findings, err := run.findings(args)
			if err != nil {
				return err
			}
			if strict {
				asErrors(findings)
			}
			if err := findingWriters[format](cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Level == levelError {
					return status(exitRefused)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&run.against, "against", "", "the map in `force`: judge what a reload may not do")
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json", "sarif"}, "how the findings are printed")
	guardFlag(cmd, &run.guard)
	cmd.Flags().BoolVar(&strict, "strict", false, "warnings are errors")
	run.directiveFlags.add(cmd)
	drainsFlag(cmd, &run.drains)
	run.etcd.add(cmd)
	return cmd
}

// checkRun is one run of the check command.
type checkRun struct {
	directiveFlags
	against string // path of the map in force, or ""
	guard   int
	drains  string // path of drains, or ""
	stdin   io.Reader
	etcd    etcdFlags
}

// findings gathers the findings of all maps.
func (r *checkRun) findings(paths []string) ([]finding, error) {
	findings := []finding{}
	var old *live.Checked
	if r.against != "" {
		var err error
		if old, err = r.load(r.against); err != nil {
			return nil, fmt.Errorf("the map in force: %w", err)
		}
		findings = append(findings, problemsOf(old)...)
	}
	var drains []drainFile
	if r.drains != "" {
		var err error
		if drains, err = (drainFiles{r.drains, &r.etcd}).read(); err != nil {
			return nil, err
		}
		findings = append(findings, refusedDrains(drains)...)
	}
	for _, path := range paths {
		checked, err := r.load(path)
		if err != nil {
			return nil, err
		}
		findings = append(findings, problemsOf(checked)...)
		if checked.Snapshot == nil {
			continue
		}
		for _, w := range checked.Snapshot.Warnings() {
			findings = append(findings, warningOf(path, w))
		}
		if w := checked.Snapshot.SiteWarning(); w != "" {
			findings = append(findings, warningOf(path, w))
		}
		findings = append(findings, exposed(checked, r.zoneFiles)...)
		if r.drains != "" {
			findings = append(findings, r.unlikely(drains, checked.Snapshot)...)
		}
		if old == nil {
			continue
		}
		opt, err := r.options(path)
		if err != nil {
			return nil, err
		}
		was, next, err := succession(r.against, path, old, checked, opt.Compile)
		if err != nil {
			return nil, err
		}
		findings = append(findings, violations(path, was, next, r.guard)...)
	}
	return findings, nil
}

func (r *checkRun) load(path string) (*live.Checked, error) {
	opt, err := r.options(path)
	if err != nil {
		return nil, err
	}
	return load(opt, r.stdin, &r.etcd)
}
