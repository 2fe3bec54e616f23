package fetch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"
)

// The API allows 1200 requests in five minutes to a user, dashboard and scripts of theirs
// together. A fetch takes three quarters of that.
const perSecond = 3

const (
	mostRepeats  = 7                // of one request
	longestPause = 2 * time.Minute  // between two attempts, unless the API asks for more
	longestWait  = 10 * time.Minute // that the API may ask for
	timeout      = 2 * time.Minute  // of one attempt
	mostBytes    = 256 << 20        // of one response
)

// client speaks to the API. It is not safe for concurrent use.
type client struct {
	http     *retryablehttp.Client
	base     string
	token    string
	path     string // what is asked for
	requests int    // sent
	failure  error  // of the last attempt, nil if there was a response
	waiting  func(wait time.Duration, reason string)
}

// newClient returns a client with the API and token of the options.
func newClient(opt Options) (*client, error) {
	base := strings.TrimSuffix(opt.API, "/")
	if base == "" {
		base = DefaultAPI
	}
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("the API %q is no URL", base)
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, fmt.Errorf("the API %q: the token would go over the network in clear: say https://", base)
	case !isToken(opt.Token):
		return nil, errors.New("the token is none: it is one word of letters, digits, - and _")
	}
	c := &client{base: base, token: opt.Token, http: retryablehttp.NewClient()}
	c.http.Logger = nil
	c.http.HTTPClient = &http.Client{
		Timeout:   timeout,
		Transport: &limited{c: c, limit: rate.NewLimiter(cmp.Or(opt.limit, perSecond), 1), next: c.http.HTTPClient.Transport},
		// The API never redirects, and a token is for one host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.http.RetryMax = mostRepeats
	c.http.RetryWaitMin, c.http.RetryWaitMax = cmp.Or(opt.pause, time.Second), longestPause
	c.http.CheckRetry = c.checkRetry
	c.http.Backoff = c.backoff
	c.http.ErrorHandler = giveUp
	return c, nil
}

// limited counts requests, and sends no more than the limit allows, repeated ones too.
type limited struct {
	c     *client
	limit *rate.Limiter
	next  http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.limit.Wait(r.Context()); err != nil {
		return nil, err
	}
	l.c.requests++
	return l.next.RoundTrip(r)
}

// refusalError is the error of a request that the API has answered with an error.
type refusalError struct {
	status   int
	reason   string
	response json.RawMessage
}

func (e *refusalError) Error() string { return "the API refused the request: " + e.reason }

// get returns the response to a request, path and query. What may pass is tried again: a
// broken connection, a response that is cut off, the statuses 429 and 5xx.
func (c *client) get(ctx context.Context, request string) (json.RawMessage, error) {
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, c.base+request, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "addressmap")
	var body []byte
	r.SetResponseHandler(func(resp *http.Response) (err error) {
		defer resp.Body.Close()
		if body, err = io.ReadAll(io.LimitReader(resp.Body, mostBytes+1)); err != nil {
			return err
		}
		if len(body) > mostBytes {
			return fmt.Errorf("the response is larger than %d bytes", mostBytes)
		}
		if resp.StatusCode == http.StatusOK && !json.Valid(body) {
			return errors.New("the response is no JSON")
		}
		return nil
	})
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", request, err)
	}
	e, err := parseEnvelope(body)
	switch {
	case err == nil && resp.StatusCode == http.StatusOK && *e.Success:
		return body, nil
	case resp.StatusCode == http.StatusOK && err != nil:
		return nil, fmt.Errorf("%s: %w", request, err)
	}
	refusal := &refusalError{resp.StatusCode, e.reason(), body}
	if refusal.reason == "" || err != nil {
		refusal.reason = "status " + resp.Status
		refusal.response, err = json.Marshal(map[string]any{
			"success": false, "errors": []any{map[string]any{"code": resp.StatusCode, "message": refusal.reason}}, "result": nil})
		if err != nil {
			return nil, err
		}
	}
	return nil, refusal
}

// checkRetry decides whether an attempt is repeated.
func (c *client) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	c.failure = cause(err)
	if resp != nil {
		if wait := askedFor(resp); wait > longestWait {
			return false, fmt.Errorf("status %s, and no request for %s: give the same command again after that", resp.Status, wait)
		}
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(ctx, resp, err)
	return again, ctx.Err()
}

// askedFor returns the time that a response asks to wait, 0 if it does not.
func askedFor(resp *http.Response) time.Duration {
	return retryablehttp.DefaultBackoff(0, 0, 0, resp) // reads Retry-After, of 429 and 503
}

// backoff returns the time before the next attempt: twice the last one, and at least what
// the API asks for. The API is known to ask for 0 seconds, which would end in a ban.
func (c *client) backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := retryablehttp.DefaultBackoff(least, most, attempt, nil)
	reason := fmt.Sprint(c.failure)
	if resp != nil {
		wait = max(wait, askedFor(resp))
		if c.failure == nil {
			reason = "the API answers " + resp.Status
		}
	}
	c.waiting(wait, reason)
	return wait
}

// giveUp returns the error of the last attempt.
func giveUp(resp *http.Response, err error, attempts int) (*http.Response, error) {
	if resp != nil {
		_ = resp.Body.Close()
		if err == nil {
			err = fmt.Errorf("status %s", resp.Status)
		}
	}
	if attempts > 1 {
		return nil, fmt.Errorf("after %d attempts: %w: wait some minutes", attempts, cause(err))
	}
	return nil, cause(err)
}

// cause returns an error without the method and URL that net/http writes before it.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isToken reports whether a token can stand in a header; today's have 40 or more letters,
// digits, - and _.
func isToken(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}
