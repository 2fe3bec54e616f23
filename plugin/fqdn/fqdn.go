// Package fqdn holds the one form in which the rest of the code compares owner
// names: absolute, in lower case, with the escapes that
// github.com/miekg/dns prints when it reads a name off the wire. A name becomes
// a [Name] at the border (a document, a zone file, a question) and stays one.
package fqdn

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/idna"
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
	ErrOutside    = errors.New("name lies outside its zone")
)

// Parse reads s as an absolute name; the last dot may be missing. Unicode is
// stored as A-labels (RFC 5891). The error wraps one of this package's reasons.
func Parse(s string) (Name, error) {
	if s == "" {
		return "", ErrEmpty
	}
	s, err := toASCII(s)
	if err != nil {
		return "", err
	}
	return canonical(s)
}

// ParseIn reads s as the owner of a record in zone: "@" is the apex, a name
// that ends in the zone's name or in a dot is absolute, any other is relative.
// It returns an error that wraps [ErrOutside] for an absolute name elsewhere.
func ParseIn(s string, zone Name) (Name, error) {
	if s == "@" {
		return zone, nil
	}
	n, err := Parse(s)
	if err != nil {
		return "", err
	}
	if n.In(zone) {
		return n, nil
	}
	if endsInDot(s) {
		return "", fmt.Errorf("%w: %q is not in %q", ErrOutside, s, zone)
	}
	return canonical(string(n) + strings.TrimPrefix(string(zone), "."))
}

// Canonical turns a name that a DNS library holds in presentation form, in any
// case and with any escapes, into a Name. It allocates only when s is not
// canonical yet. What is no legal name comes back in lower case as it is: it
// then equals no Name that was parsed.
func Canonical(s string) Name {
	plain, lower := true, true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			plain = false
		case 'A' <= c && c <= 'Z':
			lower = false
		}
	}
	if !plain {
		if n, err := canonical(s); err == nil {
			return n
		}
	}
	if plain && lower && endsInDot(s) {
		return Name(s)
	}
	s = lowerASCII(s)
	if !endsInDot(s) {
		s += "."
	}
	return Name(s)
}

// In reports whether n is zone itself or lies below it.
func (n Name) In(zone Name) bool {
	if zone == "." {
		return true
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

// toASCII converts each label that is not ASCII into its A-label, and leaves
// every other label alone: owner names may hold "_" and escapes that IDNA
// would refuse.
func toASCII(s string) (string, error) {
	if isASCII(s) {
		return s, nil
	}
	// RFC 3490, section 3.1: these separate labels as "." does.
	s = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".").Replace(s)
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		a, err := idna.Lookup.ToASCII(label)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnicode, err)
		}
		labels[i] = a
	}
	return strings.Join(labels, "."), nil
}

// canonical unescapes s into its octets, checks the limits, and writes the
// octets back in the one form this package uses.
func canonical(s string) (Name, error) {
	if s == "." {
		return ".", nil
	}
	out := make([]byte, 0, len(s)+1)
	wire, label := 1, 0 // the root label is one octet
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if label == 0 {
				return "", fmt.Errorf("%w in %q", ErrLabelEmpty, s)
			}
			wire, label = wire+label+1, 0
			out = append(out, '.')
			continue
		}
		if c == '\\' {
			octet, n, ok := unescape(s[i:])
			if !ok {
				return "", fmt.Errorf("%w in %q", ErrEscape, s)
			}
			c, i = octet, i+n-1
		}
		if label++; label > maxLabel {
			return "", fmt.Errorf("%w in %q", ErrLabelLong, s)
		}
		out = appendOctet(out, c)
	}
	if label > 0 {
		wire += label + 1
		out = append(out, '.')
	}
	if wire > maxName {
		return "", fmt.Errorf("%w: %q has %d", ErrNameLong, s, wire)
	}
	return Name(out), nil
}

// unescape reads the escape at the head of s (RFC 1035, section 5.1) and
// returns the octet it stands for and the length of the escape.
func unescape(s string) (octet byte, length int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	if !isDigit(s[1]) {
		return s[1], 2, true
	}
	if len(s) < 4 || !isDigit(s[2]) || !isDigit(s[3]) {
		return 0, 0, false
	}
	v := int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	return byte(v), 4, v <= 255
}

// appendOctet writes one octet of a label as dns.UnpackDomainName does, with
// ASCII letters in lower case (RFC 4343).
func appendOctet(out []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return append(out, c+'a'-'A')
	case strings.IndexByte(`. '@;()"\`, c) >= 0:
		return append(out, '\\', c)
	case c < ' ' || c > '~':
		return append(out, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	return append(out, c)
}

// endsInDot reports whether s ends in a dot that is no part of a label.
func endsInDot(s string) bool {
	return strings.HasSuffix(s, ".") && !escaped(s, len(s)-1) || strings.HasSuffix(s, "\u3002")
}

// escaped reports whether the octet at s[i] is the second half of an escape.
func escaped(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
