package relay

import (
	"context"
	"sync"
	"time"
)

// budget is an amount of memory that all sessions share.
type budget struct {
	mu    sync.Mutex
	left  int64
	freed chan struct{} // closed when something is given back; nil if nobody waits
}

func newBudget(bytes int64) *budget { return &budget{left: bytes} }

// take takes n bytes, and waits for them as long as patience and ctx allow.
func (b *budget) take(ctx context.Context, n int64, patience time.Duration) bool {
	freed, ok := b.try(n)
	if ok {
		return true
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return false
		case <-freed:
		}
		if freed, ok = b.try(n); ok {
			return true
		}
	}
}

// try takes n bytes, or says what to wait for.
func (b *budget) try(n int64) (freed <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n <= b.left {
		b.left -= n
		return nil, true
	}
	if b.freed == nil {
		b.freed = make(chan struct{})
	}
	return b.freed, false
}

// give gives n bytes back.
func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
