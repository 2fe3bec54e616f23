// Package fault starts CoreDNS on maps that are edited, broken, moved and lost in every
// order, and compares what it answers, logs and counts with a model. README.md tells how
// to read, run and mend it.
package fault
