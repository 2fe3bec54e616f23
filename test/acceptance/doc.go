// Package acceptance runs whole binaries as an operator would and asks them
// with the tools that operators have. It has no code of its own.
//
// The runs take minutes and need programs of other makers, so they are skipped
// unless ADDRESSMAP_ACCEPTANCE=1 is set. With it set a program that is not
// there is a failure, never a silent skip. .ci/run installs what is needed and
// sets it. go test's cache does not know of the binaries, so run them afresh:
//
//	ADDRESSMAP_ACCEPTANCE=1 go test -count=1 -v ./test/acceptance
package acceptance
