package mapset

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseGuard reads the guard of [Protect] as the Corefile and the command line have it:
// a whole percentage from 1% to 100%. The sign is part of it: 10 could be ten names.
func ParseGuard(arg string) (int, error) {
	digits, percent := strings.CutSuffix(arg, "%")
	n, err := strconv.ParseUint(digits, 10, 8) // takes no sign
	if !percent || err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("%q is no percentage: write one from 1%% to 100%%, as in 10%%", arg)
	}
	return int(n), nil
}
