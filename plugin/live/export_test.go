package live

import "time"

// Hasten makes documents that are gone count as removed sooner.
func Hasten(absent, calmFor time.Duration) { absence, calm = absent, calmFor }
