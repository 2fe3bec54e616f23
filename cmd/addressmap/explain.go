package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newExplain() *cobra.Command {
	var format, server, drains string
	var https []string
	var directive directiveFlags
	var etcd etcdFlags
	ttl := ttlValue(answer.DefaultTTL)
	cmd := &cobra.Command{
		Use:   "explain MAP NAME [TYPE...]",
		Short: "Say what is answered for a name, and why",
		Long: `Say what the plugin answers for a name, A and AAAA unless other types are given:
the zone, the mark and where it stands, what decides in its place by what the backend
has, and each step of the fallback with the reason why it does or does not apply.
The answers are made by the plugin's own code.

Whether the backend has the name at all, the map cannot know: --server asks a running
server beside, and compares; where a wildcard may cover the name, for that too. The
options are those of the directive of that server. Drains of files count with --drains;
those of a map in etcd count without, as they do for its servers.

Exit status: 0 the whole map is good, 1 it is refused in part or whole, or the server
answers differently, 2 could not run.`,
		Example: `  addressmap explain maps.yaml www.example.org
  addressmap explain maps.yaml www.example.org A AAAA ANY HTTPS --https --server 127.0.0.1`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeExplain,
		RunE: func(cmd *cobra.Command, args []string) error {
			from := drainsOf(args[0], drains)
			if err := refuseIdle(cmd, "--drains", len(from) > 0, "drain-last"); err != nil {
				return err
			}
			opt, err := directive.options(args[0])
			if err != nil {
				return err
			}
			name, err := fqdn.Parse(args[1])
			if err != nil {
				return argumentf("%q is no domain name: %w", args[1], err)
			}
			types, err := typesOf(args[2:])
			if err != nil {
				return err
			}
			checked, err := load(opt, cmd.InOrStdin(), &etcd)
			if err != nil {
				return err
			}
			refused := sayRefused(cmd.ErrOrStderr(), etcd.at(args[0]), checked)
			if checked.Snapshot == nil {
				return refused
			}
			var entries []drain.Drain
			for _, path := range from {
				more, err := readDrains(cmd.ErrOrStderr(), drainFiles{path, &etcd}, &refused)
				if err != nil {
					return err
				}
				if path != drains {
					fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: drains of %s that are in force, and counted: %d\n", path, len(drain.InForce(more, time.Now())))
				}
				entries = append(entries, more...)
			}
			sayUnknownSite(cmd.ErrOrStderr(), checked.Snapshot)
			checked.Snapshot = directive.drained(checked.Snapshot, entries)
			e := explain(checked, entries, name, types, answer.Options{TTL: uint32(ttl), ALPN: https})
			if server != "" {
				if err := e.askServer(server); err != nil {
					return err
				}
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), e)
			} else {
				err = writeExplanation(cmd.OutOrStdout(), e)
			}
			if e.differs {
				refused = status(exitRefused)
			}
			return cmp.Or(err, refused)
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the explanation is printed")
	directive.add(cmd)
	drainsFlag(cmd, &drains)
	cmd.Flags().Var(&ttl, "ttl", "the directive's option")
	cmd.Flags().StringSliceVar(&https, "https", nil, "the directive's option, with the `ALPNs` if not h2 alone")
	cmd.Flags().Lookup("https").NoOptDefVal = "h2"
	cmd.Flags().StringVar(&server, "server", "", "ask the server at `ADDR` too, and compare; the port is 53 unless given")
	etcd.add(cmd)
	return cmd
}

// drainsOf returns where the drains are that a server with the map has: those of the flag,
// and those of a map in etcd beside its documents.
func drainsOf(path, flag string) (from []string) {
	if fleet.IsMap(path) {
		from = append(from, path)
	}
	if flag != "" && flag != path {
		from = append(from, flag)
	}
	return from
}

// typesOf returns the record types that the arguments name, A and AAAA if none do.
func typesOf(args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{"A", "AAAA"}, nil
	}
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = strings.ToUpper(a)
		if _, ok := dns.StringToType[types[i]]; !ok {
			return nil, argumentf("unknown record type %q%s", a, meant(types[i], slices.Sorted(maps.Keys(dns.StringToType))))
		}
	}
	return types, nil
}

// explanation is why a name is answered as it is.
type explanation struct {
	Name    string  `json:"name"`
	Proxied bool    `json:"proxied"`
	Closed  string  `json:"closed,omitempty"`  // why a server that starts with the map does not answer
	Refused []place `json:"refused,omitempty"` // documents, which may declare names
	Zone    *place  `json:"zone,omitempty"`
	Account string  `json:"account,omitempty"`
	Mark    *place  `json:"mark,omitempty"`
	// Alternatives is what decides in place of the mark, by what the backend has (R8).
	Alternatives []alternative `json:"alternatives,omitempty"`
	Steps        []stepTried   `json:"steps,omitempty"`
	Answers      []typeAnswer  `json:"answers"`
	TTL          uint32        `json:"ttl"`
	DefaultSNI   string        `json:"default_sni,omitempty"`

	checked  *live.Checked
	spectrum bool   // the name is that of an application, whatever the backend has
	server   string // that is asked beside
	differs  bool   // the server gave an answer that the map does not make
}

// place is something in a document, and where.
type place struct {
	What string `json:"what"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// stepTried is one step of the fallback, and what came of it.
type stepTried struct {
	Step    string   `json:"step"`
	Map     string   `json:"map,omitempty"`
	Applies bool     `json:"applies"`
	Reason  string   `json:"reason"`
	Place   *place   `json:"place,omitempty"`
	IPs     []string `json:"ips,omitempty"` // that may be answered
	// Withdrawn is those of its addresses that may not be answered, by prefix.
	Withdrawn []withdrawn `json:"withdrawn,omitempty"`
	// Drained is those of its addresses that are drained, by entry; they are among IPs where the drain is ignored.
	Drained []drainedIPs `json:"drained,omitempty"`

	sni string
}

// explain says why a name of a map is answered as it is.
func explain(checked *live.Checked, drains []drain.Drain, name fqdn.Name, types []string, opt answer.Options) *explanation {
	d := checked.Snapshot.Lookup(name)
	e := &explanation{checked: checked, Name: string(name), Proxied: d.Proxied(), Closed: closed(checked.Snapshot, name), Account: d.Account(), TTL: opt.TTL,
		Refused: refusals(checked.Problems), Alternatives: alternatives(checked, name, d)}
	if zone := declaredBy(d, checked); zone != nil {
		e.Zone = zone.at(string(d.Zone()), zone.zone.Pos)
		e.Mark = markOf(checked.Snapshot, name, d, zone)
		for _, r := range d.Reasons(name) {
			s := zone.step(name, r)
			s.Drained = drainedBy(r, drains, checked.Snapshot)
			e.Steps = append(e.Steps, s)
		}
	}
	if i := slices.IndexFunc(e.Steps, func(s stepTried) bool { return s.Applies }); i >= 0 {
		e.DefaultSNI = e.Steps[i].sni
	}
	e.spectrum = d.Spectrum
	r := newResponder(checked.Snapshot, name, opt)
	for _, typ := range types {
		a := r.answerOf(typ)
		if e.Closed != "" {
			a = closedAnswer(typ)
		}
		e.Answers = append(e.Answers, a)
	}
	return e
}

// markOf returns what says that a name is proxied or is not, and where.
func markOf(s *mapset.Snapshot, name fqdn.Name, d mapset.Decision, zone *declared) *place {
	switch {
	case d.Spectrum:
		return &place{What: "the name of a Spectrum application"}
	case d.ByWildcard:
		p := zone.mark(s.MarkOf(name))
		p.What += ", if the backend answers for the name from it"
		return p
	}
	return zone.mark(name)
}

// closed says why a server that starts with the map does not answer for a name (R26), ""
// if it does.
func closed(s *mapset.Snapshot, name fqdn.Name) string {
	const remedy = ": correct that document"
	switch {
	case s.IsClosed(name):
		return "a refused document declares its zone" + remedy
	case s.IsUnknown(name) && !name.In("in-addr.arpa.") && !name.In("ip6.arpa."):
		return "a refused document does not tell its zones, and may declare this one" + remedy
	}
	return ""
}

// closedAnswer says what a query of one type gets for a closed name.
func closedAnswer(typ string) typeAnswer {
	a := typeAnswer{Type: typ, Text: "SERVFAIL", possible: []string{"SERVFAIL"}}
	switch typ {
	case "SOA", "NS", "DS", "DNSKEY":
		a.Text, a.own = "the backend's at the apex of a zone; else SERVFAIL", true
	}
	return a
}

// refusals returns the documents that are refused, each with its first error.
func refusals(problems []live.Problem) (out []place) {
	for _, p := range problems {
		at := place{What: p.Err.Error(), File: p.Path}
		var errs mapfile.Errors
		if errors.As(p.Err, &errs) && len(errs) > 0 {
			at = place{What: errs[0].Rule + ": " + errs[0].Text, File: errs[0].File, Line: int(errs[0].Pos.Line)}
		}
		out = append(out, at)
	}
	return out
}
