package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// manifestName is the file of the manifest.
const manifestName = "manifest"

// Sum is the SHA-256 digest of a text, and the name of its file.
type Sum [sha256.Size]byte

// String returns the digest in hexadecimal.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Manifest is one saved version. Names are any bytes. A list or map that is
// empty comes back from Load as nil.
type Manifest struct {
	Documents []Document        // in order
	Drains    []Document        // files of drains, in order; they have no zone files
	Settings  string            // the part of the configuration that the documents were accepted under
	Source    string            // where the documents were from, if that is more than a path
	Serials   map[string]uint32 // :: zone → counter

	generation uint64 // which copy is newer; 0 outside of this package
}

// Document is a document as it was accepted.
type Document struct {
	Name      string
	Text      Sum
	ZoneFiles []ZoneFile // in order
}

// ZoneFile is a zone file that a document names, as it was accepted with it.
type ZoneFile struct {
	Name string
	Text Sum
}

// texts yields the name and digest of every text that m names.
func (m *Manifest) texts(yield func(name string, text Sum) bool) {
	for _, doc := range m.Documents {
		if !yield(doc.Name, doc.Text) {
			return
		}
		for _, z := range doc.ZoneFiles {
			if !yield(z.Name, z.Text) {
				return
			}
		}
	}
	for _, file := range m.Drains {
		if !yield(file.Name, file.Text) {
			return
		}
	}
}

// The words of a manifest's lines. The zone files of a document follow it. The
// last line is the digest of all before it.
//
//	addressmap state 1
//	settings "guard 5"
//	source "revision 7"
//	generation 12
//	document 1f0c…e2 "acme.yaml"
//	zone_file 8b44…07 "db.example.org"
//	drains 77ab…1c "/etc/addressmap/drains.yaml"
//	serial 7 "example.org."
//	sha256 5d02…9a
const (
	firstLine      = "addressmap state 1"
	wordSettings   = "settings"
	wordSource     = "source"
	wordGeneration = "generation"
	wordDocument   = "document"
	wordZoneFile   = "zone_file"
	wordDrains     = "drains"
	wordSerial     = "serial"
	wordSum        = "sha256"
)

// encode returns m as it is written to disk: the same bytes for the same m.
func (m *Manifest) encode() []byte {
	b := append([]byte(nil), firstLine+"\n"+wordSettings+" "...)
	b = appendName(b, m.Settings)
	if m.Source != "" {
		b = appendName(append(b, wordSource+" "...), m.Source)
	}
	if m.generation > 0 {
		b = append(strconv.AppendUint(append(b, wordGeneration+" "...), m.generation, 10), '\n')
	}
	for _, doc := range m.Documents {
		b = appendText(b, wordDocument, doc.Text, doc.Name)
		for _, z := range doc.ZoneFiles {
			b = appendText(b, wordZoneFile, z.Text, z.Name)
		}
	}
	for _, file := range m.Drains {
		b = appendText(b, wordDrains, file.Text, file.Name)
	}
	for _, zone := range slices.Sorted(maps.Keys(m.Serials)) {
		b = append(b, wordSerial+" "...)
		b = append(strconv.AppendUint(b, uint64(m.Serials[zone]), 10), ' ')
		b = appendName(b, zone)
	}
	return seal(b)
}

// appendText appends the line of a text.
func appendText(b []byte, word string, text Sum, name string) []byte {
	b = append(append(b, word...), ' ')
	b = append(hex.AppendEncode(b, text[:]), ' ')
	return appendName(b, name)
}

// appendName appends a name in quotes, as strconv.AppendQuote does, and ends the
// line. Almost all names are plain, and there are tens of thousands of them.
func appendName(b []byte, name string) []byte {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(strconv.AppendQuote(b, name), '\n')
		}
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, "\"\n"...)
}

// seal returns the body with its digest.
func seal(body []byte) []byte {
	return append(body, wordSum+" "+Sum(sha256.Sum256(body)).String()+"\n"...)
}

// sealLen is the length of the last line.
const sealLen = len(wordSum) + 1 + 2*sha256.Size + 1

// decode returns the manifest that was encoded as data, and an error for data that
// encode does not make.
func decode(data []byte) (*Manifest, error) {
	if len(data) < sealLen {
		return nil, fmt.Errorf("its %d bytes are not all that was written", len(data))
	}
	body := data[:len(data)-sealLen]
	if !bytes.Equal(seal(slices.Clip(body)), data) {
		return nil, errors.New("it does not match its checksum")
	}
	first, rest, _ := strings.Cut(string(body), "\n")
	if first != firstLine {
		// The checksum is right: another version of this program wrote the file.
		return nil, fmt.Errorf("it begins with %.40q where this program writes %q: %w", first, firstLine, errLaterVersion)
	}
	// Nor did this one write a line that it cannot read: what more a later version says
	// under the same first line must not be taken for damage.
	m, number := &Manifest{}, 1
	for line := range strings.Lines(rest) {
		number++
		if err := m.parseLine(strings.TrimSuffix(line, "\n")); err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", number, err, errLaterVersion)
		}
	}
	// encode does not write another order, leading zeros, or a line twice.
	if !bytes.Equal(m.encode(), data) {
		return nil, fmt.Errorf("its lines are not as this program writes them: %w", errLaterVersion)
	}
	return m, nil
}

// parseLine adds one line to m.
func (m *Manifest) parseLine(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	if word == wordGeneration {
		n, err := strconv.ParseUint(rest, 10, 64)
		m.generation = n
		return err
	}
	value, quoted := "", rest
	if word != wordSettings && word != wordSource {
		value, quoted, _ = strings.Cut(rest, " ")
	}
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return fmt.Errorf("%.40q is no quoted name", quoted)
	}
	switch word {
	case wordSettings:
		m.Settings = name
	case wordSource:
		m.Source = name
	case wordDocument:
		sum, err := parseSum(value)
		m.Documents = append(m.Documents, Document{Name: name, Text: sum})
		return err
	case wordZoneFile:
		if len(m.Documents) == 0 {
			return errors.New("a zone file without a document")
		}
		sum, err := parseSum(value)
		doc := &m.Documents[len(m.Documents)-1]
		doc.ZoneFiles = append(doc.ZoneFiles, ZoneFile{Name: name, Text: sum})
		return err
	case wordDrains:
		sum, err := parseSum(value)
		m.Drains = append(m.Drains, Document{Name: name, Text: sum})
		return err
	case wordSerial:
		n, err := strconv.ParseUint(value, 10, 32)
		if m.Serials == nil {
			m.Serials = make(map[string]uint32)
		}
		m.Serials[name] = uint32(n)
		return err
	default:
		return fmt.Errorf("unknown word %.40q", word)
	}
	return nil
}

// parseSum returns the digest that s is in hexadecimal.
func parseSum(s string) (sum Sum, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%.80q is no SHA-256 digest", s)
	}
	return Sum(b), nil
}
