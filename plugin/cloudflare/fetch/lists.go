package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
)

const (
	attempts     = 3      // of a list that changes while it is fetched
	mostPages    = 20_000 // of one list
	mostRefusals = 3      // of one right that the API has never answered
)

// item is what a list tells of an object.
type item struct {
	ID      string `json:"id"`
	Account struct {
		ID string `json:"id"`
	} `json:"account"`
}

// list returns all objects of a list: from the file, and from the API what the file
// lacks. Of a list that the API refused it returns nothing. A list that changes while it is
// fetched begins anew some times.
func (f *fetcher) list(ctx context.Context, k kind, path string) ([]item, error) {
	if !f.wants(k) {
		return nil, nil
	}
	for attempt := 1; ; attempt++ {
		items, whole, err := f.pages(ctx, k, path)
		switch {
		case errors.Is(err, errRefused):
			return nil, nil
		case err != nil:
			return nil, err
		case whole:
			f.summary.Lists++
			return items, nil
		case attempt == attempts:
			f.summary.Changing = append(f.summary.Changing, path)
			return items, nil
		}
		f.file.forget(path)
	}
}

// pages returns the objects of all pages of a list, and whether they are as many as the
// list says.
func (f *fetcher) pages(ctx context.Context, k kind, path string) ([]item, bool, error) {
	var all []item
	ids := make(map[string]bool)
	total, changed := 0, false
	for n := 1; ; n++ {
		result, info, err := f.page(ctx, k, path, n)
		if err != nil {
			return nil, false, err
		}
		var page []item
		if err := json.Unmarshal(result, &page); err != nil {
			return nil, false, fmt.Errorf("%s: the result is no list: %w: remove the file to fetch it anew", path, err)
		}
		for _, i := range page {
			if k != records && k != applications && !isID(i.ID) || k == zones && !isID(i.Account.ID) {
				return nil, false, fmt.Errorf("%s: an object whose id is none: %q: remove the file to fetch it anew", path, i.ID)
			}
			if !ids[i.ID] {
				ids[i.ID] = true
				all = append(all, i)
			}
		}
		changed = changed || n > 1 && info.Total != total
		total = info.Total
		if n >= info.TotalPages {
			return all, !changed && (total == 0 || total == len(all)), nil
		}
		if n == mostPages {
			return nil, false, fmt.Errorf("%s has more than %d pages", path, mostPages)
		}
	}
}

// errRefused is the error of a list that the API refused, and that is in the summary.
var errRefused = errors.New("refused")

// page returns one page of a list, from the file or the API; page 0 is a single object.
func (f *fetcher) page(ctx context.Context, k kind, path string, page int) (json.RawMessage, pageInfo, error) {
	request := withPage(path, page)
	if response := f.file.response(path, page); response != nil {
		e, err := parseEnvelope(response)
		return e.ofPage(page, err)
	}
	f.path = request
	f.progress(Progress{})
	response, err := f.get(ctx, request)
	var refusal *refusalError
	switch {
	case errors.As(err, &refusal) && (refusal.status < 400 || refusal.status == http.StatusNotFound) && k == zones:
		return nil, pageInfo{}, fmt.Errorf("%s: %w: is %s the API?", request, refusal, f.base)
	case errors.As(err, &refusal) && (refusal.status == http.StatusUnauthorized || k == zones):
		return nil, pageInfo{}, fmt.Errorf("%s: %w: give a token that has not expired, with the right %q", request, refusal, k.right)
	case errors.As(err, &refusal):
		f.summary.Refused = append(f.summary.Refused, Refusal{request, refusal.reason, k.right})
		if f.refused[k.right]++; !f.granted[k.right] && f.refused[k.right] == mostRefusals {
			return nil, pageInfo{}, fmt.Errorf("the API refused %s: %s: give the token the right %q, or leave out %s",
				request, refusal.reason, k.right, k.name)
		}
		if err := f.file.append(path, page, request, refusal.response); err != nil {
			return nil, pageInfo{}, err
		}
		return nil, pageInfo{}, errRefused
	case err != nil:
		return nil, pageInfo{}, err
	}
	f.granted[k.right] = true
	e, err := parseEnvelope(response)
	result, info, err := e.ofPage(page, err)
	if err != nil {
		return nil, pageInfo{}, fmt.Errorf("%s: %w", request, err)
	}
	return result, info, f.file.append(path, page, request, response)
}

// ofPage returns the result of a page of a list, or of a single object if the page is 0.
// The API may have null for an empty list, and for no object.
func (e envelope) ofPage(page int, err error) (json.RawMessage, pageInfo, error) {
	if err == nil && page == 0 && string(e.Result) == "null" {
		err = errNoResult
	}
	return e.Result, e.Info, err
}

// withPage returns the request for a page of a list. Page 1 of a list whose pages have no
// size is not named: that the list has pages is not documented.
func withPage(path string, page int) string {
	switch {
	case strings.Contains(path, "?"):
		return fmt.Sprintf("%s&page=%d", path, page)
	case page > 1:
		return fmt.Sprintf("%s?page=%d", path, page)
	}
	return path
}

// envelope is the API's object around a result.
type envelope struct {
	Success *bool           `json:"success"`
	Result  json.RawMessage `json:"result"`
	Errors  []apiError      `json:"errors"`
	Info    pageInfo        `json:"result_info"`
}

type apiError struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Chain   []apiError `json:"error_chain"`
}

// pageInfo says which page of a list a response is.
type pageInfo struct {
	TotalPages int `json:"total_pages"`
	Total      int `json:"total_count"`
}

// parseEnvelope reads a response. One without a result is an error.
func parseEnvelope(response []byte) (e envelope, err error) {
	if err := json.Unmarshal(response, &e); err != nil {
		return e, fmt.Errorf("the API's response is none: %w", err)
	}
	if e.Success == nil || *e.Success && len(e.Result) == 0 {
		return e, errNoResult
	}
	return e, nil
}

var errNoResult = errors.New("the API's response has no result")

// reason returns the errors of a response as text, "" if there are none.
func (e envelope) reason() string {
	var texts []string
	var add func([]apiError)
	add = func(list []apiError) {
		for _, err := range list {
			texts = append(texts, fmt.Sprintf("%s (code %d)", err.Message, err.Code))
			add(err.Chain)
		}
	}
	add(e.Errors)
	return printable.Line(strings.Join(slices.Compact(texts), ", "))
}
