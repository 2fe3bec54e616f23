package cloudflare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Import collects objects of the API: address maps fetched one by one, prefixes with
// their delegations and BGP prefixes, zones, DNS records and Spectrum applications.
// It is not safe for concurrent use.
type Import struct {
	account string // id of the account of objects without an account; "" if there is none
	changes []Change
	answers []*answer
	fetches []*fetchedFile
	records map[fqdn.Name][]Record // :: apex → the records of the zone, when the document is made
}

// An answer is one response of the API, or its result alone.
type answer struct {
	file    string
	call    call      // what was asked for; the zero value if nothing tells
	info    *pageInfo // nil if nothing tells which page of its list it is
	refused bool
	given   int // values in its result, those that are no object among them
	objects []object
}

// NewImport returns an Import without objects. Address maps without an account go to the
// account with the given id, and are lost if it is "".
func NewImport(account string) *Import {
	return &Import{account: account, records: make(map[fqdn.Name][]Record)}
}

// addLost adds a loss with its remedy; group is what several of its kind have in common.
func (i *Import) addLost(name, text, remedy, group string) {
	i.changes = append(i.changes, Change{Kind: Lost, Name: name, Text: text, Remedy: remedy, Group: group})
}

// addChange adds a change about the object of that name.
func (i *Import) addChange(k Kind, name, format string, args ...any) {
	i.changes = append(i.changes, Change{Kind: k, Name: name, Text: fmt.Sprintf(format, args...)})
}

// envelope is the API's object around a result.
type envelope struct {
	Success *bool           `json:"success"`
	Result  json.RawMessage `json:"result"`
	Errors  []apiError      `json:"errors"`
	Info    *pageInfo       `json:"result_info"`
}

// apiError is one reason why the API refused a request.
type apiError struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Chain   []apiError `json:"error_chain"`
}

func (e apiError) String() string {
	text := fmt.Sprintf("%s (code %d)", e.Message, e.Code)
	for _, cause := range e.Chain {
		text += ", " + cause.String()
	}
	return text
}

// pageInfo says which page of a list a response is. The API leaves out what does not
// apply.
type pageInfo struct {
	Page       int    `json:"page"`
	PerPage    int    `json:"per_page"`
	Count      *int   `json:"count"` // of the objects of the page
	TotalPages int    `json:"total_pages"`
	Total      int    `json:"total_count"`
	Cursor     string `json:"cursor"` // asks for the next page
	Cursors    struct {
		After string `json:"after"` // asks for the next page
	} `json:"cursors"`
}

// isEmpty reports whether the response is the only page of a list without objects.
func (p *pageInfo) isEmpty() bool {
	return p != nil && p.Count != nil && *p.Count == 0 && p.Total == 0 && p.Page <= 1
}

// Add reads a file of responses, with their envelopes or without, one after the other,
// or a file that package fetch has written; name is the path of the file. A byte order
// mark is read. An error means that the file is no JSON.
func (i *Import) Add(name string, data []byte) error {
	// Shells of Windows write a byte order mark, and UTF-16 at that.
	text, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), data)
	if err != nil {
		return fmt.Errorf("%s is no text: %w", name, err)
	}
	f := &fetchedFile{name: name}
	dec := json.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var value json.RawMessage
		switch err := dec.Decode(&value); {
		case errors.Is(err, io.EOF) && n == 0:
			i.addLost(name, "the file is empty", again, "")
			return nil
		case errors.Is(err, io.EOF):
			i.addFetched(f)
			return nil
		case err != nil:
			return fmt.Errorf("%s is no JSON after byte %d: %w", name, dec.InputOffset(), err)
		}
		if !f.add(value) {
			i.addResponse(name, call{}, value)
		}
	}
}

// addResponse adds the objects of one response.
func (i *Import) addResponse(name string, c call, value json.RawMessage) {
	a := &answer{file: name, call: c}
	if f, ok := fieldsOf(value); ok && f["id"] == nil && (f["result"] != nil || f["success"] != nil) {
		var env envelope
		if err := json.Unmarshal(value, &env); err != nil {
			i.addLost(i.placeOf(a), fmt.Sprintf("a response that is none of the API's: %v", err), again, "")
			return
		}
		if env.Success != nil && !*env.Success {
			i.addLost(i.placeOf(a), fmt.Sprintf("the API refused the request: %v", env.Errors), again, "requests were refused by the API")
			a.refused = true
			i.answers = append(i.answers, a)
			return
		}
		value, a.info = env.Result, env.Info
	}
	if string(value) == "null" && (c.kind != "" && c.page > 0 || a.info.isEmpty()) {
		value = json.RawMessage("[]")
	}
	if len(value) == 0 || string(value) == "null" {
		i.addLost(i.placeOf(a), "a response without a result", again, "")
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		list = []json.RawMessage{value}
	}
	if a.info == nil && c == (call{}) && len(list) > 0 && isEnvelope(list[0]) {
		for _, response := range list { // as "jq -s" makes of several
			i.addResponse(name, c, response)
		}
		return
	}
	if a.info == nil && c == (call{}) && len(list) == 0 {
		i.addChange(Review, name, "an empty list of which nothing tells what it is a list of")
	}
	a.given = len(list)
	for n, item := range list {
		at := i.placeOf(a)
		if len(list) > 1 {
			at = fmt.Sprintf("%s[%d]", at, n)
		}
		if o, ok := i.parseObject(at, item); ok {
			a.objects = append(a.objects, o)
		}
	}
	i.answers = append(i.answers, a)
}

// again is the remedy for a response that is none.
const again = "fetch it again"

// placeOf returns where an answer is from: what was asked for, or the file.
func (i *Import) placeOf(a *answer) string {
	if a.call.request != "" {
		return a.call.request
	}
	return a.file
}

// isEnvelope reports whether a value is a response in its envelope.
func isEnvelope(value json.RawMessage) bool {
	f, ok := fieldsOf(value)
	return ok && f["result"] != nil && f["success"] != nil
}

// fieldsOf returns the fields of a JSON object.
func fieldsOf(value json.RawMessage) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(value, &fields)
	return fields, err == nil && fields != nil
}
