package retry

import "time"

// TransientError is a failure that another try may mend. A failure without it is final.
type TransientError struct {
	Err   error
	After time.Duration // shortest wait before the next try; 0: whatever the backoff gives
}

func (e *TransientError) Error() string { return e.Err.Error() }
func (e *TransientError) Unwrap() error { return e.Err }

// IsTransientStatus reports whether a server that answered an HTTP status may answer the same
// request otherwise later: 408, 425, 429 and everything from 500 on.
func IsTransientStatus(status int) bool {
	switch status {
	case 408, 425, 429:
		return true
	}
	return status >= 500
}

// Backoff is an exponential backoff with full jitter, so that many callers that failed together
// do not come back together.
type Backoff struct {
	First time.Duration // longest wait after the first failure; it doubles with each further one
	Max   time.Duration // longest wait of all, whatever the server asks for
}

// Delay is how long to wait before the next try. failures is how many came before the present
// one, after the shortest wait that the server asks for (0: none). random gives a number from 0
// up to and without n, as rand.Int64N does. The delay is never 0.
func (b Backoff) Delay(failures int64, after time.Duration, random func(n int64) int64) time.Duration {
	longest := b.Max
	if n := min(max(failures, 0), 62); b.First <= b.Max>>n { // else doubling goes past Max
		longest = b.First << n
	}
	return max(time.Duration(random(int64(longest)))+1, min(after, b.Max))
}
