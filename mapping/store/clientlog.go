package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// clientLog takes what the Redis client logs by itself, a line for each failed dial, to
// slog at debug level: at most one line in ten seconds, with the number left out since.
// What matters reaches the caller as an error anyway.
type clientLog struct {
	mu     sync.Mutex
	last   time.Time
	hidden int
}

const clientLogEvery = 10 * time.Second

// useClientLog is process-wide because the client's logger is.
var useClientLog = sync.OnceFunc(func() { redis.SetLogger(&clientLog{}) })

func (l *clientLog) Printf(ctx context.Context, format string, v ...any) {
	l.mu.Lock()
	if !l.last.IsZero() && time.Since(l.last) < clientLogEvery {
		l.hidden++
		l.mu.Unlock()
		return
	}
	hidden := l.hidden
	l.last, l.hidden = time.Now(), 0
	l.mu.Unlock()
	slog.DebugContext(ctx, "redis client: "+fmt.Sprintf(format, v...), "left_out", hidden)
}
