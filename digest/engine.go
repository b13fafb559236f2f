// Package digest decides what is told, to whom, when.
//
// An [Engine] has no loop and reads no clock: its caller gives Step the time,
// and Step does what is due. It keeps nothing that matters outside of the
// store; what it remembers (how the mail server is, whom it refused lately)
// only makes it gentler.
//
// The way of a digest: the mail server accepts sender and recipient; the cut
// takes the waiting copies in flight; compose makes the bytes; Begin records
// the slot and keeps the bytes; the body goes out; Mark records the outcome.
package digest

import (
	"errors"
	"fmt"
	"sync"

	"lull/store"
)

// Engine sends what is due. Step, SendNow, Preview, Forecast and Reload may be
// called by several goroutines at once.
type Engine struct {
	queue Queue
	out   Sender
	deps  Deps
	term  uint64

	step sync.Mutex     // one Step at a time
	late sync.WaitGroup // every job under way

	mu      sync.Mutex // guards what follows
	plan    *plan
	pace    pace
	memo    memo
	flights int // jobs under way
	gated   int // those of them that came through the gate
	readers int // how many there were lately: digests are spread over them
}

// plan is a configuration with its schedules.
type plan struct {
	Config
	usual Schedule
	of    map[string]Schedule // by reader
}

// New makes an engine. Start comes before the first Step.
func New(cfg Config, q Queue, out Sender, deps Deps) (*Engine, error) {
	if deps.NewID == nil || deps.Gate == nil {
		return nil, errors.New("digest: NewID and Gate must be given")
	}
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	e := &Engine{queue: q, out: out, deps: deps, term: deps.Term, plan: p, memo: newMemo()}
	e.pace.cfg = p.Config
	return e, nil
}

// Reload takes a new configuration, or refuses it and keeps the old one. What
// is due already stays due; times to come are planned anew at the next Step.
func (e *Engine) Reload(cfg Config) error {
	p, err := newPlan(cfg)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.plan, e.pace.cfg = p, p.Config
	e.memo.replan = true
	return nil
}

// Validate names every fault of a configuration.
func (c Config) Validate() error {
	_, err := newPlan(c)
	return err
}

func newPlan(cfg Config) (*plan, error) {
	p := &plan{Config: cfg, of: make(map[string]Schedule, len(cfg.Schedules))}
	faults := []error{cfg.validate()}
	parse := func(spec, of string) Schedule {
		s, err := ParseSchedule(spec)
		if err == nil && cfg.Window > 0 {
			if most := s.Most(cfg.Window); most > cfg.Budget {
				err = fmt.Errorf("schedule %q needs %d digests in %v, the budget is %d; make it rarer or the budget larger", spec, most, cfg.Window, cfg.Budget)
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s%w", of, err))
		}
		return s
	}
	p.usual = parse(cfg.Schedule, "")
	for reader, spec := range cfg.Schedules {
		p.of[reader] = parse(spec, reader+": ")
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// scheduleOf is a reader's schedule.
func (p *plan) scheduleOf(reader string) Schedule {
	if s, ok := p.of[reader]; ok {
		return s
	}
	return p.usual
}

// fatal reports whether the engine cannot go on with an error of the store.
func fatal(err error) bool {
	return errors.Is(err, store.ErrStopped) || errors.Is(err, store.ErrStaleTerm)
}

var _ Queue = store.Store(nil)
