package compose

import (
	"strings"
	"time"

	"lull/store/filter"
)

// chart is when the mails of the cut were sent.
type chart struct {
	From, To string
	Bars     []bar
	Most     string // what the highest bar stands for
}

// bar is one stretch of time.
type bar struct {
	Mails  int
	Height int // of maxHeight; 0 only when there was no mail
}

const (
	maxHeight = 8
	minBars   = 6
	maxBars   = 30
	// minCharted is how many mails a chart must show to say more than a list.
	minCharted = 20
)

// charted draws the mails sent since the last digest, nil if there are too few.
func charted(in Input, c clock) *chart {
	from := in.Since
	if from.IsZero() || in.Now.Sub(from) < in.Window {
		from = in.Now.Add(-in.Window)
	}
	width := barWidth(in.Now.Sub(from))
	from = from.Truncate(width)
	bars := make([]bar, min(maxBars+1, 1+int(in.Now.Sub(from)/width)))
	total, most := 0, 0
	for i := range in.Entries {
		n := int(filter.Sent(in.Entries[i].Message).Sub(from) / width)
		if n < 0 || n >= len(bars) || filter.Sent(in.Entries[i].Message).Before(from) {
			continue
		}
		bars[n].Mails++
		total++
		if bars[n].Mails > bars[most].Mails {
			most = n
		}
	}
	if total < minCharted || len(bars) < minBars {
		return nil
	}
	if last := len(bars) - 1; bars[last].Mails == 0 {
		bars = bars[:last] // the cut falls on its beginning
	}
	scale(bars, bars[most].Mails)
	return &chart{
		From: c.at(from), To: c.at(from.Add(time.Duration(len(bars)) * width)), Bars: bars,
		Most: "most at " + c.at(from.Add(time.Duration(most)*width)) + ": " + mails(bars[most].Mails) + " in " + lasting(width),
	}
}

// barWidth is a round time of which at most maxBars fit.
func barWidth(d time.Duration) time.Duration {
	for _, minutes := range []int{1, 2, 5, 10, 15, 30, 60, 120, 360, 720} {
		if w := time.Duration(minutes) * time.Minute; d <= maxBars*w {
			return w
		}
	}
	return (d/maxBars/time.Hour + 1) * time.Hour
}

func scale(bars []bar, most int) {
	for i := range bars {
		if n := bars[i].Mails; n > 0 {
			bars[i].Height = max(1, (n*maxHeight+most/2)/most)
		}
	}
}

// String draws the chart with block characters.
func (c chart) String() string {
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, bar := range c.Bars {
		b.WriteRune(blocks[bar.Height])
	}
	return b.String()
}
