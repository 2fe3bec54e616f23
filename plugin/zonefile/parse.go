package zonefile

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

const (
	// maxBytes is the size of the largest zone file that is read.
	maxBytes = 256 << 20
	// maxGenerated is how many records the $GENERATE lines of one file may make:
	// a line makes up to 65,536, so a small file could fill the memory.
	maxGenerated = 1 << 20
	// maxErrors is how many errors about tags are collected before the rest of
	// the file is left unread, and how many warnings about comments.
	maxErrors = 100
	// defaultTTL stands for a TTL that the file leaves out. Package zonefile does
	// not use TTLs: in an export, 1 means "automatic", at proxied and other names
	// alike.
	defaultTTL = 3600
)

// Parse reads the zone file data of the zone apex; errors call the file name.
// Relative names are relative to apex until the first $ORIGIN. An error is of type
// [Errors]; there is no Zone then, because a part of the marks would be worse than no
// marks.
//
// Parse refuses a file with $INCLUDE, a file with the SOA of another zone, and a file
// without a record in the zone: the marks in such a file are incomplete or another
// zone's.
func Parse(name string, data []byte, apex fqdn.Name) (*Zone, error) {
	if len(data) > maxBytes {
		return nil, Errors{{File: name, Text: fmt.Sprintf("zone file has %d bytes, more than %d", len(data), maxBytes),
			Remedy: "delegate part of the zone to zones with files of their own"}}
	}
	b := builder{Scanner: NewScanner(data, string(apex), defaultTTL), file: name,
		zone: &Zone{Apex: apex, Owners: make(map[fqdn.Name]Owner)}, undottedApex: apex + apex}
	for rr, ok := b.Next(); ok && len(b.errs) < maxErrors; rr, ok = b.Next() {
		b.add(rr)
	}
	if err := b.Err(); err != nil {
		b.addError(err)
	}
	return b.finish()
}

// builder collects a Zone record by record.
type builder struct {
	*Scanner
	file string
	zone *Zone
	errs Errors

	outsideCount int       // number of records whose owners lie outside the zone
	outsideLine  int32     // the line of the first of them
	undottedApex fqdn.Name // the name as which the apex without its last dot is read
	undottedSOA  bool      // a record without an owner has the owner of an SOA at undottedApex
}

// finish returns the zone, or else every error.
func (b *builder) finish() (*Zone, error) {
	if len(b.errs) == 0 && len(b.zone.Owners) == 0 {
		e := &Error{Text: "zone file holds no record", Remedy: "write the records of the zone, its SOA first"}
		if b.outsideCount > 0 {
			e = &Error{Text: fmt.Sprintf("no record lies in zone %q", b.zone.Apex), Remedy: "name the file of this zone"}
		}
		b.addError(e)
	}
	if len(b.errs) > 0 {
		return nil, b.errs
	}
	if b.outsideCount > 0 {
		b.addWarning(b.outsideLine, "record outside zone %q is left out, the first of %d", b.zone.Apex, b.outsideCount)
	}
	return b.zone, nil
}

// add adds one record.
func (b *builder) add(rr dns.RR) {
	h := rr.Header()
	name, ok := b.owner(h)
	if !ok {
		return
	}
	o, known := b.zone.Owners[name]
	before := o
	if !known {
		o.Line = b.record.line
	}
	t := typeBit(h.Rrtype)
	o.Types |= t
	if t&Address != 0 {
		if mark := b.mark(); mark > o.Mark {
			o.Mark, o.Line = mark, b.record.line
		}
	}
	if o != before {
		b.zone.Owners[name] = o
	}
	if ns, ok := rr.(*dns.NS); ok && name == b.zone.Apex {
		b.zone.nameServers = append(b.zone.nameServers, canonical(ns.Ns))
	}
}

// owner returns the owner of a record, or false for a record that is left out.
//
// Cloudflare exports the SOA at the apex without its last dot, and all other owners
// with their last dots. A record without an owner right below the SOA takes the SOA's
// owner. The owner of any other record counts as it is written.
func (b *builder) owner(h *dns.RR_Header) (fqdn.Name, bool) {
	name := canonical(h.Name)
	soa := h.Rrtype == dns.TypeSOA
	b.undottedSOA = name == b.undottedApex && (soa || b.undottedSOA && b.InheritsOwner())
	if b.undottedSOA {
		name = b.zone.Apex
	}
	if soa && name != b.zone.Apex {
		b.addError(&Error{Line: b.record.line, Text: fmt.Sprintf("SOA of another zone in a zone file of %q", b.zone.Apex),
			Remedy: "name the file of this zone"})
		return "", false
	}
	if name.In(b.zone.Apex) {
		return name, true
	}
	if b.outsideCount++; b.outsideCount == 1 {
		b.outsideLine = b.record.line
	}
	return "", false
}

// mark returns the mark in the comments of the present record. The comments are read
// once, so that a wrong $GENERATE gives one error.
func (b *builder) mark() Mark {
	r := &b.record
	if r.read {
		return r.mark
	}
	r.read = true
	var almost bool
	var err *Error
	if r.mark, almost, err = markOfText(r.text); err != nil {
		err.Line += r.line
		b.addError(err)
	}
	if almost && len(b.zone.Warnings) < maxErrors {
		b.addWarning(r.line, "comment speaks of %s and is no mark: write %q", proxiedTag, tagsPrefix+proxiedTag+":true")
	}
	return r.mark
}

// addError adds an error about the file.
func (b *builder) addError(e *Error) {
	e.File = b.file
	b.errs = append(b.errs, e)
}

// addWarning adds a warning about a line of the file.
func (b *builder) addWarning(line int32, format string, args ...any) {
	b.zone.Warnings = append(b.zone.Warnings, fmt.Sprintf("%s:%d: ", b.file, line)+fmt.Sprintf(format, args...))
}

// canonical is [fqdn.Canonical] for a name in a zone file. The library also accepts
// escapes that RFC 1035 does not know, such as "\2": canonical replaces an escape by
// the octet that the library puts on the wire for it.
func canonical(s string) fqdn.Name {
	if strings.IndexByte(s, '\\') >= 0 {
		var wire [256]byte
		if n, err := dns.PackDomainName(s, wire[:], 0, nil, false); err == nil {
			if off, _, err := dns.UnpackDomainName(wire[:n], 0); err == nil {
				s = off
			}
		}
	}
	return fqdn.Canonical(s)
}

func typeBit(rrtype uint16) Types {
	switch rrtype {
	case dns.TypeA:
		return A
	case dns.TypeAAAA:
		return AAAA
	case dns.TypeCNAME:
		return CNAME
	case dns.TypeNS:
		return NS
	case dns.TypeDNAME:
		return DNAME
	}
	return Other
}
