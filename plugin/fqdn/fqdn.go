// Package fqdn holds the one form in which the rest of the code compares owner
// names: absolute, in lower case, with the escapes that
// github.com/miekg/dns prints when it reads a name off the wire. A name becomes
// a [Name] at the border (a document, a zone file, a question) and stays one.
package fqdn

import (
	"errors"
	"fmt"
	"strings"
)

// Name is a canonical absolute domain name in presentation form, such as
// "www.example.org." or ".". The zero value is no name. Two names are the same
// name in the DNS (RFC 4343) exactly when the strings are equal.
type Name string

// Limits of RFC 1035, section 2.3.4, in octets on the wire.
const (
	maxLabel = 63
	maxName  = 255
)

// Reasons that a text is no domain name. Errors of this package wrap them.
var (
	ErrEmpty      = errors.New("name is empty")
	ErrLabelEmpty = errors.New("label is empty")
	ErrLabelLong  = errors.New("label is longer than 63 octets")
	ErrNameLong   = errors.New("name is longer than 255 octets")
	ErrEscape     = errors.New(`escape is neither \DDD (000 to 255) nor \ and a character`)
	ErrUnicode    = errors.New("name is no valid internationalized domain name")
	ErrBlank      = errors.New("name begins or ends with a blank")
	ErrOutside    = errors.New("name lies outside its zone")
)

// Parse reads s as an absolute name; the last dot may be missing. Unicode is
// stored as A-labels (RFC 5891). The error wraps one of this package's reasons.
func Parse(s string) (Name, error) {
	n, _, err := parse(s)
	return n, err
}

// ParseIn reads s as the owner of a record in zone: "@" is the apex, a name
// that ends in the zone's name or in a dot is absolute, any other is relative.
// It returns an error that wraps [ErrOutside] for an absolute name elsewhere.
func ParseIn(s string, zone Name) (Name, error) {
	if s == "@" {
		return zone, nil
	}
	n, dot, err := parse(s)
	if err != nil {
		return "", err
	}
	if n.In(zone) {
		return n, nil
	}
	if dot {
		return "", fmt.Errorf("%w: %q is not in %q", ErrOutside, s, zone)
	}
	return canonical(string(n) + strings.TrimPrefix(string(zone), "."))
}

// parse is [Parse] and tells whether s has its last dot.
func parse(s string) (n Name, dot bool, err error) {
	if s == "" {
		return "", false, ErrEmpty
	}
	if isBlank(s[0]) || isBlank(s[len(s)-1]) && !strings.HasSuffix(s[:len(s)-1], `\`) {
		return "", false, fmt.Errorf("%w: %q", ErrBlank, s)
	}
	ascii, err := toASCII(s)
	if err != nil {
		return "", false, err
	}
	n, err = canonical(ascii)
	return n, endsInDot(ascii), err
}

// isBlank reports whether an octet at the end of a name is a slip of whoever wrote the name.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// Canonical turns a name that a DNS library holds in presentation form, in any
// case and with any escapes, into a Name. It allocates only when s is not
// canonical yet. Octets above 0x7f stay octets: only [Parse] knows Unicode.
// What is no legal name comes back in lower case as it is: it then equals no
// Name that was parsed.
func Canonical(s string) Name {
	var kinds uint8
	for i := range len(s) {
		kinds |= octets[s[i]]
	}
	if kinds&special != 0 {
		if n, err := canonical(s); err == nil {
			return n
		}
	}
	if kinds&upper != 0 {
		s = lowerASCII(s)
	}
	if s != "" && !endsInDot(s) {
		s += "."
	}
	return Name(s)
}

// In reports whether n is zone itself or lies below it. Nothing lies in the
// zero value, and that in nothing.
func (n Name) In(zone Name) bool {
	if zone == "." || zone == "" {
		return zone == "." && n != ""
	}
	if !strings.HasSuffix(string(n), string(zone)) {
		return false
	}
	cut := len(n) - len(zone)
	return cut == 0 || n[cut-1] == '.' && !escaped(string(n), cut-1)
}

// Parent returns the name one label up, and false for the root.
func (n Name) Parent() (Name, bool) {
	if n == "." || n == "" {
		return "", false
	}
	for i := 0; i < len(n); i++ {
		switch n[i] {
		case '\\':
			i++ // An escape is "\" and a character or "\DDD"; no digit is a dot.
		case '.':
			if i+1 == len(n) {
				return ".", true
			}
			return n[i+1:], true
		}
	}
	return ".", true
}

// IsHostName reports whether n can be the name of a host with a domain (RFC 1123, section
// 2.1): letters, digits and inner hyphens, and no address. RFC 1035 lets a name have more.
func (n Name) IsHostName() bool {
	labels := strings.Split(strings.TrimSuffix(string(n), "."), ".")
	for _, label := range labels {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(labels) > 1 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// IsWildcard reports whether the leftmost label is the asterisk label of
// RFC 4592, section 2.1.1.
func (n Name) IsWildcard() bool { return strings.HasPrefix(string(n), "*.") }

// Wildcard returns the wildcard owner right below n: "*.example.org." for
// "example.org.".
func (n Name) Wildcard() Name {
	if n == "." {
		return "*."
	}
	return "*." + n
}
