package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/edge"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
)

// maxZoneFile is the largest zone file that is read, in bytes.
const maxZoneFile = 256 << 20

// loader reads a map for an export.
type loader struct {
	path       string
	anycast    []netip.Addr
	records    bool                 // read the records of the zone files
	zoneFileOf map[fqdn.Name]string // :: zone → its file, by --zone-file

	dirs []string // directories, by --zone-files
}

// parseZoneFiles reads the --zone-file flags.
func (l *loader) parseZoneFiles(flags []string) error {
	l.zoneFileOf = make(map[fqdn.Name]string)
	for _, f := range flags {
		zone, file, ok := strings.Cut(f, "=")
		apex, err := fqdn.Parse(zone)
		if !ok || err != nil {
			return fmt.Errorf("--zone-file %q: write ZONE=FILE, as in example.org=db.example.org", f)
		}
		l.zoneFileOf[apex] = file
	}
	return nil
}

// loaded is a map that was read.
type loaded struct {
	sources  []mapset.Source
	snapshot *mapset.Snapshot
	files    edge.ZoneFiles
	anycast  []netip.Addr
	paths    []string // the files that were read, or could not be
	refused  []error  // errors of files, of which the last good version is used if there is one
	warnings []string
}

// load reads the map. A refused document or zone file is replaced by its version in
// last, and missing if last has none. The error says that every document is refused.
func (l *loader) load(last *loaded) (*loaded, error) {
	options := mapset.Options{Anycast: l.anycast}
	checked, err := live.Check(live.Options{Path: l.path, Compile: options, ZoneFiles: l.dirs})
	if err != nil {
		return nil, err
	}
	out := &loaded{sources: checked.Sources, snapshot: checked.Snapshot, anycast: l.anycast, files: make(edge.ZoneFiles), paths: []string{l.path}}
	for _, p := range checked.Problems {
		out.refused = append(out.refused, fmt.Errorf("%s: %w", p.Path, p.Err))
		if last == nil {
			continue
		}
		i := slices.IndexFunc(last.sources, func(s mapset.Source) bool { return s.Doc.Name == p.Path })
		if i >= 0 && !slices.ContainsFunc(out.sources, func(s mapset.Source) bool { return s.Doc.Name == p.Path }) {
			out.sources = append(out.sources, last.sources[i])
		}
	}
	if len(out.sources) == 0 {
		return nil, fmt.Errorf("the map is refused: addressmap check %s says why", l.path)
	}
	if len(out.sources) != len(checked.Sources) {
		var errs error
		if out.snapshot, errs = build(out.sources, options); errs != nil {
			return nil, errs
		}
	}
	l.addFiles(out, last)
	return out, nil
}

// build compiles sources into a snapshot.
func build(sources []mapset.Source, options mapset.Options) (*mapset.Snapshot, error) {
	snapshot, errs := mapset.Build(sources, options)
	return snapshot, errs.Err()
}

// addFiles reads the zone files of all zones.
func (l *loader) addFiles(out, last *loaded) {
	dirs := live.NewZoneDirs(l.dirs)
	for _, s := range out.sources {
		for i := range s.Doc.Accounts {
			for _, z := range s.Doc.Accounts[i].Zones {
				path, read := z.ZoneFile, func(path string) ([]byte, error) {
					return dirs.Read(s.Doc.Name, path, source.Read)
				}
				if path != "" && !filepath.IsAbs(path) {
					path = filepath.Join(filepath.Dir(s.Doc.Name), path)
				}
				if path == "" {
					path, read = l.zoneFileOf[z.Name], readAnywhere
				}
				l.addFile(out, last, z.Name, path, read)
			}
		}
	}
}

// readAnywhere reads a zone file that the command line names, in any directory.
func readAnywhere(path string) ([]byte, error) { return source.Read(path, maxZoneFile) }

// addFile adds the records of a zone file to out, or their version in last if the file
// is refused.
func (l *loader) addFile(out, last *loaded, zone fqdn.Name, path string, read func(string) ([]byte, error)) {
	if path == "" {
		if l.records && out.snapshot.HasProxied(zone) {
			out.warnings = append(out.warnings, fmt.Sprintf("zone %s is left out: give its zone file with --zone-file %s=FILE", zone, strings.TrimSuffix(string(zone), ".")))
		}
		return
	}
	out.paths = append(out.paths, path)
	if !l.records {
		return
	}
	data, err := read(path)
	if err == nil {
		out.files[zone], err = cloudflare.Records(path, data, zone)
	}
	if err != nil {
		delete(out.files, zone)
		out.refused = append(out.refused, err)
		if last != nil && last.files[zone] != nil {
			out.files[zone] = last.files[zone]
		}
	}
}
