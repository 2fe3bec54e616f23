// Package explain asks the questions of the book of behaviour with the command
// "addressmap explain --server": the command says what the server does.
package explain
