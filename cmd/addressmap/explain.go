package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newExplain() *cobra.Command {
	var format, missing string
	var anycast, zoneFiles []string
	var ttl uint32
	cmd := &cobra.Command{
		Use:   "explain MAP NAME [TYPE...]",
		Short: "Say what is answered for a name, and why",
		Long: `Say what the plugin answers for a name, A and AAAA unless other types are given:
the zone, the mark and where it stands, and each step of the fallback with the
reason why it does or does not apply.

Whether the backend has the name at all, the map cannot know.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := compileOptions(anycast, missing)
			if err != nil {
				return err
			}
			types, err := typesOf(args[2:])
			if err != nil {
				return err
			}
			e, err := explain(live.Options{Path: args[0], Compile: options, ZoneFiles: zoneFiles}, args[1], types, ttl)
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(cmd.OutOrStdout(), e)
			}
			return writeExplanation(cmd.OutOrStdout(), e)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringSliceVar(&anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	cmd.Flags().StringVar(&missing, "missing-family", "nodata", "the directive's option: nodata or next")
	cmd.Flags().Uint32Var(&ttl, "ttl", 300, "the directive's option, in `seconds`")
	zoneFilesFlag(cmd, &zoneFiles)
	return cmd
}

// compileOptions reads what the directive says about deciding.
func compileOptions(anycast []string, missing string) (mapset.Options, error) {
	var o mapset.Options
	switch missing {
	case "nodata":
	case "next":
		o.PerFamily = true
	default:
		return o, fmt.Errorf("--missing-family is %q: write nodata or next", missing)
	}
	var err error
	if o.Anycast, err = mapset.ParseAnycast(anycast); err != nil {
		return o, fmt.Errorf("--anycast: %w", err)
	}
	return o, nil
}

func typesOf(args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{"A", "AAAA"}, nil
	}
	for i, a := range args {
		args[i] = strings.ToUpper(a)
		if _, ok := dns.StringToType[args[i]]; !ok {
			return nil, fmt.Errorf("unknown record type %q", a)
		}
	}
	return args, nil
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

// explain finds out about one name of a map.
func explain(opt live.Options, arg string, types []string, ttl uint32) (*explanation, error) {
	name, err := fqdn.Parse(arg)
	if err != nil {
		return nil, fmt.Errorf("%q is no domain name: %w", arg, err)
	}
	checked, err := live.Check(opt)
	if err != nil {
		return nil, err
	}
	if checked.Snapshot == nil {
		return nil, fmt.Errorf("the map is refused: addressmap check %s says why", opt.Path)
	}
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
	return e, nil
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
