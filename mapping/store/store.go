package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carryover/mapping"
)

// Errors that callers decide on. An [ErrForeign] is an [ErrChecksum] too.
var (
	ErrNoMap    = errors.New("no map was published yet")
	ErrNoEpoch  = errors.New("no such epoch is kept")
	ErrChecksum = errors.New("the stored map is damaged: it does not agree with its checksum")
	ErrForeign  = fmt.Errorf("in the place of the map stands something other than a carryover writes%w", silent{ErrChecksum})
)

// silent is an error that is there for errors.Is alone.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// Keep is how many epochs stay for a rollback. The live one stays beside them when it
// is older than all of these.
const Keep = 5

// Epoch is one published version of the link map.
type Epoch struct {
	ID          int64     `json:"epoch"`
	Live        bool      `json:"live"`
	PublishedAt time.Time `json:"published_at"` // whole seconds, UTC
	PlanID      string    `json:"plan_id"`
	Checksum    string    `json:"checksum"` // SHA-256, hex, over policy and entries
	Links       int       `json:"links"`
	Partners    int       `json:"partners"`
	IDs         int       `json:"ids"`
	Paths       int       `json:"paths"`
	Bytes       int64     `json:"bytes,omitempty"`    // of keys and values, in Redis
	Refused     string    `json:"refused,omitempty"`  // why it is not believed, in a list
	Activated   time.Time `json:"activated,omitzero"` // of one from Redis that is followed: since when it was live
}

// Entries is the number of facts in the four tables together.
func (e Epoch) Entries() int { return e.Links + e.Partners + e.IDs + e.Paths }

func (e Epoch) sizes() [4]int { return [4]int{e.Links, e.Partners, e.IDs, e.Paths} }

// same says whether two observations are of one publication, made live at one time. A number
// alone does not say so: a Redis that lost its data counts from one again.
func (e Epoch) same(o Epoch) bool {
	return e.ID == o.ID && e.Checksum == o.Checksum && e.PublishedAt.Equal(o.PublishedAt) && e.Activated.Equal(o.Activated)
}

// Publisher makes maps live.
type Publisher interface {
	// Publish makes m the live map. It writes a whole new epoch, reads it back, then
	// flips; killed at any moment it leaves the old map live and whole. When the live
	// epoch already holds m nothing is written and changed is false. planID is kept
	// with the epoch. progress may be nil; it is called from one goroutine at a time,
	// done counts entries written and read back, and the last call has done == total.
	Publish(ctx context.Context, m *mapping.Map, planID string, progress func(done, total int)) (e Epoch, changed bool, err error)

	// Activate flips to a kept epoch at once: a rollback. [ErrNoEpoch] when it is not kept.
	Activate(ctx context.Context, id int64) (Epoch, error)
}

// Feed is how a gateway comes by the live map and stays with it.
type Feed interface {
	// Load returns the live map, its checksum verified: [ErrNoMap] when none was published,
	// [ErrChecksum] when it is damaged, [ErrSignature] and [mapping.ErrNotAllowed] when it is not
	// one that the store's [Trust] believes.
	Load(ctx context.Context) (*mapping.Map, Epoch, error)

	// Follow blocks until ctx ends and returns its error. It calls swap with the live
	// map whenever that is another than the last one (at first: than the epoch numbered
	// have; 0 for none), and when one that could not be had gave way to that again; epochs
	// that went by while a map was loading are left out. swap
	// runs on Follow's goroutine. What fails goes to onError, which may be nil, and is
	// tried again with growing pauses of at most ten seconds; Follow never gives up.
	Follow(ctx context.Context, have int64, swap func(*mapping.Map, Epoch), onError func(error)) error
}

// Store is a place for published maps.
type Store interface {
	Publisher
	Feed
	Epochs(ctx context.Context) ([]Epoch, error) // those kept, newest first
	LoadEpoch(ctx context.Context, id int64) (*mapping.Map, Epoch, error)
	Ping(ctx context.Context) error
	String() string // where it is, without any password
	Close() error
}

var (
	_ Store = (*Redis)(nil)
	_ Store = (*InBook)(nil)
)

// DefaultPoll is how often Follow asks for the live epoch.
const DefaultPoll = 2 * time.Second

type options struct {
	poll  time.Duration
	trust Trust
}

// Option changes a store when it is opened.
type Option func(*options)

// PollEvery makes Follow ask for the live epoch every d; 0 and less mean [DefaultPoll].
func PollEvery(d time.Duration) Option {
	return func(o *options) { o.poll = d }
}

func newOptions(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if o.poll <= 0 {
		o.poll = DefaultPoll
	}
	return o
}
