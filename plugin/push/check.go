package push

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// maxZoneFile is the largest zone file that is read, in bytes.
const maxZoneFile = 256 << 20

// Checker loads documents of a store as a server does that starts with them.
type Checker struct {
	// Name is what errors call a document.
	Name func(name string) string
	// Compile is as the Corefile of the servers has it.
	Compile mapset.Options
	// ZoneFiles are the directories that zone files are in, as on the servers.
	ZoneFiles []string
	// WithoutZoneFiles leaves zone files out that are in none of the directories, and
	// notes them as unjudged. Else a document that names one is refused.
	WithoutZoneFiles bool
}

// Check returns the documents that come into force, compiled, and those that are refused.
// The names that unjudged zone files have are not known.
func (c Checker) Check(documents fleet.Documents) (out *live.Checked, unjudged []string) {
	out = &live.Checked{}
	closed := mapset.Closed{Zones: make(fqdn.Set)}
	refuse := func(doc *mapfile.Document, path string, errs mapfile.Errors) {
		out.Problems = append(out.Problems, live.Problem{Path: path, Err: errs})
		closed.Rest = closed.Rest || doc == nil || !doc.HasAllZones
		if doc != nil {
			for _, a := range doc.Accounts {
				for _, z := range a.Zones {
					closed.Zones[z.Name] = struct{}{}
				}
			}
		}
	}
	dirs := live.NewZoneDirs(c.ZoneFiles)
	documents = documents.Present()
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		path := c.Name(name)
		doc, errs := mapfile.Parse(path, documents[name].Value)
		src := mapset.Source{Doc: doc}
		if doc != nil {
			var missing []string
			var wrong mapfile.Errors
			src.ZoneFiles, missing, wrong = c.zoneFiles(doc, dirs)
			unjudged, errs = append(unjudged, missing...), append(errs, wrong...)
		}
		if len(errs) > 0 {
			refuse(doc, path, errs)
			continue
		}
		out.Sources = append(out.Sources, src)
	}
	for len(out.Sources) > 0 {
		var errs mapfile.Errors
		if out.Snapshot, errs = mapset.Build(out.Sources, c.Compile); len(errs) == 0 {
			break
		}
		of := make(map[string]mapfile.Errors)
		for _, e := range errs {
			of[e.File] = append(of[e.File], e)
		}
		left := slices.DeleteFunc(slices.Clone(out.Sources), func(s mapset.Source) bool {
			if len(of[s.Doc.Name]) > 0 {
				refuse(s.Doc, s.Doc.Name, of[s.Doc.Name])
			}
			return len(of[s.Doc.Name]) > 0
		})
		if len(left) == len(out.Sources) { // Nobody knows which document is wrong.
			out.Problems = append(out.Problems, live.Problem{Path: errs[0].File, Err: errs})
			left = nil
		}
		out.Sources = left
	}
	if out.Snapshot != nil && len(out.Problems) > 0 {
		out.Snapshot = out.Snapshot.Beside(&closed)
	}
	return out, unjudged
}

// zoneFiles reads the zone files that a document names, and notes in the document where
// they are.
func (c Checker) zoneFiles(doc *mapfile.Document, dirs *live.ZoneDirs) (files map[fqdn.Name]*zonefile.Zone, unjudged []string, errs mapfile.Errors) {
	files = make(map[fqdn.Name]*zonefile.Zone)
	until := time.Now().Add(time.Second)
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			z := &doc.Accounts[i].Zones[j]
			if z.ZoneFile == "" {
				continue
			}
			path := c.locate(z.ZoneFile)
			if path == "" && c.WithoutZoneFiles {
				unjudged = append(unjudged, fmt.Sprintf("%s, the zone file of %s", z.ZoneFile, z.Name))
				continue
			}
			zone, err := c.readZoneFile(dirs, path, z.Name, until)
			if err != nil {
				errs = append(errs, doc.Errorf(z.ZoneFilePos, "", "name the directory that has it with --zone-files, as the servers' zone_files do, or correct it", "zone_file %q of %q: %s", z.ZoneFile, z.Name, err))
				continue
			}
			files[z.Name], z.ZoneFile = zone, path
		}
	}
	return files, unjudged, errs
}

func (c Checker) readZoneFile(dirs *live.ZoneDirs, path string, apex fqdn.Name, until time.Time) (*zonefile.Zone, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	document := filepath.Join(c.ZoneFiles[0], "document") // Beside it lies one of the directories.
	text, err := dirs.Read(document, path, func(path string, _ int64) ([]byte, error) { return source.Await(path, maxZoneFile, until) })
	if err != nil {
		return nil, err
	}
	return zonefile.Parse(path, text, apex)
}

// locate returns where a zone file is, "" if it is in none of the directories.
func (c Checker) locate(path string) string {
	for _, dir := range c.ZoneFiles {
		at := path
		if !filepath.IsAbs(path) {
			at = filepath.Join(dir, path)
		}
		if at, err := filepath.Abs(at); err == nil {
			if _, err := os.Stat(at); err == nil {
				return at
			}
		}
	}
	return ""
}
