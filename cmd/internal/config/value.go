package config

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"lull/store/filter"
)

// Duration is a length of time in the notation of filters: 90s, 10m, 1h30m, 7d.
type Duration time.Duration

// UnmarshalText reads one; a wrong text changes nothing.
func (d *Duration) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*d = 0
		return nil
	}
	v, err := filter.Age(string(text))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// String prints it as it can be read.
func (d Duration) String() string {
	rest := time.Duration(d)
	if rest <= 0 {
		return "0"
	}
	text := ""
	if days := rest / (24 * time.Hour); days > 0 {
		text, rest = strconv.Itoa(int(days))+"d", rest%(24*time.Hour)
		if rest == 0 {
			return text
		}
	}
	short := rest.String()
	if strings.HasSuffix(short, "m0s") {
		short = strings.TrimSuffix(short, "0s")
	}
	if strings.HasSuffix(short, "h0m") {
		short = strings.TrimSuffix(short, "0m")
	}
	return text + short
}

// Size is a number of bytes: 4096, 100kB, 50MB, 2GB; k, M and G are 2^10, 2^20
// and 2^30.
type Size int64

// units of sizes, greatest first.
func units() []struct {
	letter string
	bytes  Size
} {
	return []struct {
		letter string
		bytes  Size
	}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"k", 1 << 10}}
}

// UnmarshalText reads one.
func (s *Size) UnmarshalText(text []byte) error {
	wrong := errors.New("must be a size such as 4096, 100kB, 50MB or 2GB")
	number := strings.TrimSuffix(strings.TrimSuffix(string(text), "B"), "i")
	unit := Size(1)
	for _, u := range units() {
		if rest, ok := strings.CutSuffix(number, u.letter); ok {
			number, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > int64(1<<62/unit) {
		return wrong
	}
	*s = Size(n) * unit
	return nil
}

// String prints it as it can be read.
func (s Size) String() string {
	for _, u := range units() {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.letter + "B"
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
