package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapedit"
)

// zoneEntry is the entry of an imported zone in a map document.
type zoneEntry struct {
	apex           fqdn.Name
	file           string // the zone file, "" for the standard output
	proxiedDefault bool
	account        string
}

// entry is the zone's entry in a document in the directory dir.
func (z zoneEntry) entry(dir string) mapedit.Zone {
	file := z.file
	if file == "" {
		file = "FILE"
	} else if rel, err := filepath.Rel(dir, file); err == nil {
		file = rel
	}
	return mapedit.Zone{Name: z.apex, ZoneFile: file, ProxiedDefault: z.proxiedDefault}
}

// addTo returns the document at path with the entry in it, and the change; every other
// octet of the document stays. Without a path there is no document, and the change has
// the entry as text.
func (z zoneEntry) addTo(path string, force bool) ([]byte, cloudflare.Change, error) {
	change := cloudflare.Change{Kind: cloudflare.Changed, Name: strings.TrimSuffix(string(z.apex), ".")}
	entry := z.entry(filepath.Dir(path))
	if path == "" {
		change.Kind, change.Text = cloudflare.Review, fmt.Sprintf("its entry under \"zones\" of an account: %s", entry)
		return nil, change, nil
	}
	data, err := readFile(path, maxText)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, cloudflare.Change{}, err
	case !force:
		return nil, cloudflare.Change{}, mayWrite(path, force)
	}
	text, outcome, err := mapedit.PutZone(path, data, z.account, entry)
	if err != nil {
		return nil, cloudflare.Change{}, err
	}
	change.Text = fmt.Sprintf("%s %s", z.said(outcome), path)
	return text, change, nil
}

// write writes the zone file and the document at path, unless the map would be refused
// with them: then everything stays as it was.
func (z zoneEntry) write(path string, zone, document []byte, zoneFiles []string) (*live.Checked, error) {
	_, err := os.Stat(z.file)
	isNew := errors.Is(err, fs.ErrNotExist)
	if isNew { // Where it lies is judged by the file system (V17).
		if err := writeFile(z.file, zone, secret); err != nil {
			return nil, err
		}
	}
	next := live.CheckText(live.Options{Path: path, ZoneFiles: zoneFiles, Compile: withAnycast}, func(read string) ([]byte, bool) {
		if read == path {
			return document, true
		}
		return zone, output{path: z.file}.is(read)
	})
	if len(next.Problems) > 0 {
		err = fmt.Errorf("%s would be refused with this zone in it, and nothing is written:\n%w", path, next.Problems[0].Err)
	} else if err = writeFile(z.file, zone, secret); err == nil {
		err = writeFile(path, document, 0o644)
	}
	if err != nil && isNew {
		err = errors.Join(err, os.Remove(z.file))
	}
	return next, err
}

// said is what a report says of an outcome, before the name of the document.
func (z zoneEntry) said(outcome mapedit.Outcome) string {
	switch outcome {
	case mapedit.AddedAccount:
		return "added to the new account " + z.account + " in"
	case mapedit.AddedZone:
		return "added to account " + z.account + " in"
	case mapedit.Changed:
		return "its marks are those of the zone file, beside those that it had, in"
	}
	return "its entry was there already in"
}
