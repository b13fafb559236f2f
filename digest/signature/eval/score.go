package main

// pair is where one message was put, and where it belongs.
type pair struct{ group, truth string }

// score is how well a grouping fits the truth.
type score struct {
	messages, groups, truths int

	precision, recall float64 // over pairs of messages
	ga                float64 // messages whose group is exactly right (grouping accuracy)
	fga               float64 // F1 of groups that are exactly right
	harm              float64 // messages in a group whose majority belongs elsewhere
	extra             float64 // groups beyond the true ones, relative to those
}

// scoreOf compares a grouping with the truth.
func scoreOf(pairs []pair) score {
	both := map[pair]int{}
	groups, truths := map[string]int{}, map[string]int{}
	for _, p := range pairs {
		both[p]++
		groups[p.group]++
		truths[p.truth]++
	}
	s := score{messages: len(pairs), groups: len(groups), truths: len(truths)}
	var right, exact, exactMessages int
	majority := map[string]int{}
	for p, n := range both {
		right += choose2(n)
		if n == groups[p.group] && n == truths[p.truth] {
			exact++
			exactMessages += n
		}
		majority[p.group] = max(majority[p.group], n)
	}
	inMajority := 0
	for _, n := range majority {
		inMajority += n
	}
	s.precision = share(right, pairsWithin(groups))
	s.recall = share(right, pairsWithin(truths))
	s.ga = share(exactMessages, len(pairs))
	s.fga = f1(share(exact, len(groups)), share(exact, len(truths)))
	s.harm = 1 - share(inMajority, len(pairs))
	s.extra = float64(len(groups)-len(truths)) / float64(max(1, len(truths)))
	return s
}

func pairsWithin(sizes map[string]int) int {
	n := 0
	for _, size := range sizes {
		n += choose2(size)
	}
	return n
}

func choose2(n int) int { return n * (n - 1) / 2 }

// share is part of all; all of nothing is 1.
func share(part, all int) float64 {
	if all == 0 {
		return 1
	}
	return float64(part) / float64(all)
}

func f1(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

// mean averages scores, each counting alike.
func mean(scores []score) score {
	var m score
	for _, s := range scores {
		m.messages += s.messages
		m.groups += s.groups
		m.truths += s.truths
		m.precision += s.precision
		m.recall += s.recall
		m.ga += s.ga
		m.fga += s.fga
		m.harm += s.harm
		m.extra += s.extra
	}
	n := float64(max(1, len(scores)))
	m.precision, m.recall, m.ga, m.fga, m.harm, m.extra = m.precision/n, m.recall/n, m.ga/n, m.fga/n, m.harm/n, m.extra/n
	return m
}
