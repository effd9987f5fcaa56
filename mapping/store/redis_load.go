package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// scanCount is how many entries Redis looks at for one HSCAN: about two milliseconds in
// which other clients wait.
const scanCount = 2000

// Load returns the live map; see [Feed].
func (r *Redis) Load(ctx context.Context) (*mapping.Map, Epoch, error) {
	if err := r.Ping(ctx); err != nil {
		return nil, Epoch{}, err
	}
	client, release := r.bulk(ctx)
	defer release()
	m, e, err := r.loadLive(ctx, client)
	return m, e, r.explain(ctx, "loading the map", err)
}

func (r *Redis) loadLive(ctx context.Context, client *redis.Client) (*mapping.Map, Epoch, error) {
	var failed error
	for range raceTries {
		e, policy, err := r.live(ctx, client)
		if err != nil {
			return nil, Epoch{}, err
		}
		m, err := r.load(ctx, client, e, policy)
		if !errors.Is(err, ErrNoEpoch) {
			return m, e, err
		}
		failed = err // pruned while it was loading: another one is live
	}
	return nil, Epoch{}, fmt.Errorf("maps are published faster than they can be loaded: %w", failed)
}

// LoadEpoch returns a kept map, or fails with [ErrNoEpoch].
func (r *Redis) LoadEpoch(ctx context.Context, id int64) (*mapping.Map, Epoch, error) {
	if err := r.Ping(ctx); err != nil {
		return nil, Epoch{}, err
	}
	client, release := r.bulk(ctx)
	defer release()
	m, e, err := r.loadEpoch(ctx, client, id)
	return m, e, r.explain(ctx, fmt.Sprintf("loading epoch %d", id), err)
}

func (r *Redis) loadEpoch(ctx context.Context, client *redis.Client, id int64) (*mapping.Map, Epoch, error) {
	kept, err := r.isKept(ctx, client, id)
	if err != nil {
		return nil, Epoch{}, err
	}
	if !kept {
		return nil, Epoch{}, noEpoch(id)
	}
	e, policy, err := r.meta(ctx, client, id)
	if err != nil {
		return nil, Epoch{}, err
	}
	live, err := r.current(ctx, client)
	if err != nil && !errors.Is(err, ErrNoMap) {
		return nil, Epoch{}, err
	}
	e.Live = live == id
	m, err := r.load(ctx, client, e, policy)
	return m, e, err
}

// load reads the tables of e. It fails with [ErrNoEpoch] when e was removed meanwhile.
func (r *Redis) load(ctx context.Context, client *redis.Client, e Epoch, policy string) (*mapping.Map, error) {
	entries, err := r.readTables(ctx, client, e)
	var m *mapping.Map
	if err == nil {
		m, err = rebuild(policy, entries, e)
	}
	if errors.Is(err, ErrChecksum) {
		// An epoch is removed in one step, so meta tells whether its tables are whole.
		now, _, again := r.meta(ctx, client, e.ID)
		switch {
		case errors.Is(again, ErrNoEpoch), again == nil && !now.same(e):
			return nil, noEpoch(e.ID)
		case again != nil && !errors.Is(again, ErrChecksum):
			return nil, again
		}
	}
	return m, err
}

// readTables reads the tables of e, sorted as for a checksum. Redis is the slower side,
// so it is never kept waiting: what it has sent is read and sorted meanwhile.
func (r *Redis) readTables(ctx context.Context, client *redis.Client, e Epoch) ([]mapping.Entry, error) {
	if err := r.checkSizes(ctx, client, e); err != nil {
		return nil, err
	}
	var tables [4][]mapping.Entry
	var failed [4]error
	var wg sync.WaitGroup
	var err error
	for _, kind := range mapping.Kinds {
		replies := make(chan []byte, 4)
		wg.Go(func() { tables[kind], failed[kind] = collect(replies, kind, e.sizes()[kind]) })
		err = r.scan(ctx, client, r.tableKey(e.ID, kind), replies)
		close(replies)
		if err != nil {
			break
		}
	}
	wg.Wait()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(failed[:]...); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", e.ID, err)
	}
	return slices.Concat(tables[:]...), nil
}

// scan sends the raw replies of an HSCAN over the hash at key: the next cursor, then an
// array of keys and values in turn.
func (r *Redis) scan(ctx context.Context, client *redis.Client, key string, replies chan<- []byte) error {
	for cursor := "0"; ; {
		scan := redis.NewRawCmd(ctx, "hscan", key, cursor, "count", scanCount)
		if err := client.Process(ctx, scan); err != nil {
			return err
		}
		in := newReply(scan.Val())
		if _, err := in.array(); err != nil {
			return err
		}
		var err error
		if cursor, _, err = in.text(); err != nil {
			return err
		}
		replies <- scan.Val()
		if cursor == "0" {
			return nil
		}
	}
}

// collect reads the replies of a scan to the end, whatever they are, and sorts what they
// hold.
func collect(replies <-chan []byte, kind mapping.Kind, size int) ([]mapping.Entry, error) {
	table := make([]mapping.Entry, 0, size)
	var failed error
	for raw := range replies {
		if failed == nil {
			table, failed = appendScan(table, kind, raw)
		}
	}
	if failed != nil {
		return nil, failed
	}
	mapping.SortEntries(table)
	// HSCAN may return an entry twice, never leaves one out.
	table = slices.Compact(table)
	if len(table) != size {
		return nil, fmt.Errorf("%w (%s: %d instead of %d)", ErrChecksum, kind, len(table), size)
	}
	return table, nil
}

func appendScan(table []mapping.Entry, kind mapping.Kind, raw []byte) ([]mapping.Entry, error) {
	in := newReply(raw)
	if _, err := in.array(); err != nil {
		return nil, err
	}
	if _, _, err := in.text(); err != nil { // the cursor
		return nil, err
	}
	n, err := in.array()
	if err != nil {
		return nil, err
	}
	for ; n > 0; n -= 2 {
		key, _, err := in.text()
		if err != nil {
			return nil, err
		}
		value, _, err := in.text()
		if err != nil {
			return nil, err
		}
		table = append(table, mapping.Entry{Kind: kind, Key: key, Value: value})
	}
	return table, nil
}
