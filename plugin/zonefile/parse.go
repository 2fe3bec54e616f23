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
	// maxErrors is how many complaints about tags are collected before the rest
	// of the file is left unread, and how many comments are warned about.
	maxErrors = 100
	// anyTTL stands for a TTL that the file leaves out. No TTL counts here: 1
	// means "automatic" in an export, at proxied and other names alike.
	anyTTL = 3600
)

// Parse reads the zone file data of the zone apex; name is its path, for
// errors. Relative names are relative to apex until the first $ORIGIN. An error
// is of type [Errors]: there is no Zone then, for part of the marks would be
// worse than none.
//
// A file that includes others is refused, and so is one with the SOA of another
// zone or without a record in the zone: its marks are not the ones meant.
func Parse(name string, data []byte, apex fqdn.Name) (*Zone, error) {
	if len(data) > maxBytes {
		return nil, Errors{{File: name, Text: fmt.Sprintf("zone file has %d bytes, more than %d", len(data), maxBytes),
			Remedy: "delegate part of the zone to zones with files of their own"}}
	}
	r := newReader(data)
	b := builder{file: name, zone: &Zone{Apex: apex, Owners: make(map[fqdn.Name]Owner)}, undotted: apex + apex}
	zp := dns.NewZoneParser(r, string(apex), "")
	zp.SetDefaultTTL(anyTTL)
	for rr, ok := zp.Next(); ok && len(b.errs) < maxErrors; rr, ok = zp.Next() {
		if text, line := r.taken(); len(text) > 0 {
			b.rec = ownLines(text, line)
		} else if b.generated++; b.generated > maxGenerated {
			b.complain(&Error{Line: b.rec.line, Text: fmt.Sprintf("$GENERATE lines of the file make more than %d records", maxGenerated),
				Remedy: "generate fewer, or use a wildcard"})
			break
		}
		b.add(rr)
	}
	if err := zp.Err(); err != nil {
		b.complain(parseError(err, r))
	}
	return b.done()
}

// builder collects a Zone record by record.
type builder struct {
	file string
	zone *Zone
	errs Errors
	rec  record // the text of the record at hand

	generated   int       // records of $GENERATE lines but their first ones
	outside     int       // records whose owners lie outside the zone
	outsideLine int32     // the first of them
	undotted    fqdn.Name // what the apex written without its dot is read as
	soaAbove    bool      // a record without an owner belongs to such a SOA
}

// done returns the zone, or else every complaint.
func (b *builder) done() (*Zone, error) {
	if len(b.errs) == 0 && len(b.zone.Owners) == 0 {
		e := &Error{Text: "zone file holds no record", Remedy: "write the records of the zone, its SOA first"}
		if b.outside > 0 {
			e = &Error{Text: fmt.Sprintf("no record lies in zone %q", b.zone.Apex), Remedy: "name the file of this zone"}
		}
		b.complain(e)
	}
	if len(b.errs) > 0 {
		return nil, b.errs
	}
	if b.outside > 0 {
		b.warn(b.outsideLine, "record outside zone %q is left out, the first of %d", b.zone.Apex, b.outside)
	}
	return b.zone, nil
}

// add takes one record in.
func (b *builder) add(rr dns.RR) {
	h := rr.Header()
	name, ok := b.owner(h)
	if !ok {
		return
	}
	o, known := b.zone.Owners[name]
	before := o
	if !known {
		o.Line = b.rec.line
	}
	t := typeBit(h.Rrtype)
	o.Types |= t
	if t&Address != 0 {
		if mark := b.mark(); mark > o.Mark {
			o.Mark, o.Line = mark, b.rec.line
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
// Cloudflare exports the SOA with the apex lacking its last dot, all other
// owners with it. A record without an owner right below takes the SOA's. An
// owner of any other record counts as it is written.
func (b *builder) owner(h *dns.RR_Header) (fqdn.Name, bool) {
	name := canonical(h.Name)
	soa := h.Rrtype == dns.TypeSOA
	b.soaAbove = name == b.undotted && (soa || b.soaAbove && b.rec.inherits())
	if b.soaAbove {
		name = b.zone.Apex
	}
	if soa && name != b.zone.Apex {
		b.complain(&Error{Line: b.rec.line, Text: fmt.Sprintf("SOA of another zone in a zone file of %q", b.zone.Apex),
			Remedy: "name the file of this zone"})
		return "", false
	}
	if name.In(b.zone.Apex) {
		return name, true
	}
	if b.outside++; b.outside == 1 {
		b.outsideLine = b.rec.line
	}
	return "", false
}

// mark returns the mark in the comments of the record at hand, which are read
// once: a $GENERATE that is wrong is told of once.
func (b *builder) mark() Mark {
	r := &b.rec
	if r.read {
		return r.mark
	}
	r.read = true
	var near bool
	var err *Error
	if r.mark, near, err = markOf(r.text); err != nil {
		err.Line += r.line
		b.complain(err)
	}
	if near && len(b.zone.Warnings) < maxErrors {
		b.warn(r.line, "comment speaks of %s and is no mark: tags stand behind %q", proxiedTag, keyword)
	}
	return r.mark
}

func (b *builder) complain(e *Error) {
	e.File = b.file
	b.errs = append(b.errs, e)
}

func (b *builder) warn(line int32, format string, args ...any) {
	b.zone.Warnings = append(b.zone.Warnings, fmt.Sprintf("%s:%d: ", b.file, line)+fmt.Sprintf(format, args...))
}

// canonical is [fqdn.Canonical] for a name in a zone file, where the library
// also takes escapes that RFC 1035 does not know, as "\2": they become what the
// library puts on the wire for them.
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
