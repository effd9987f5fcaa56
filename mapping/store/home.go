package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
	"carryover/mapping/book"
)

// Wish says where a command wants the published map to be.
type Wish struct {
	Book     *book.Book // whose map it is; nil: there is no book on this machine
	RedisURL string     // empty: none was named
	Program  string     // whose keys those in Redis are
	Store    string     // book.StoreRedis or book.StoreBook: said explicitly; empty: where the map lives
}

// ElsewhereError says that the map of a book lives in another place than the one that was
// named, so that a person must say which of them is meant.
type ElsewhereError struct {
	Lives book.MapHome
	Since time.Time
	Named string // the place that was named instead; empty: none
	Redis bool   // Named is a Redis
}

func (e *ElsewhereError) Error() string {
	lives := "in the book"
	if e.Lives.Store == book.StoreRedis {
		lives = fmt.Sprintf("in the Redis at %s, as program %q", e.Lives.Address, e.Lives.Program)
	}
	s := fmt.Sprintf("the link map of this book is published %s since %s, and gateways follow it there", lives, e.Since.Format("2006-01-02 15:04 MST"))
	switch {
	case e.Lives.Store == book.StoreBook:
		return fmt.Sprintf("%s; --redis, REDIS_URL or [redis] url names %s: add --store redis to move it there, or --store book to leave it where it is",
			s, e.Named)
	case e.Redis:
		return fmt.Sprintf("%s; now %s is named: name that Redis again, or add --store redis to move the map to this one", s, e.Named)
	}
	return s + ": name that Redis with --redis or REDIS_URL, or add --store book to move the map into the book"
}

func (e *ElsewhereError) Unwrap() error { return book.ErrMapElsewhere }

// Open opens the place of the published map: the one function that decides where that is. A
// book remembers where its map was published. Another place is taken only when w says so
// explicitly; otherwise Open fails with an [ElsewhereError]. Where nothing was published yet it
// is the Redis that was named, or else the book.
//
// Over the store that it returns the book notes where maps are published, before they are, and
// which was the last. It asks a Redis for nothing, but when that has another address than the
// one in which the map lives: it may be the same Redis under another name.
func Open(ctx context.Context, w Wish, opts ...Option) (Store, error) {
	named := w.Store
	switch {
	case named == "" && w.RedisURL != "":
		named = book.StoreRedis
	case named == "":
		named = book.StoreBook
	case named == book.StoreRedis && w.RedisURL == "":
		return nil, errors.New("--store redis: no Redis is named: add --redis URL, or set REDIS_URL")
	}
	h := &home{book: w.Book}
	h.move.Store(w.Store != "")
	if named == book.StoreRedis {
		r, err := OpenRedis(w.RedisURL, w.Program, opts...)
		if err != nil {
			return nil, err
		}
		h.Store, h.place = r, book.MapHome{Store: named, Address: r.address(), Program: w.Program}
	} else {
		if w.Book == nil {
			return nil, errors.New("the link map is kept in the book, and there is none here")
		}
		h.Store, h.place = OpenBook(w.Book, opts...), book.MapHome{Store: named}
	}
	if w.Book == nil {
		return h, nil
	}
	if err := h.check(ctx); err != nil {
		var elsewhere *ElsewhereError
		if errors.As(err, &elsewhere) || !errors.Is(err, errUnsure) {
			h.Close()
			return nil, err
		}
		// A Redis under another name does not answer. Gateways start all the same; who
		// publishes asks again.
	}
	return h, nil
}

// home is the store in which the map of a book lives.
type home struct {
	Store
	place book.MapHome // where Store is
	book  *book.Book   // nil: none
	move  atomic.Bool  // a person said that the map is to live here from the next publication on
}

// errUnsure says that a Redis under another name could not be asked whether it is the same.
var errUnsure = errors.New("the Redis that was named does not answer")

// check fails with an [ElsewhereError] when the map of the book lives in another place.
func (h *home) check(ctx context.Context) error {
	p, err := h.book.Publication(ctx)
	if err != nil {
		return fmt.Errorf("asking the book where its link map is published: %w", err)
	}
	if p.Store == "" || h.move.Load() || p.MapHome == h.place {
		return nil
	}
	if r, ok := h.Store.(*Redis); ok && p.Store == book.StoreRedis && p.Program == h.place.Program {
		same, err := r.keeps(ctx, p.Epoch, p.Checksum)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", errUnsure, err)
		case same:
			return nil
		}
	}
	return &ElsewhereError{Lives: p.MapHome, Since: p.ChosenAt, Named: h.Store.String(), Redis: h.place.Store == book.StoreRedis}
}

// Publish makes m the live map, and notes in the book where; see [Publisher].
func (h *home) Publish(ctx context.Context, m *mapping.Map, planID string, progress func(done, total int)) (Epoch, bool, error) {
	if err := h.settle(ctx); err != nil {
		return Epoch{}, false, err
	}
	e, changed, err := h.Store.Publish(ctx, m, planID, progress)
	if err != nil {
		return e, changed, err
	}
	return e, changed, h.note(ctx, e)
}

// Activate flips to a kept epoch, and notes in the book where; see [Publisher].
func (h *home) Activate(ctx context.Context, id int64) (Epoch, error) {
	if err := h.settle(ctx); err != nil {
		return Epoch{}, err
	}
	e, err := h.Store.Activate(ctx, id)
	if err != nil {
		return e, err
	}
	return e, h.note(ctx, e)
}

// settle notes that the map lives here. The map may have moved since the store was opened, by
// another process.
func (h *home) settle(ctx context.Context) error {
	if h.book == nil {
		return nil
	}
	if err := h.check(ctx); err != nil {
		return err
	}
	p, err := h.book.Publication(ctx)
	move := h.move.Load()
	if err != nil || p.Store != "" && !move { // the same, perhaps under another name
		return err
	}
	if err := h.book.ChooseMapHome(ctx, h.place, move, time.Now()); err != nil {
		return err
	}
	h.move.Store(false) // it was said of one publication, not of all that a gateway makes later
	return nil
}

func (h *home) note(ctx context.Context, e Epoch) error {
	if h.book == nil {
		return nil
	}
	if err := h.book.MapPublished(ctx, e.ID, e.Checksum); err != nil {
		return fmt.Errorf("epoch %d is live, but the book could not note that: %w", e.ID, err)
	}
	return nil
}

// address names a Redis in the book: host:port/database, or unix:/path/database.
func (r *Redis) address() string {
	addr := r.opt.Addr
	if r.opt.Network == "unix" {
		addr = "unix:" + addr
	}
	return addr + "/" + strconv.Itoa(r.opt.DB)
}

// keeps reports whether an epoch with this checksum is kept.
func (r *Redis) keeps(ctx context.Context, epoch int64, checksum string) (bool, error) {
	if epoch == 0 {
		return false, nil
	}
	kept, err := r.quick.HGet(ctx, r.metaKey(epoch), "checksum").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, r.explain(ctx, "asking for the epoch that was published last", wrongType(err, r.metaKey(epoch)))
	}
	return kept == checksum, nil
}
