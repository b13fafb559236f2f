package compose_test

import (
	"testing"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
)

func BenchmarkMail(b *testing.B) {
	for name, in := range map[string]compose.Input{
		"quiet":           composetest.Quiet(),
		"20000-copies":    composetest.Storm(20_000),
		"200000-copies":   composetest.Storm(200_000),
		"10000-incidents": composetest.Many(10_000),
		"least-bytes":     smallest(composetest.Many(10_000)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, _, err := compose.Mail(in)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(m)), "bytes/mail")
			}
		})
	}
}

func smallest(in compose.Input) compose.Input {
	in.MaxBytes = compose.MinBytes
	return in
}
