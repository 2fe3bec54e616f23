package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// file is the file of a fetch: what it has, and where more is appended. The first page
// of a list begins the list anew.
type file struct {
	f         *os.File
	name      string
	responses map[string][]line // :: path of a list or object → its pages that the API answered
	ended     *cloudflare.End   // nil if there is more to fetch
}

type line struct {
	page     int
	time     time.Time
	response json.RawMessage
}

// openFile opens the file of a fetch, or makes one that only its owner may read. A last
// line that was cut off is dropped.
func openFile(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	out := &file{f: f, name: path, responses: make(map[string][]line)}
	if err := out.read(); err != nil {
		_ = f.Close()
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil {
		_ = f.Close()
		return nil, err
	}
	return out, nil
}

// read reads the lines.
func (f *file) read() error {
	if info, err := f.f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is no regular file", f.name), err)
	}
	data, err := io.ReadAll(f.f)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	for n, text := range slices.Collect(bytes.Lines(data[:whole])) {
		var l struct {
			cloudflare.Answer
			cloudflare.End
		}
		if json.Unmarshal(text, &l) != nil || (l.Request == "") == l.Fetched.IsZero() {
			return fmt.Errorf("%s line %d is not of a fetch: name another file", f.name, n+1)
		}
		if l.Request == "" {
			f.ended = &l.End
			continue
		}
		f.ended = nil
		path, page := withoutPage(l.Request)
		f.put(path, line{page, l.Time, l.Response})
	}
	if rest := string(data[whole:]); rest == "" {
		return nil
	} else if whole == 0 && !strings.HasPrefix(rest, begin) && !strings.HasPrefix(begin, rest) {
		return fmt.Errorf("%s is not of a fetch: name another file", f.name)
	}
	return f.f.Truncate(int64(whole))
}

// begin is how a line with a response begins.
const begin = `{"request":`

// put remembers a response, unless it is a refusal, which is asked for again.
func (f *file) put(path string, l line) {
	if l.page <= 1 {
		delete(f.responses, path)
	}
	if e, err := parseEnvelope(l.response); err == nil && *e.Success {
		f.responses[path] = append(f.responses[path], l)
	}
}

// response returns a page of a list that the file has, or nil.
func (f *file) response(path string, page int) json.RawMessage {
	for _, l := range slices.Backward(f.responses[path]) {
		if l.page == max(page, 1) {
			return l.response
		}
	}
	return nil
}

// forget makes a list begin anew.
func (f *file) forget(path string) { delete(f.responses, path) }

// append writes a response to the file.
func (f *file) append(path string, page int, request string, response json.RawMessage) error {
	a := cloudflare.Answer{Request: request, Time: time.Now().UTC().Truncate(time.Second), Response: response}
	if err := f.write(a); err != nil {
		return err
	}
	f.ended = nil
	f.put(path, line{max(page, 1), a.Time, response})
	return nil
}

// end writes the last line, unless it stands there.
func (f *file) end(e cloudflare.End) error {
	if f.ended != nil && slices.Equal(f.ended.Without, e.Without) {
		return nil
	}
	return f.write(e)
}

// write appends a line, at once: two fetches into one file do not tear each other's.
func (f *file) write(value any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text) // ends with a newline
	enc.SetEscapeHTML(false)      // "&" stands in requests
	if err := enc.Encode(value); err != nil {
		return err
	}
	_, err := f.f.Write(text.Bytes())
	return err
}

// close closes the file; all lines are on the disk after it. A file without lines goes.
func (f *file) close() error {
	info, err := f.f.Stat()
	if err := errors.Join(err, f.f.Sync(), f.f.Close()); err != nil {
		return err
	}
	if info.Size() == 0 {
		return os.Remove(f.name)
	}
	return nil
}

// oldest returns the time of the oldest response, the zero time if there is none.
func (f *file) oldest() (oldest time.Time) {
	for _, pages := range f.responses {
		for _, l := range pages {
			if oldest.IsZero() || l.time.Before(oldest) {
				oldest = l.time
			}
		}
	}
	return oldest
}

// withoutPage is the inverse of withPage: the path, and the page, 1 if it is not named.
func withoutPage(request string) (path string, page int) {
	for _, separator := range []string{"&page=", "?page="} {
		if i := strings.LastIndex(request, separator); i >= 0 {
			if n, err := fmt.Sscanf(request[i+len(separator):], "%d", &page); n == 1 && err == nil {
				return request[:i], page
			}
		}
	}
	return request, 1
}
