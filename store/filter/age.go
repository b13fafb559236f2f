package filter

import "time"

// Age reads a length of time as the language writes it: 90s, 10m, 1h30m, 2d,
// 1d12h. The error says what would do.
func Age(s string) (time.Duration, error) { return duration(s) }
