// Package upgrades tests that this version reads what every earlier version has written, and
// that what a later one has written is refused and stays: see docs/upgrades.md.
package upgrades
