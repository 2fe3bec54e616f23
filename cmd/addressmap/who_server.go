package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// inForce is which maps a running server has in force, by its metrics.
type inForce struct {
	URL  string      `json:"url"`
	Same bool        `json:"same"` // one of Maps has the content that is asked
	Maps []contentOf `json:"maps"`
}

// contentOf is the content of one map of a server.
type contentOf struct {
	Map    string `json:"map"`
	SHA256 string `json:"sha256"`
}

const (
	infoMetric      = "coredns_addressmap_info"
	metricsPatience = 10 * time.Second
	maxMetrics      = 256 << 20
)

// inForceAt asks a server for its metrics. The port and path of CoreDNS stand for those
// that are left out.
func inForceAt(text string) (*inForce, error) {
	u, err := metricsURL(text)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: metricsPatience}
	resp, err := client.Get(u.String())
	if err != nil {
		return nil, fmt.Errorf("cannot ask the server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s says %s: write the URL of its metrics, as the prometheus plugin of its Corefile has it", u.Redacted(), resp.Status)
	}
	s := &inForce{URL: u.Redacted()}
	if s.Maps, err = readInfo(io.LimitReader(resp.Body, maxMetrics)); err != nil {
		return nil, fmt.Errorf("cannot read the metrics at %s: %w", s.URL, err)
	}
	if len(s.Maps) == 0 {
		return nil, fmt.Errorf("%s has no metric %s: no map is in force there, or it is another server", s.URL, infoMetric)
	}
	return s, nil
}

// metricsURL completes the URL of a server's metrics.
func metricsURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, argumentf("--server is no URL of metrics: write one such as http://192.0.2.53:9153/metrics")
	}
	if u.Port() == "" && u.Scheme == "http" {
		u.Host += ":9153"
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	return u, nil
}

// readInfo reads the metric that says which maps are in force, in the text format of
// Prometheus.
func readInfo(r io.Reader) (out []contentOf, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		rest, is := strings.CutPrefix(lines.Text(), infoMetric+"{")
		if !is {
			continue
		}
		var c contentOf
		for rest != "" && rest[0] != '}' {
			name, value, ok := strings.Cut(rest, "=")
			quoted, err := strconv.QuotedPrefix(value)
			if !ok || err != nil {
				return nil, fmt.Errorf("%q has no labels as Prometheus writes them", lines.Text())
			}
			rest = strings.TrimLeft(value[len(quoted):], ", ")
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("%q has no labels as Prometheus writes them", lines.Text())
			}
			switch name {
			case "map":
				c.Map = text
			case "sha256":
				c.SHA256 = text
			}
		}
		out = append(out, c)
	}
	return out, lines.Err()
}

// compare notes whether the server has content with this digest in force.
func (s *inForce) compare(sha256 string) {
	s.Same = slices.ContainsFunc(s.Maps, func(c contentOf) bool { return c.SHA256 == sha256 })
}

// texts says what is in force at the server, beside the map at path.
func (s *inForce) texts(path, sha256 string) (out []string) {
	for _, c := range s.Maps {
		if c.SHA256 == sha256 {
			return []string{"in force at " + s.URL + ", as " + c.Map}
		}
	}
	out = append(out, fmt.Sprintf("NOT in force at %s: %s has sha256 %s, and there it is", s.URL, path, short(sha256)))
	for i, c := range s.Maps {
		if i == maxShownNames {
			return append(out, fmt.Sprintf("  … and %d more maps", len(s.Maps)-i))
		}
		out = append(out, fmt.Sprintf("  %s of %s", short(c.SHA256), c.Map))
	}
	return out
}

// short is the beginning of a digest, as the log has it.
func short(sha256 string) string {
	if len(sha256) > 12 {
		return sha256[:12] + "…"
	}
	return sha256
}
