// Package cfapi makes a map document of what Cloudflare's API returns: address
// maps fetched one by one, prefixes with their delegations and BGP prefixes,
// zones, DNS records and Spectrum applications. The fields are those of the
// types of cloudflare-go.
package cfapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/addressmap/addressmap/plugin/cfzone"
)

// Options of an import.
type Options struct {
	Account string // id of the account of objects that do not tell theirs; "" if there is none
}

// Import collects objects of the API. It is not safe for concurrent use.
type Import struct {
	opt     Options
	changes []cfzone.Change

	maps        []addressMap
	prefixes    []prefix
	bgp         []bgpPrefix
	delegations []delegation
	zones       []zone
	records     []record
	apps        []application
	pages       map[page]int // :: page set → objects of it that were read
}

// page is what tells responses apart of which each is a part.
type page struct {
	kind  kind
	total int
}

// New returns an Import of nothing.
func New(opt Options) *Import {
	return &Import{opt: opt, pages: make(map[page]int)}
}

func (i *Import) note(k cfzone.Kind, name, format string, args ...any) {
	i.changes = append(i.changes, cfzone.Change{Kind: k, Name: name, Text: fmt.Sprintf(format, args...)})
}

// envelope is what the API puts around a result.
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

// Add reads a file of responses, in their envelopes or bare, one after the other;
// name is its path. An error means that it holds no JSON.
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
		i.response(name, value)
	}
}

// response takes one response apart.
func (i *Import) response(name string, value json.RawMessage) {
	total := 0
	if e, ok := object(value); ok && e["result"] != nil && e["id"] == nil {
		var env envelope
		if err := json.Unmarshal(value, &env); err != nil {
			i.note(cfzone.Lost, name, "a response that is none of the API's: %v", err)
			return
		}
		if env.Success != nil && !*env.Success {
			i.note(cfzone.Lost, name, "the API refused the request: %v: fetch it again", env.Errors)
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
		if k := i.take(at, item); total > 0 {
			i.pages[page{k, total}]++
		}
	}
}

// object returns the fields of a JSON object.
func object(value json.RawMessage) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(value, &fields)
	return fields, err == nil && fields != nil
}
