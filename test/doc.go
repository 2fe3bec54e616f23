// Package test holds the repository's rules as tests: which package may import
// which, how long a file may be, that the README's examples start. It has no
// code of its own. Each rule stands as a function from what was found to what
// is wrong with it, with a case that proves that it can find something.
//
// What each folder below tests is in README.md.
package test
