// Package pages runs the pages of docs: it writes the files that a page shows, gives its
// commands to a shell, and wants the output that the page shows. README.md tells how a
// page is written.
package pages
