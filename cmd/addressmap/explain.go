package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newExplain() *cobra.Command {
	var format, missing string
	var anycast, zoneFiles []string
	ttl := ttlValue(answer.DefaultTTL)
	cmd := &cobra.Command{
		Use:   "explain MAP NAME [TYPE...]",
		Short: "Say what is answered for a name, and why",
		Long: `Say what the plugin answers for a name, A and AAAA unless other types are given:
the zone, the mark and where it stands, and each step of the fallback with the
reason why it does or does not apply.

Whether the backend has the name at all, the map cannot know.

Exit status: 0 the whole map is good, 1 it is refused in part or whole, 2 could not
run.`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeExplain,
		RunE: func(cmd *cobra.Command, args []string) error {
			compile := mapset.Options{PerFamily: missing == "next"}
			var err error
			if compile.Anycast, err = mapset.ParseAnycast(anycast); err != nil {
				return argumentf("--anycast: %w", err)
			}
			name, err := fqdn.Parse(args[1])
			if err != nil {
				return argumentf("%q is no domain name: %w", args[1], err)
			}
			types, err := typesOf(args[2:])
			if err != nil {
				return err
			}
			checked, err := load(live.Options{Path: args[0], Compile: compile, ZoneFiles: zoneFiles}, cmd.InOrStdin())
			if err != nil {
				return err
			}
			refused := sayRefused(cmd.ErrOrStderr(), args[0], checked)
			if checked.Snapshot == nil {
				return refused
			}
			e := explain(checked, name, types, uint32(ttl))
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), e)
			} else {
				err = writeExplanation(cmd.OutOrStdout(), e)
			}
			return cmp.Or(err, refused)
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json"}, "how the explanation is printed")
	cmd.Flags().StringSliceVar(&anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	choiceFlag(cmd, cmd.Flags(), &missing, "missing-family", []string{"nodata", "next"}, "the directive's option")
	cmd.Flags().Var(&ttl, "ttl", "the directive's option")
	zoneFilesFlag(cmd, &zoneFiles)
	return cmd
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
	Name       string       `json:"name"`
	Proxied    bool         `json:"proxied"`
	Closed     string       `json:"closed,omitempty"` // why a server that starts with the map does not answer
	Zone       *place       `json:"zone,omitempty"`
	Account    string       `json:"account,omitempty"`
	Mark       *place       `json:"mark,omitempty"`
	Steps      []stepTried  `json:"steps,omitempty"`
	Answers    []typeAnswer `json:"answers"`
	TTL        uint32       `json:"ttl"`
	DefaultSNI string       `json:"default_sni,omitempty"`
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
	IPs     []string `json:"ips,omitempty"`

	sni string
}

// typeAnswer is what a query of one type gets, if the backend has the name.
type typeAnswer struct {
	Type      string   `json:"type"`
	Addresses []string `json:"addresses,omitempty"`
	Text      string   `json:"text,omitempty"` // in place of addresses
}

// explain says why a name of a map is answered as it is.
func explain(checked *live.Checked, name fqdn.Name, types []string, ttl uint32) *explanation {
	d := checked.Snapshot.Lookup(name)
	e := &explanation{Name: string(name), Proxied: d.Proxied(), Closed: closed(checked.Snapshot, name), Account: d.Account(), TTL: ttl}
	if zone := declaredBy(d, checked); zone != nil {
		e.Zone = zone.at(string(d.Zone()), zone.zone.Pos)
		e.Mark = markOf(checked.Snapshot, name, d, zone)
		for _, r := range d.Reasons() {
			e.Steps = append(e.Steps, zone.step(name, r))
		}
	}
	if i := slices.IndexFunc(e.Steps, func(s stepTried) bool { return s.Applies }); i >= 0 {
		e.DefaultSNI = e.Steps[i].sni
	}
	for _, typ := range types {
		a := answerOf(typ, d)
		if e.Closed != "" {
			a = typeAnswer{Type: typ, Text: "SERVFAIL"}
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
	const remedy = ": correct that document (addressmap check names it)"
	switch {
	case s.IsClosed(name):
		return "a refused document declares its zone" + remedy
	case s.IsUnknown(name):
		return "a refused document does not tell its zones, and may declare this one" + remedy
	}
	return ""
}

// answerOf says what a query of one type gets.
func answerOf(typ string, d mapset.Decision) typeAnswer {
	a := typeAnswer{Type: typ}
	family := map[string]mapset.Family{"A": mapset.IPv4, "AAAA": mapset.IPv6}
	f, isAddress := family[typ]
	switch {
	case !d.Proxied():
		a.Text = "as the backend has it"
	case isAddress:
		for _, ip := range d.Addrs(f) {
			a.Addresses = append(a.Addresses, ip.String())
		}
		if len(a.Addresses) == 0 {
			a.Text = "NODATA"
		} else if f == mapset.IPv6 && d.NeedsAAAA() {
			a.Text = "only if the backend has an AAAA there (ipv6: false)"
		}
	case typ == "CNAME":
		a.Text = "NODATA: an alias of a proxied name is never shown"
	case typ == "HTTPS", typ == "SVCB":
		a.Text = "the backend's record, its hints replaced by the mapped addresses"
	default:
		a.Text = "the backend's records of that type; NODATA if it has an alias there"
	}
	return a
}
