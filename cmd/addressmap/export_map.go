package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/edge"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
)

// exportedMap is a map in force for an export. It is loaded by the server's own loader, so
// that what the server accepts is accepted, and nothing else.
type exportedMap struct {
	opt        live.Options
	records    bool                 // of the zone files are wanted
	zoneFileOf map[fqdn.Name]string // :: zone → its file, by --zone-file
	logf       func(format string, args ...any)
	// readSettled reads a file of --zone-file that is watched.
	readSettled func(path string) ([]byte, error)

	store   *live.Store
	changes chan struct{}             // has an element after each load
	zones   map[fqdn.Name]zoneRecords // as they were last good
	broken  map[string]bool           // files of --zone-file that are no good
}

// zoneRecords are the records of the text with the digest.
type zoneRecords struct {
	sum     [sha256.Size]byte
	records []cloudflare.Record
}

// loaded is a version of a map in force, for an export.
type loaded struct {
	version   live.Version
	sources   []mapset.Source // without zone files
	files     edge.ZoneFiles
	paths     []string // of all files that it was made of
	refused   []string // paths of files that are not in it as they are on disk
	warnings  []string
	anycast   []netip.Addr // of the directive
	addresses []edge.Address
	snis      []edge.SNI
	origins   []edge.OriginServer
}

// parseZoneFiles reads the --zone-file flags.
func (m *exportedMap) parseZoneFiles(flags []string) error {
	m.zoneFileOf = make(map[fqdn.Name]string)
	for _, f := range flags {
		zone, file, ok := strings.Cut(f, "=")
		apex, err := fqdn.Parse(zone)
		if !ok || err != nil {
			return argumentf("--zone-file %q: write ZONE=FILE, as in example.org=db.example.org", f)
		}
		m.zoneFileOf[apex] = file
	}
	return nil
}

// open loads the map. What is refused of it is logged.
func (m *exportedMap) open() error {
	if m.changes == nil {
		m.changes = make(chan struct{}, 1)
		m.zones, m.broken = make(map[fqdn.Name]zoneRecords), make(map[string]bool)
		for _, path := range m.zoneFileOf {
			m.reread(path, func(path string) ([]byte, error) {
				return source.Await(path, maxText, time.Now().Add(time.Second))
			})
		}
	}
	opt := m.opt
	opt.ReadState = true
	opt.Loaded = func(live.Load) { m.changed() }
	store, err := live.Open(opt)
	if err != nil {
		return err
	}
	if m.store != nil {
		_ = m.store.Close() // It was only read by.
	}
	m.store = store
	m.changed()
	return nil
}

func (m *exportedMap) changed() {
	select {
	case m.changes <- struct{}{}:
	default: // whoever takes the first sees this one, too
	}
}

func (m *exportedMap) close() { _ = m.store.Close() }

// reread reads a file of --zone-file. If it is no good, its last good version stays.
func (m *exportedMap) reread(path string, read func(path string) ([]byte, error)) {
	for zone, of := range m.zoneFileOf {
		if of != path {
			continue
		}
		data, err := read(path)
		if errors.Is(err, source.ErrUnsettled) {
			return // It will be named again.
		}
		var records []cloudflare.Record
		if err == nil {
			records, err = cloudflare.Records(path, data, zone)
		}
		m.broken[path] = err != nil
		if err != nil {
			if _, was := m.zones[zone]; was {
				m.logf("%s is refused, its last good version stays: %v", path, err)
			} else {
				m.logf("%s is refused, and left out: %v", path, err)
			}
			continue
		}
		m.zones[zone] = zoneRecords{sha256.Sum256(data), records}
	}
}

// read returns the version in force.
func (m *exportedMap) read() *loaded {
	v := m.store.Version()
	out := &loaded{version: v, files: make(edge.ZoneFiles), paths: []string{m.opt.Path}, refused: v.Refused, anycast: m.opt.Compile.Anycast}
	if m.opt.Compile.Site != "" {
		out.anycast = v.Snapshot.Anycast()
	}
	if text := v.Snapshot.SiteWarning(); text != "" {
		out.warnings = append(out.warnings, text)
	}
	named, used := make(fqdn.Set), make(fqdn.Set)
	for _, z := range v.ZoneFiles {
		named[z.Apex] = struct{}{}
		out.paths = append(out.paths, z.Path)
		if m.records {
			m.addRecords(out, z)
		}
	}
	for _, doc := range v.Snapshot.Documents() {
		out.paths = append(out.paths, doc.Name)
		out.sources = append(out.sources, mapset.Source{Doc: doc})
		for i := range doc.Accounts {
			for _, z := range doc.Accounts[i].Zones {
				if _, is := named[z.Name]; !is && m.records {
					m.addByFlag(out, z.Name)
					used[z.Name] = struct{}{}
				}
			}
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(m.zoneFileOf)) {
		if _, is := used[zone]; !is {
			out.warnings = append(out.warnings, fmt.Sprintf("--zone-file %s=…: no zone of the map has this name, or its entry names a zone file", strings.TrimSuffix(string(zone), ".")))
		}
	}
	for _, path := range slices.Sorted(maps.Values(m.zoneFileOf)) {
		out.paths = append(out.paths, path)
		if m.broken[path] {
			out.refused = append(out.refused, path)
		}
	}
	return out
}

// addRecords adds the records of a zone file that is in force.
func (m *exportedMap) addRecords(out *loaded, z live.ZoneFile) {
	if m.zones[z.Apex].sum != z.SHA256 {
		text, err := z.Text()
		var records []cloudflare.Record
		if err == nil {
			records, err = cloudflare.Records(z.Path, text, z.Apex)
		}
		if err != nil { // The server reads no more of it than the marks.
			m.logf("%s cannot be read: %v", z.Path, err)
			out.refused = append(out.refused, z.Path)
		} else {
			m.zones[z.Apex] = zoneRecords{z.SHA256, records}
		}
	}
	if last, ok := m.zones[z.Apex]; ok {
		out.files[z.Apex] = last.records
	}
}

// addByFlag adds the records of a zone whose entry names no zone file.
func (m *exportedMap) addByFlag(out *loaded, zone fqdn.Name) {
	if last, ok := m.zones[zone]; ok && m.zoneFileOf[zone] != "" {
		out.files[zone] = last.records
		return
	}
	if m.zoneFileOf[zone] == "" && out.version.Snapshot.HasProxied(zone) {
		out.warnings = append(out.warnings, fmt.Sprintf("zone %s is left out: give its zone file with --zone-file %s=FILE", zone, strings.TrimSuffix(string(zone), ".")))
	}
}
