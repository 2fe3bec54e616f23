package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/answer"
)

// minCached is for how long caches hold an answer at least, whatever its TTL: resolvers
// have a least TTL, often up to a minute.
const minCached = time.Minute

// cached returns for how long an answer with a TTL is remembered once servers give it no
// longer: for the TTL, and as long again by what counts late, as a resolver behind a
// cache that gives the whole TTL again (keepttl of the plugin cache, some forwarders).
func cached(ttl time.Duration) time.Duration { return ttl + max(ttl, minCached) }

// defaultLinger is how long an address stays bound by default, at the default TTL.
var defaultLinger = cached(answer.DefaultTTL * time.Second)

// waiting is how long an address is to be waited for that is answered no longer.
type waiting struct {
	ttl                ttlValue
	secondaries, stale time.Duration
}

func newWaiting() waiting { return waiting{ttl: answer.DefaultTTL} }

// add adds the flags to a command.
func (w *waiting) add(cmd *cobra.Command) {
	*w = newWaiting()
	cmd.Flags().Var(&w.ttl, "ttl", "the largest ttl of your directives, for the order of work")
	cmd.Flags().DurationVar(&w.secondaries, "secondaries", 0, "how late secondaries may have the change, if NOTIFY is lost: the refresh `time` of the zones' SOA")
	cmd.Flags().DurationVar(&w.stale, "stale", 0, "for what `time` caches answer with what has expired: serve_stale of the plugin cache, or that of resolvers (RFC 8767)")
}

// check returns an error about the flags.
func (w *waiting) check() error {
	for name, d := range map[string]time.Duration{"secondaries": w.secondaries, "stale": w.stale} {
		if d < 0 {
			return argumentf("--%s %s: write a duration that is not negative", name, d)
		}
	}
	return nil
}

// waitPart is one part of the wait.
type waitPart struct {
	For     string `json:"for"` // ttl, caches, secondaries or stale
	Seconds int64  `json:"seconds"`
}

// parts returns what is waited for.
func (w *waiting) parts() []waitPart {
	ttl := time.Duration(w.ttl) * time.Second
	out := []waitPart{{"ttl", seconds(ttl)}, {"caches", seconds(cached(ttl) - ttl)}}
	if w.secondaries > 0 {
		out = append(out, waitPart{"secondaries", seconds(w.secondaries)})
	}
	if w.stale > 0 {
		out = append(out, waitPart{"stale", seconds(w.stale)})
	}
	return out
}

// seconds is a duration in seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// waitText is a wait and its parts for people.
func waitText(sum int64, parts []waitPart) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.For + " " + durationText(p.Seconds)
	}
	return fmt.Sprintf("%s (%s)", durationText(sum), strings.Join(texts, " + "))
}

// durationText is a number of seconds as 1h5m, without the zeros at its end.
func durationText(s int64) string {
	text := (time.Duration(s) * time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
