package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// metaFields are the fields of an epoch's meta hash for e and its policy.
func metaFields(e Epoch, policy string) map[string]string {
	return map[string]string{
		"links": strconv.Itoa(e.Links), "partners": strconv.Itoa(e.Partners),
		"ids": strconv.Itoa(e.IDs), "paths": strconv.Itoa(e.Paths),
		"checksum": e.Checksum, "policy": policy, "plan_id": e.PlanID,
		"published_at": e.PublishedAt.Format(time.RFC3339),
	}
}

// parseMeta is the inverse of metaFields.
func parseMeta(id int64, fields map[string]string) (Epoch, error) {
	e := Epoch{ID: id, PlanID: fields["plan_id"], Checksum: fields["checksum"]}
	for name, n := range map[string]*int{"links": &e.Links, "partners": &e.Partners, "ids": &e.IDs, "paths": &e.Paths} {
		v, err := strconv.Atoi(fields[name])
		if err != nil || v < 0 {
			return Epoch{}, fmt.Errorf("epoch %d: %w (meta, %s)", id, ErrChecksum, name)
		}
		*n = v
	}
	at, err := time.Parse(time.RFC3339, fields["published_at"])
	if err != nil {
		return Epoch{}, fmt.Errorf("epoch %d: %w (meta, published_at)", id, ErrChecksum)
	}
	e.PublishedAt = at.UTC()
	return e, nil
}

// current returns the number of the live epoch, or [ErrNoMap].
func (r *Redis) current(ctx context.Context, c redis.Cmdable) (int64, error) {
	id, err := c.Get(ctx, r.key("current")).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, ErrNoMap
	}
	return id, err
}

// meta reads what is written about an epoch, or fails with [ErrNoEpoch].
func (r *Redis) meta(ctx context.Context, c redis.Cmdable, id int64) (e Epoch, policy string, err error) {
	fields, err := c.HGetAll(ctx, r.metaKey(id)).Result()
	if err != nil {
		return Epoch{}, "", err
	}
	if len(fields) == 0 {
		return Epoch{}, "", noEpoch(id)
	}
	e, err = parseMeta(id, fields)
	return e, fields["policy"], err
}

func noEpoch(id int64) error { return fmt.Errorf("epoch %d: %w", id, ErrNoEpoch) }

// live returns the live epoch as it is written about, or [ErrNoMap].
func (r *Redis) live(ctx context.Context, c redis.Cmdable) (e Epoch, policy string, err error) {
	// The epoch may be pruned between the two questions: then another one is live.
	for range raceTries {
		var id int64
		if id, err = r.current(ctx, c); err != nil {
			return Epoch{}, "", err
		}
		if e, policy, err = r.meta(ctx, c, id); !errors.Is(err, ErrNoEpoch) {
			e.Live = true
			return e, policy, err
		}
	}
	return Epoch{}, "", fmt.Errorf("%w: %w, though it is the live one", ErrChecksum, err)
}

// raceTries is how often a question is asked again that another publisher's flip or
// pruning made void. Each of them takes far longer than the question.
const raceTries = 5

// Epochs lists the epochs that are kept, newest first.
func (r *Redis) Epochs(ctx context.Context) ([]Epoch, error) {
	list, err := r.epochs(ctx)
	return list, r.explain(ctx, "listing the epochs", err)
}

func (r *Redis) epochs(ctx context.Context) ([]Epoch, error) {
	live, err := r.current(ctx, r.quick)
	if err != nil && !errors.Is(err, ErrNoMap) {
		return nil, err
	}
	ids, err := r.kept(ctx, r.quick)
	if err != nil {
		return nil, err
	}
	var out []Epoch
	for _, id := range ids {
		e, _, err := r.meta(ctx, r.quick, id)
		if errors.Is(err, ErrNoEpoch) {
			continue // pruned meanwhile
		}
		if err != nil {
			return nil, err
		}
		e.Live = id == live
		out = append(out, e)
	}
	return out, nil
}

// kept returns the numbers of the epochs that are kept, newest first.
func (r *Redis) kept(ctx context.Context, c redis.Cmdable) ([]int64, error) {
	names, err := c.ZRevRange(ctx, r.key("epochs"), 0, -1).Result()
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(names))
	for _, name := range names {
		id, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%sepochs holds %q, which is no epoch", r.prefix, name)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// isKept says whether an epoch was published and not pruned since.
func (r *Redis) isKept(ctx context.Context, c redis.Cmdable, id int64) (bool, error) {
	_, err := c.ZScore(ctx, r.key("epochs"), strconv.FormatInt(id, 10)).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
}

// Activate makes a kept epoch live, after a look at its sizes.
func (r *Redis) Activate(ctx context.Context, id int64) (Epoch, error) {
	var e Epoch
	err := r.watching(ctx, r.quick, func(tx *redis.Tx) error {
		kept, err := r.isKept(ctx, tx, id)
		if err != nil {
			return err
		}
		if !kept {
			return noEpoch(id)
		}
		if e, _, err = r.meta(ctx, tx, id); err != nil {
			return err
		}
		if err := r.checkSizes(ctx, tx, e); err != nil {
			return err
		}
		return r.flip(ctx, tx, id)
	}, append(r.epochKeys(id), r.key("epochs"))...)
	if err != nil {
		return Epoch{}, r.explain(ctx, fmt.Sprintf("activating epoch %d", id), err)
	}
	e.Live = true
	return e, nil
}

// flip makes an epoch live, provided that nothing watched has changed.
func (r *Redis) flip(ctx context.Context, tx *redis.Tx, id int64) error {
	name := strconv.FormatInt(id, 10)
	_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, r.key("current"), name, 0)
		p.ZAdd(ctx, r.key("epochs"), redis.Z{Score: float64(id), Member: name})
		p.Publish(ctx, r.key("changed"), name)
		return nil
	})
	return err
}

// checkSizes compares the four tables of an epoch with what its meta says.
func (r *Redis) checkSizes(ctx context.Context, c redis.Cmdable, e Epoch) error {
	var sizes [4]*redis.IntCmd
	if _, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, kind := range mapping.Kinds {
			sizes[kind] = p.HLen(ctx, r.tableKey(e.ID, kind))
		}
		return nil
	}); err != nil {
		return err
	}
	for kind, want := range e.sizes() {
		if got := sizes[kind].Val(); got != int64(want) {
			return fmt.Errorf("epoch %d: %w (%s: %d instead of %d)", e.ID, ErrChecksum, mapping.Kind(kind), got, want)
		}
	}
	return nil
}

// watching runs fn, whose transaction fails when one of the keys changes meanwhile, and
// runs it again when that happened.
func (r *Redis) watching(ctx context.Context, c *redis.Client, fn func(*redis.Tx) error, keys ...string) (err error) {
	for range raceTries {
		if err = c.Watch(ctx, fn, keys...); !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return fmt.Errorf("other publishers kept changing the map: %w", err)
}
