package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
)

// InBook keeps the map in the book: for one machine, without a Redis.
type InBook struct {
	options
	book *book.Book
}

// OpenBook returns the store in b. Closing it leaves b open.
func OpenBook(b *book.Book, opts ...Option) *InBook {
	return &InBook{newOptions(opts), b}
}

// Publish makes m the live map; see [Publisher]. It is one transaction of the book.
func (s *InBook) Publish(ctx context.Context, m *mapping.Map, planID string, progress func(done, total int)) (Epoch, bool, error) {
	c, err := newContent(m)
	if err != nil {
		return Epoch{}, false, err
	}
	count := newCounter(len(c.entries), progress)
	written := 0
	next := c.epoch(planID, time.Now())
	next.Checksum = c.checksum()
	e, changed, err := s.book.PublishMap(ctx, inBook(next, c.policy), c.entries, Keep, func(n int) {
		count.add(n - written)
		written = n
	})
	if err != nil {
		return Epoch{}, false, err
	}
	count.finish()
	return fromBook(e), changed, nil
}

// Activate makes a kept epoch live.
func (s *InBook) Activate(ctx context.Context, id int64) (Epoch, error) {
	if err := s.checkKept(ctx, id); err != nil {
		return Epoch{}, err
	}
	e, err := s.book.ActivateMap(ctx, id)
	return fromBook(e), s.explain(err, ErrNoEpoch)
}

// checkKept says why an epoch that is kept may not go live.
func (s *InBook) checkKept(ctx context.Context, id int64) error {
	kept, err := s.book.MapEpochs(ctx)
	if err != nil {
		return s.explain(err, ErrNoEpoch)
	}
	for _, e := range kept {
		if e.ID == id {
			return s.explain(s.trust.allowPolicy(e.Policy), ErrNoEpoch)
		}
	}
	return fmt.Errorf("%s: %w", s, noEpoch(id))
}

// Load returns the live map; see [Feed].
func (s *InBook) Load(ctx context.Context) (*mapping.Map, Epoch, error) {
	return s.load(ctx, 0, ErrNoMap)
}

// LoadEpoch returns a kept map, or fails with [ErrNoEpoch].
func (s *InBook) LoadEpoch(ctx context.Context, id int64) (*mapping.Map, Epoch, error) {
	if id <= 0 {
		return nil, Epoch{}, fmt.Errorf("%s: %w", s, noEpoch(id))
	}
	return s.load(ctx, id, ErrNoEpoch)
}

func (s *InBook) load(ctx context.Context, id int64, missing error) (*mapping.Map, Epoch, error) {
	stored, entries, err := s.book.ReadMap(ctx, id)
	if err != nil {
		return nil, Epoch{}, s.explain(err, missing)
	}
	e := fromBook(stored)
	m, err := rebuild(stored.Policy, entries, e, &s.trust)
	if err != nil {
		return nil, Epoch{}, fmt.Errorf("%s: %w", s, err)
	}
	return m, e, nil
}

// Follow stays with the live map by polling; see [Feed].
func (s *InBook) Follow(ctx context.Context, have int64, swap func(*mapping.Map, Epoch), onError func(error)) error {
	return follower{
		live: func(ctx context.Context) (Epoch, error) {
			e, err := s.book.LiveMapEpoch(ctx)
			return fromBook(e), s.explain(err, ErrNoMap)
		},
		load: s.Load,
		poll: s.poll,
	}.follow(ctx, have, swap, onError)
}

// Epochs lists the epochs that are kept, newest first.
func (s *InBook) Epochs(ctx context.Context) ([]Epoch, error) {
	stored, err := s.book.MapEpochs(ctx)
	if err != nil {
		return nil, s.explain(err, ErrNoEpoch)
	}
	var out []Epoch
	for _, kept := range stored {
		e := fromBook(kept)
		if err := s.trust.allowPolicy(kept.Policy); err != nil {
			e.Refused = err.Error()
		}
		out = append(out, e)
	}
	return out, nil
}

// Ping reads from the book.
func (s *InBook) Ping(ctx context.Context) error {
	_, err := s.book.LiveMapEpoch(ctx)
	if errors.Is(err, book.ErrNoEpoch) {
		return nil
	}
	return s.explain(err, ErrNoEpoch)
}

// String says where the map is.
func (s *InBook) String() string { return "the book " + s.book.Path() }

// Close does nothing: the book belongs to its opener.
func (s *InBook) Close() error { return nil }

func (s *InBook) explain(err, missing error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, book.ErrNoEpoch) {
		return fmt.Errorf("%s: %w", s, missing)
	}
	return fmt.Errorf("%s: %w", s, err)
}

func inBook(e Epoch, policy string) book.MapEpoch {
	return book.MapEpoch{
		ID: e.ID, PublishedAt: e.PublishedAt, PlanID: e.PlanID, Checksum: e.Checksum, Policy: policy,
		Links: e.Links, Partners: e.Partners, IDs: e.IDs, Paths: e.Paths, Live: e.Live,
	}
}

func fromBook(e book.MapEpoch) Epoch {
	return Epoch{
		ID: e.ID, Live: e.Live, PublishedAt: e.PublishedAt, PlanID: e.PlanID, Checksum: e.Checksum,
		Links: e.Links, Partners: e.Partners, IDs: e.IDs, Paths: e.Paths,
	}
}
