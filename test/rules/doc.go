// Package rules tests by Corefile, sockets, log and metrics what the book cannot say with
// questions and answers: reloads, protections, transfers over time, shutdown, and what
// operators see. README.md tells how to read, run and mend it.
package rules
