package cloudflare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Import collects objects of the API: address maps fetched one by one, prefixes with
// their delegations and BGP prefixes, zones, DNS records and Spectrum applications.
// It is not safe for concurrent use.
type Import struct {
	account string // id of the account of objects without an account; "" if there is none
	changes []Change

	maps        []apiAddressMap
	prefixes    []apiPrefix
	bgp         []apiBGPPrefix
	delegations []apiDelegation
	zones       []apiZone
	records     []apiRecord
	apps        []apiApplication
	pageCounts  map[pageSet]int // :: page set → number of its objects that were read
}

// A pageSet is the list of which some responses are pages: it has a kind of object, and
// their total number.
type pageSet struct {
	kind  objectKind
	total int
}

// NewImport returns an Import without objects. Address maps without an account go to the
// account with the given id, and are lost if it is "".
func NewImport(account string) *Import {
	return &Import{account: account, pageCounts: make(map[pageSet]int)}
}

// addChange adds a change about the object of that name.
func (i *Import) addChange(k Kind, name, format string, args ...any) {
	i.changes = append(i.changes, Change{Kind: k, Name: name, Text: fmt.Sprintf(format, args...)})
}

// envelope is the API's object around a result.
type envelope struct {
	Success *bool           `json:"success"`
	Result  json.RawMessage `json:"result"`
	Errors  []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Info struct {
		Total int `json:"total_count"`
	} `json:"result_info"`
}

// Add reads a file of responses, with their envelopes or without, one after the other;
// name is the path of the file. An error means that the file is no JSON.
func (i *Import) Add(name string, data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var value json.RawMessage
		switch err := dec.Decode(&value); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s is no JSON after byte %d: %w", name, dec.InputOffset(), err)
		}
		i.addResponse(name, value)
	}
}

// addResponse adds the objects of one response.
func (i *Import) addResponse(name string, value json.RawMessage) {
	total := 0
	if e, ok := fieldsOf(value); ok && e["result"] != nil && e["id"] == nil {
		var env envelope
		if err := json.Unmarshal(value, &env); err != nil {
			i.addChange(Lost, name, "a response that is none of the API's: %v", err)
			return
		}
		if env.Success != nil && !*env.Success {
			i.addChange(Lost, name, "the API refused the request: %v: fetch it again", env.Errors)
			return
		}
		value, total = env.Result, env.Info.Total
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		list = []json.RawMessage{value}
	}
	for n, item := range list {
		at := name
		if len(list) > 1 {
			at = fmt.Sprintf("%s[%d]", name, n)
		}
		if k := i.addObject(at, item); total > 0 {
			i.pageCounts[pageSet{k, total}]++
		}
	}
}

// fieldsOf returns the fields of a JSON object.
func fieldsOf(value json.RawMessage) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(value, &fields)
	return fields, err == nil && fields != nil
}
