package cloudflare

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is a line of the file that package fetch writes: a response of the API, and
// what was asked for. A later line about the same page of a list replaces an earlier
// one, and page 1 begins its list anew.
type Answer struct {
	Request  string          `json:"request"` // path and query, below the base of the API
	Time     time.Time       `json:"time"`
	Response json.RawMessage `json:"response"`
}

// End is the last line of the file that package fetch writes, once all lists were asked
// for.
type End struct {
	Fetched time.Time `json:"fetched"`
	Without []string  `json:"without,omitempty"` // the kinds that were not asked for
}

// WithoutRecords is the word in [End] for the DNS records.
const WithoutRecords = "records"

// A call is what a response was asked for.
type call struct {
	request string // path and query; "" if nothing tells
	list    string // the request without page and per_page
	kind    objectKind
	parent  string // id of the zone, account or prefix in the path, "" if there is none
	account string // id of the account in the path, "" if there is none
	page    int    // from 1; 0 for a single object
	filter  string // the part of the query that makes the list leave objects out, "" if there is none
}

// wholeQueries are the parameters that leave no object out of a list. The zones of one
// account are a list of their own.
var wholeQueries = []string{"page", "per_page", "order", "direction", "match", "cursor", "account.id"}

// parseCall reads a request of package fetch. A request of another kind has no kind.
func parseCall(request string) call {
	c := call{request: request, list: request}
	u, err := url.Parse(request)
	if err != nil {
		return c
	}
	q, err := url.ParseQuery(u.RawQuery)
	c.page = 1
	if text := q.Get("page"); text != "" {
		c.page, _ = strconv.Atoi(text)
	}
	q.Del("page")
	q.Del("per_page")
	c.list = u.Path + "?" + q.Encode()
	for _, key := range wholeQueries {
		q.Del(key)
	}
	c.filter = q.Encode()
	if err != nil {
		c.filter = u.RawQuery // what cannot be read may be a filter
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(path) > 1 {
		c.parent = path[1]
	}
	if path[0] == "accounts" {
		c.account = c.parent
	}
	switch pattern := patternOf(path); pattern {
	case "zones":
		c.kind = zoneKind
	case "zones/*/dns_records":
		c.kind = recordKind
	case "zones/*/spectrum/apps":
		c.kind = applicationKind
	case "accounts/*/addressing/address_maps":
		c.kind = addressMapKind
	case "accounts/*/addressing/address_maps/*":
		c.kind, c.page = addressMapKind, 0
	case "accounts/*/addressing/prefixes":
		c.kind = prefixKind
	case "accounts/*/addressing/prefixes/*/delegations":
		c.kind, c.parent = delegationKind, path[4]
	case "accounts/*/addressing/prefixes/*/bgp/prefixes":
		c.kind, c.parent = bgpPrefixKind, path[4]
	}
	return c
}

// patternOf returns a path with its ids, the second and the fifth part, as "*".
func patternOf(path []string) string {
	path = slices.Clone(path)
	for _, i := range []int{1, 4} {
		if i < len(path) {
			path[i] = "*"
		}
	}
	return strings.Join(path, "/")
}

// A fetchedFile is a file of package fetch.
type fetchedFile struct {
	name    string
	answers []Answer
	end     *End // nil if the fetch has not ended
}

// add reads a line. It reports false if the value is no line of package fetch.
func (f *fetchedFile) add(value json.RawMessage) bool {
	fields, ok := fieldsOf(value)
	switch {
	case ok && fields["request"] != nil && fields["response"] != nil:
		var a Answer
		if json.Unmarshal(value, &a) != nil {
			return false
		}
		f.answers = append(f.answers, a)
		f.end = nil
	case ok && fields["fetched"] != nil && len(f.answers) > 0:
		var e End
		if json.Unmarshal(value, &e) != nil {
			return false
		}
		f.end = &e
	default:
		return false
	}
	return true
}

// addFetched adds the answers of a file of package fetch that are not replaced by later
// ones.
func (i *Import) addFetched(f *fetchedFile) {
	if len(f.answers) == 0 {
		return
	}
	type page struct {
		list string
		page int
	}
	calls := make([]call, len(f.answers))
	latest := make(map[page]int)  // :: page → its last line
	begun := make(map[string]int) // :: list → the last line with its first page
	for n, a := range f.answers {
		calls[n] = parseCall(a.Request)
		latest[page{calls[n].list, calls[n].page}] = n
		if calls[n].page <= 1 {
			begun[calls[n].list] = n
		}
	}
	for n, a := range f.answers {
		if c := calls[n]; latest[page{c.list, c.page}] == n && n >= begun[c.list] {
			i.addResponse(f.name, c, a.Response)
		}
	}
	if f.end == nil {
		i.addLost(f.name, "the fetch has not ended", "give the same command again, it goes on where it was", "")
	} else if len(f.end.Without) > 0 {
		i.addChange(Review, f.name, "fetched without %s", strings.Join(f.end.Without, ", "))
	}
	i.fetches = append(i.fetches, f)
}

// withoutRecords reports whether a fetch was asked to leave the DNS records out.
func (i *Import) withoutRecords() bool {
	return slices.ContainsFunc(i.fetches, func(f *fetchedFile) bool {
		return f.end != nil && slices.Contains(f.end.Without, WithoutRecords)
	})
}
