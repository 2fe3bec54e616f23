//go:build !race

package addressmap

const raceEnabled = false
