package fqdn

import (
	"fmt"
	"strings"
)

// canonical unescapes s into its octets, checks the limits, and writes the
// octets back in the one form this package uses.
func canonical(s string) (Name, error) {
	if s == "." {
		return ".", nil
	}
	var buf [maxName + 1]byte // on the stack: most names fit
	out := buf[:0]
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
	if string(out) == s {
		return Name(s), nil // The comparison does not allocate, a conversion would.
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

// Kinds of octets in a label; those of neither kind are written as they are.
const (
	upper   = 1 << iota // a letter in upper case
	special             // written with an escape, or the escape itself
)

// octets tells the kind of each octet of a text. A dot is none of them: in a
// text it separates labels.
var octets = func() (kinds [256]uint8) {
	for c := range kinds {
		switch {
		case 'A' <= c && c <= 'Z':
			kinds[c] = upper
		case c <= ' ' || c > '~' || strings.IndexByte(`'@;()"\`, byte(c)) >= 0:
			kinds[c] = special
		}
	}
	return kinds
}()

// appendOctet writes one octet of a label as dns.UnpackDomainName does, with
// ASCII letters in lower case (RFC 4343).
func appendOctet(out []byte, c byte) []byte {
	switch {
	case octets[c] == upper:
		return append(out, c+'a'-'A')
	case c < ' ' || c > '~':
		return append(out, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	case octets[c] == special || c == '.':
		return append(out, '\\', c)
	}
	return append(out, c)
}

// endsInDot reports whether s ends in a dot that is no part of a label.
func endsInDot(s string) bool {
	return strings.HasSuffix(s, ".") && !escaped(s, len(s)-1)
}

// escaped reports whether the octet at s[i] is the second half of an escape.
func escaped(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// lowerASCII is [strings.ToLower] for ASCII letters only (RFC 4343, section 3).
func lowerASCII(s string) string {
	var buf [maxName + 1]byte // on the stack, as in canonical
	b := append(buf[:0], s...)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
