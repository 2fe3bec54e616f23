// Package book reads the book of behaviour in testdata/answer and testdata/transfer: each
// archive starts a CoreDNS, and says what a client is answered. README.md tells how to
// read, run and mend it.
package book
