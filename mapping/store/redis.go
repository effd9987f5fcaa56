package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// Redis keeps the map of one program in a Redis, under "carryover:{<program>}:". The
// braces put all its keys into one cluster slot, so that they can change together.
//
//	current                              string      the live epoch
//	activation                           string      since when it is, signed; see [activation]
//	map:<epoch>:links|partners|ids|paths hash        key -> value of mapping.Entry
//	map:<epoch>:meta                     hash        counts, checksum, policy, published_at, plan_id, signature
//	epochs                               sorted set  the epochs kept, by number
//	next                                 string      the last number given out
//	changed                              channel     the epoch that went live
//	writing:<epoch>                      channel     has a listener while that epoch is being written
type Redis struct {
	options
	opt     *redis.Options
	program string
	prefix  string
	place   string
	quick   *redis.Client // single small commands
}

// Limits on waiting. A Redis that hangs costs a small command quickTimeout, and a bulk
// load bulkTimeout times one more than bulkRetries unless its context ends earlier.
const (
	dialTimeout  = 2 * time.Second
	quickTimeout = 3 * time.Second
	bulkTimeout  = 30 * time.Second
	bulkRetries  = 3
	loadTimeout  = 3 * time.Minute // of a whole map, however slowly it trickles in
)

// OpenRedis opens the store of a program in the Redis at rawURL: redis:// or rediss://
// [user:password@]host[:port][/db], or unix://. It does not connect; [Redis.Ping] does.
func OpenRedis(rawURL, program string, opts ...Option) (*Redis, error) {
	opt, err := RedisOptions(rawURL)
	if err != nil {
		return nil, err
	}
	if program == "" || strings.ContainsAny(program, "{} \t\r\n") {
		return nil, fmt.Errorf("the program's name %q cannot be part of a Redis key: it must not be empty or hold spaces or braces", program)
	}
	opt.ContextTimeoutEnabled = true
	opt.DialTimeout = dialTimeout
	opt.DialerRetries = 1
	opt.MaxRetries = -1
	opt.ReadTimeout, opt.WriteTimeout = quickTimeout, quickTimeout
	opt.PoolSize = 4
	return &Redis{
		options: newOptions(opts),
		opt:     opt,
		program: program,
		prefix:  "carryover:{" + program + "}:",
		place:   place(opt),
		quick:   redis.NewClient(clone(opt)),
	}, nil
}

func clone(opt *redis.Options) *redis.Options {
	c := *opt
	return &c
}

// bulk returns a client for one long task. Its connections are cut when ctx ends, which
// frees a caller that waits for a reply; release gives them back.
func (r *Redis) bulk(ctx context.Context) (c *redis.Client, release func()) {
	opt := clone(r.opt)
	opt.ReadTimeout, opt.WriteTimeout = bulkTimeout, bulkTimeout
	opt.MaxRetries = bulkRetries
	return cutWith(ctx, redis.NewClient(opt))
}

func cutWith(ctx context.Context, c *redis.Client) (*redis.Client, func()) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	return c, func() {
		if stop() {
			c.Close()
		}
	}
}

// Ping asks Redis for a sign of life.
func (r *Redis) Ping(ctx context.Context) error {
	return r.explain(ctx, "asking for a sign of life", r.quick.Ping(ctx).Err())
}

// String says where the map is, without any password.
func (r *Redis) String() string { return r.place }

// Close gives the connections back.
func (r *Redis) Close() error { return r.quick.Close() }

func (r *Redis) key(name string) string { return r.prefix + name }

func (r *Redis) metaKey(id int64) string { return r.mapKey(id, "meta") }

func (r *Redis) tableKey(id int64, kind mapping.Kind) string { return r.mapKey(id, kind.String()) }

func (r *Redis) mapKey(id int64, part string) string {
	return r.prefix + "map:" + strconv.FormatInt(id, 10) + ":" + part
}

func (r *Redis) writingChannel(id int64) string {
	return r.prefix + "writing:" + strconv.FormatInt(id, 10)
}

// epochKeys are all keys of one epoch, meta first.
func (r *Redis) epochKeys(id int64) []string {
	keys := []string{r.metaKey(id)}
	for _, kind := range mapping.Kinds {
		keys = append(keys, r.tableKey(id, kind))
	}
	return keys
}

// explain turns an error of the client into a sentence for people; it leaves this
// package's own errors alone. No password is in either: go-redis puts none into the
// errors of a connection, and addresses are named by [place].
func (r *Redis) explain(ctx context.Context, doing string, err error) error {
	var own *placedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case errors.Is(err, ErrNoMap), errors.Is(err, ErrNoEpoch), refuses(err):
		return &placedError{r.place + ": " + doing, err}
	case errors.Is(ctx.Err(), context.Canceled):
		return &placedError{r.place + ": " + doing, context.Cause(ctx)}
	case pastDeadline(ctx):
		return &placedError{r.place + " does not answer in time: " + doing, context.DeadlineExceeded}
	case unreachable(err):
		return &placedError{r.place + " does not answer: " + doing, hint{err}}
	}
	return &placedError{r.place + ": " + doing, err}
}

// pastDeadline asks the clock: a connection notices a deadline before its context does.
func pastDeadline(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Before(deadline)
}

// unreachable says whether err means that no Redis is there, or that it hangs.
func unreachable(err error) bool {
	var inNet net.Error
	return errors.As(err, &inNet) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, redis.ErrClosed) ||
		errors.Is(err, redis.ErrPoolTimeout) || redis.HasErrorPrefix(err, "LOADING")
}

// placedError has been explained already.
type placedError struct {
	what string
	err  error
}

func (e *placedError) Error() string { return e.what + ": " + e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// hint adds what to do to an error of the connection.
type hint struct{ err error }

func (h hint) Error() string {
	return h.err.Error() + "; start it, or leave --redis out to keep the map in the book"
}
func (h hint) Unwrap() error { return h.err }
