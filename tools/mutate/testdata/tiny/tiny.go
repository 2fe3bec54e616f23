// Package tiny has conditions that its test holds, and one that it does not.
package tiny

// Size names the size of a number.
func Size(n int) string {
	if n < 0 {
		return "none"
	}
	switch {
	case n > 10 && n%2 == 0:
		return "large and even"
	}
	return "small or odd"
}

const (
	bright uint8 = 1
	dark   uint8 = 2
)

// Color names a color.
func Color(n uint8) string {
	switch n {
	case bright, dark:
		return "red"
	default:
		n++
	}
	if n == 9 || Size(int(n)) == "none" { // no test holds this
		return "blue"
	}
	return "green"
}

// Kind names the type of a value.
func Kind(v any) string {
	kind := "other"
	switch v.(type) {
	case int:
	case string:
		kind = "text"
	default:
		kind = "unknown"
	}
	return kind
}

// Left is no part of what is mutated.
func Left(n int) bool { return n > 0 && n < 9 }
