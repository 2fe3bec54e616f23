// Package fetch gets from Cloudflare's API what a map is made of: zones with their DNS
// records and Spectrum applications, and accounts with their address maps and prefixes.
// [Run] writes every response into one file, a line each, which
// [github.com/addressmap/addressmap/plugin/cloudflare.Import] reads. A fetch that was
// interrupted goes on where it was: what the file has is not asked for again.
//
// The file has the addresses of origins, and only its owner may read it. The token is
// sent to the API alone, and never written.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// DefaultAPI is the base URL of Cloudflare's API.
const DefaultAPI = "https://api.cloudflare.com/client/v4"

// Options say what to fetch, and with which right.
type Options struct {
	API      string         // base URL, [DefaultAPI] if it is ""
	Token    string         // an API token
	Accounts []string       // ids of accounts, those of all zones that the token reads if there are none
	Without  []string       // kinds to leave out, of [Kinds]
	Progress func(Progress) // is called before each request and each wait; may be nil

	// Tests have less time.
	pause time.Duration // before a second attempt; a second if it is 0
	limit rate.Limit    // requests in a second; perSecond if it is 0
}

// Progress is how far a fetch is.
type Progress struct {
	Requests int           // sent, with repeated ones
	Done     int           // lists and address maps that are in the file
	Known    int           // lists and address maps that are known so far
	Path     string        // what is asked for
	Wait     time.Duration // before another attempt, 0 if there is none
	Reason   string        // of the wait
}

// Summary is what a fetch has done.
type Summary struct {
	Requests int       // sent, with repeated ones
	Lists    int       // in the file, and address maps
	Zones    int       // in the file
	Records  int       // in the file
	Oldest   time.Time // the time of the oldest response in the file
	Refused  []Refusal // lists that the API refused; asked for again by another run
	Changing []string  // lists that changed each time they were fetched; asked for again by another run
}

// A Refusal is a list that the API refused.
type Refusal struct {
	Path   string
	Reason string
	Right  string // that the token needs
}

// A kind of lists, and the right that a token needs for it.
type kind struct {
	name  string // in Options.Without; "" if a map cannot be without it
	right string
}

var (
	zones        = kind{"", "Zone: Zone Read"}
	records      = kind{cloudflare.WithoutRecords, "Zone: DNS Read"}
	applications = kind{"applications", "Zone: Zone Settings Read"}
	maps         = kind{"maps", "Account: Address Maps Read"}
	prefixes     = kind{"prefixes", "Account: IP Prefixes: Read, and IP Prefixes: BGP On Demand Read"}
)

// Kinds returns the kinds that can be left out.
func Kinds() []string {
	return []string{records.name, applications.name, maps.name, prefixes.name}
}

// The sizes of pages, the largest that the API documents, or that a response of some
// megabytes allows. Lists that are not here come on one page.
const (
	zonesPerPage        = "50"
	recordsPerPage      = "5000"
	applicationsPerPage = "100"
)

// fetcher is a fetch under way.
type fetcher struct {
	Options
	*client
	file    *file
	summary Summary
	known   int
	granted map[string]bool // :: right → the API has answered a list of that right
	refused map[string]int  // :: right → lists refused so far
}

// Run fetches everything into the file at path, or what the file lacks. An error means
// that the fetch has to be run again. What the API refused is in the summary, and lost.
func Run(ctx context.Context, path string, opt Options) (Summary, error) {
	c, err := newClient(opt)
	if err != nil {
		return Summary{}, err
	}
	for _, id := range opt.Accounts {
		if !isID(id) {
			return Summary{}, fmt.Errorf("account %q is no id: it is in the address of the account's page of the dashboard", id)
		}
	}
	for _, w := range opt.Without {
		if !slices.Contains(Kinds(), w) {
			return Summary{}, fmt.Errorf("%q cannot be left out: say one of %s", w, strings.Join(Kinds(), ", "))
		}
	}
	file, err := openFile(path)
	if err != nil {
		return Summary{}, err
	}
	f := &fetcher{Options: opt, client: c, file: file, known: 1, granted: make(map[string]bool), refused: make(map[string]int)}
	c.waiting = func(wait time.Duration, reason string) { f.progress(Progress{Wait: wait, Reason: reason}) }
	err = f.run(ctx)
	f.summary.Requests, f.summary.Oldest = c.requests, file.oldest()
	if err == nil && len(f.summary.Changing) == 0 {
		err = file.end(cloudflare.End{Fetched: time.Now().UTC().Truncate(time.Second), Without: opt.Without})
	}
	if cerr := file.close(); err == nil {
		err = cerr
	}
	return f.summary, err
}

// run fetches the lists, in the order in which they name each other.
func (f *fetcher) run(ctx context.Context) error {
	accounts := slices.Clone(f.Accounts)
	var zoneIDs []string
	filters := []string{""}
	if len(accounts) > 0 {
		filters = nil
		for _, id := range accounts {
			filters = append(filters, "account.id="+url.QueryEscape(id)+"&")
		}
		f.known = len(filters)
	}
	for _, filter := range filters {
		list, err := f.list(ctx, zones, "/zones?"+filter+"per_page="+zonesPerPage)
		if err != nil {
			return err
		}
		f.summary.Zones += len(list)
		for _, z := range list {
			zoneIDs = append(zoneIDs, z.ID)
			if !slices.Contains(accounts, z.Account.ID) {
				accounts = append(accounts, z.Account.ID)
			}
		}
	}
	per := func(kinds ...kind) (n int) {
		for _, k := range kinds {
			if f.wants(k) {
				n++
			}
		}
		return n
	}
	f.known += len(zoneIDs)*per(records, applications) + len(accounts)*per(maps, prefixes)
	for _, id := range zoneIDs {
		list, err := f.list(ctx, records, "/zones/"+id+"/dns_records?per_page="+recordsPerPage)
		if err != nil {
			return err
		}
		f.summary.Records += len(list)
		if _, err := f.list(ctx, applications, "/zones/"+id+"/spectrum/apps?per_page="+applicationsPerPage); err != nil {
			return err
		}
	}
	for _, id := range accounts {
		if err := f.account(ctx, "/accounts/"+id+"/addressing"); err != nil {
			return err
		}
	}
	return nil
}

// account fetches the address maps and prefixes of an account.
func (f *fetcher) account(ctx context.Context, path string) error {
	list, err := f.list(ctx, maps, path+"/address_maps")
	if err != nil {
		return err
	}
	f.known += len(list)
	for _, m := range list { // The list leaves out the ips and memberships of its maps.
		switch _, _, err := f.page(ctx, maps, path+"/address_maps/"+m.ID, 0); {
		case err == nil:
			f.summary.Lists++
		case !errors.Is(err, errRefused):
			return err
		}
	}
	if list, err = f.list(ctx, prefixes, path+"/prefixes"); err != nil {
		return err
	}
	f.known += 2 * len(list)
	for _, p := range list {
		for _, of := range []string{"/delegations", "/bgp/prefixes"} {
			if _, err := f.list(ctx, prefixes, path+"/prefixes/"+p.ID+of); err != nil {
				return err
			}
		}
	}
	return nil
}

// wants reports whether a kind is to be fetched.
func (f *fetcher) wants(k kind) bool { return k.name == "" || !slices.Contains(f.Without, k.name) }

// progress tells how far the fetch is.
func (f *fetcher) progress(p Progress) {
	if f.Options.Progress == nil {
		return
	}
	p.Requests, p.Done, p.Known, p.Path = f.requests, f.summary.Lists, f.known, f.path
	f.Options.Progress(p)
}

// legalID is what the ids of the API look like, so that none can lead a request astray.
var legalID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func isID(id string) bool { return legalID.MatchString(id) }
