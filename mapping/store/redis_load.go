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
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	client, release := r.bulk(ctx)
	defer release()
	m, e, err := r.loadLive(ctx, client)
	return m, e, r.explain(ctx, "loading the map", err)
}

func (r *Redis) loadLive(ctx context.Context, client *redis.Client) (*mapping.Map, Epoch, error) {
	var failed error
	for range raceTries {
		e, err := r.live(ctx, client)
		if err != nil {
			return nil, Epoch{}, err
		}
		m, err := r.load(ctx, client, e)
		if !errors.Is(err, ErrNoEpoch) {
			return m, e.Epoch, err
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
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
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
	e, err := r.meta(ctx, client, id)
	if err != nil {
		return nil, Epoch{}, err
	}
	live, err := r.current(ctx, client)
	if err != nil && !errors.Is(err, ErrNoMap) {
		return nil, Epoch{}, err
	}
	e.Live = live == id
	m, err := r.load(ctx, client, e)
	return m, e.Epoch, err
}

// load reads the tables of e when it is believed. It fails with [ErrNoEpoch] when e was removed
// meanwhile.
func (r *Redis) load(ctx context.Context, client *redis.Client, e meta) (*mapping.Map, error) {
	if err := r.believe(&e); err != nil {
		return nil, err
	}
	entries, err := r.readTables(ctx, client, e.Epoch)
	var m *mapping.Map
	if err == nil {
		m, err = rebuild(e.policy, entries, e.Epoch, &r.trust)
	}
	if errors.Is(err, ErrChecksum) {
		// An epoch is removed in one step, so meta tells whether its tables are whole.
		now, again := r.meta(ctx, client, e.ID)
		now.Activated = e.Activated
		switch {
		case errors.Is(again, ErrNoEpoch), again == nil && !now.same(e.Epoch):
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
		err = r.scan(ctx, client, r.tableKey(e.ID, kind), e, e.sizes()[kind], replies)
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

// Bounds of a scan beside what the epoch says: a hash gives some of its entries twice while it
// grows, and an answer of it may hold none.
const (
	maxEntries = 50_000_000 // of a table
	maxBytes   = 16 << 30   // of all tables
	scanSlack  = 16 << 20   // bytes of replies around the entries
	scanPage   = 8 << 20    // bytes that a page of a scan should have at most
)

// scan sends the raw replies of an HSCAN over the hash at key, which has size entries: the next
// cursor, then an array of keys and values in turn. A scan that brings far more than the epoch e
// says, or that does not come to its end, fails.
func (r *Redis) scan(ctx context.Context, client *redis.Client, key string, e Epoch, size int, replies chan<- []byte) error {
	count := scanCount
	if n := int64(max(e.Entries(), 1)); e.Bytes/n > scanPage/scanCount { // large entries
		count = max(1, int(scanPage/(e.Bytes/n)))
	}
	pages, bytes := 16+16*(size/count+1), 4*e.Bytes+scanSlack
	for cursor := "0"; ; {
		scan := redis.NewRawCmd(ctx, "hscan", key, cursor, "count", count)
		if err := client.Process(ctx, scan); err != nil {
			return wrongType(err, key)
		}
		pages--
		if bytes -= int64(len(scan.Val())); pages < 0 || bytes < 0 {
			return fmt.Errorf("epoch %d: %w: the scan of %s does not end where its %d entries do", e.ID, ErrReply, key, size)
		}
		in := newReply(scan.Val())
		if _, err := in.array(); err != nil {
			return wrongType(err, key)
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

// maxRoom is how many entries are made room for before they have come: 40 MB.
const maxRoom = 1 << 20

// collect reads the replies of a scan to the end, whatever they are, and sorts what they
// hold.
func collect(replies <-chan []byte, kind mapping.Kind, size int) ([]mapping.Entry, error) {
	table := make([]mapping.Entry, 0, min(size, maxRoom))
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
	if n%2 != 0 {
		return nil, fmt.Errorf("%w: a scan of %d keys and values", ErrReply, n)
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
