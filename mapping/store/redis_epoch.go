package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// meta is what is written about an epoch in Redis.
type meta struct {
	Epoch
	policy    string // JSON
	signature string
}

// metaNames are the fields of an epoch's meta hash; no other is read.
var metaNames = []string{"links", "partners", "ids", "paths", "bytes", "checksum", "policy", "plan_id", "published_at", "signature"}

func (m *meta) fields() map[string]string {
	return map[string]string{
		"links": strconv.Itoa(m.Links), "partners": strconv.Itoa(m.Partners),
		"ids": strconv.Itoa(m.IDs), "paths": strconv.Itoa(m.Paths), "bytes": strconv.FormatInt(m.Bytes, 10),
		"checksum": m.Checksum, "policy": m.policy, "plan_id": m.PlanID,
		"published_at": m.PublishedAt.Format(time.RFC3339), "signature": m.signature,
	}
}

// parseMeta is the inverse of [meta.fields]. Each value is held to its form: the numbers say how
// much is read, and the texts are shown to people.
func parseMeta(id int64, fields map[string]string) (meta, error) {
	bad := func(name string) (meta, error) {
		return meta{}, fmt.Errorf("epoch %d: %w (meta: %s is %.40q)", id, ErrChecksum, name, fields[name])
	}
	m := meta{policy: fields["policy"], signature: fields["signature"]}
	m.ID, m.PlanID, m.Checksum = id, fields["plan_id"], fields["checksum"]
	for name, n := range map[string]*int{"links": &m.Links, "partners": &m.Partners, "ids": &m.IDs, "paths": &m.Paths} {
		v, err := strconv.Atoi(fields[name])
		if err != nil || v < 0 || v > maxEntries {
			return bad(name)
		}
		*n = v
	}
	var err error
	if m.Bytes, err = strconv.ParseInt(fields["bytes"], 10, 64); err != nil || m.Bytes < 0 || m.Bytes > maxBytes {
		return bad("bytes")
	}
	if m.PublishedAt, err = time.Parse(time.RFC3339, fields["published_at"]); err != nil {
		return bad("published_at")
	}
	m.PublishedAt = m.PublishedAt.UTC()
	if len(m.Checksum) != 64 || strings.Trim(m.Checksum, "0123456789abcdef") != "" {
		return bad("checksum")
	}
	if len(m.PlanID) > 200 || strings.ContainsFunc(m.PlanID, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return bad("plan_id")
	}
	return m, nil
}

// parseEpoch reads the number of an epoch as Redis.flip writes it.
func parseEpoch(name string) (id int64, ok bool) {
	id, err := strconv.ParseInt(name, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == name
}

// current returns the number of the live epoch, or [ErrNoMap].
func (r *Redis) current(ctx context.Context, c redis.Cmdable) (int64, error) {
	name, err := c.Get(ctx, r.key("current")).Result()
	if errors.Is(err, redis.Nil) {
		return 0, ErrNoMap
	}
	if err != nil {
		return 0, wrongType(err, r.key("current"))
	}
	id, ok := parseEpoch(name)
	if !ok {
		return 0, fmt.Errorf("%w: %s is %.40q, which is no epoch; \"carryover map publish\" mends it", ErrForeign, r.key("current"), name)
	}
	return id, nil
}

// wrongType says of a key what Redis says without naming it.
func wrongType(err error, key string) error {
	if err != nil && strings.Contains(err.Error(), "WRONGTYPE") {
		return fmt.Errorf("%w: %s is of another type than carryover writes there (something else uses the name): "+
			"delete it, then \"carryover map publish\"", ErrForeign, key)
	}
	return err
}

// asker is a client, or a transaction of one.
type asker interface {
	redis.Cmdable
	Process(ctx context.Context, cmd redis.Cmder) error
}

// meta reads what is written about an epoch, or fails with [ErrNoEpoch].
func (r *Redis) meta(ctx context.Context, c asker, id int64) (meta, error) {
	args := []any{"hmget", r.metaKey(id)}
	for _, name := range metaNames {
		args = append(args, name)
	}
	get := redis.NewStringSliceCmd(ctx, args...) // that of HMGet takes a number for the length of an array
	if err := c.Process(ctx, get); err != nil {
		return meta{}, wrongType(err, r.metaKey(id))
	}
	values := get.Val()
	if len(values) != len(metaNames) {
		return meta{}, fmt.Errorf("%w: %d values for %d fields of %s", ErrReply, len(values), len(metaNames), r.metaKey(id))
	}
	fields := map[string]string{}
	for i, text := range values {
		if text != "" {
			fields[metaNames[i]] = text
		}
	}
	if len(fields) == 0 {
		return meta{}, noEpoch(id)
	}
	return parseMeta(id, fields)
}

// believe says why an epoch is not believed, before any of its tables is read.
func (r *Redis) believe(m *meta) error {
	err := r.trust.verify(signedMap, r.program, &m.Epoch, m.signature)
	if err == nil {
		err = r.trust.allowPolicy(m.policy)
	}
	if err != nil {
		return fmt.Errorf("epoch %d: %w", m.ID, err)
	}
	return nil
}

func noEpoch(id int64) error { return fmt.Errorf("epoch %d: %w", id, ErrNoEpoch) }

// live returns the live epoch as it is written about, or [ErrNoMap].
func (r *Redis) live(ctx context.Context, c asker) (m meta, err error) {
	// The epoch may be pruned between the two questions: then another one is live.
	for range raceTries {
		var id int64
		if id, err = r.current(ctx, c); err != nil {
			return meta{}, err
		}
		if m, err = r.meta(ctx, c, id); errors.Is(err, ErrNoEpoch) {
			continue
		}
		if m.Live = true; err != nil {
			return m, err
		}
		if m.Activated, err = r.activated(ctx, c, &m); !errors.Is(err, ErrSignature) {
			return m, err
		}
	}
	if errors.Is(err, ErrSignature) {
		return meta{}, err
	}
	return meta{}, fmt.Errorf("%w: %w, though it is the live one", ErrChecksum, err)
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
		m, err := r.meta(ctx, r.quick, id)
		switch {
		case errors.Is(err, ErrNoEpoch):
			continue // pruned meanwhile
		case err != nil && !refuses(err):
			return nil, err
		case err == nil:
			if err = r.believe(&m); err == nil && id == live {
				if _, err = r.activated(ctx, r.quick, &m); err != nil && !refuses(err) {
					return nil, err
				}
			}
		}
		if m.ID, m.Live = id, id == live; err != nil {
			m.Refused = err.Error()
		}
		out = append(out, m.Epoch)
	}
	return out, nil
}

// maxKept bounds how many epochs are looked at: far more than [Keep].
const maxKept = 1000

// kept returns the numbers of the epochs that are kept, newest first, also with an [ErrChecksum].
func (r *Redis) kept(ctx context.Context, c redis.Cmdable) ([]int64, error) {
	names, err := c.ZRevRange(ctx, r.key("epochs"), 0, maxKept-1).Result()
	if err != nil {
		return nil, wrongType(err, r.key("epochs"))
	}
	ids := make([]int64, 0, len(names))
	var odd error
	for _, name := range names {
		id, ok := parseEpoch(name)
		if !ok {
			odd = fmt.Errorf("%w: %s holds %.40q, which is no epoch: something else wrote it; take it out with ZREM",
				ErrForeign, r.key("epochs"), name)
			continue
		}
		ids = append(ids, id)
	}
	return ids, odd
}

// isKept says whether an epoch was published and not pruned since.
func (r *Redis) isKept(ctx context.Context, c redis.Cmdable, id int64) (bool, error) {
	_, err := c.ZScore(ctx, r.key("epochs"), strconv.FormatInt(id, 10)).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, wrongType(err, r.key("epochs"))
}

// Activate makes a kept epoch live, when it is one that is believed, after a look at its sizes.
func (r *Redis) Activate(ctx context.Context, id int64) (Epoch, error) {
	var e meta
	err := r.watching(ctx, r.quick, func(tx *redis.Tx) error {
		kept, err := r.isKept(ctx, tx, id)
		if err != nil {
			return err
		}
		if !kept {
			return noEpoch(id)
		}
		if e, err = r.meta(ctx, tx, id); err != nil {
			return err
		}
		if err := r.believe(&e); err != nil {
			return err
		}
		if err := r.checkSizes(ctx, tx, e.Epoch); err != nil {
			return err
		}
		return r.flip(ctx, tx, &e)
	}, append(r.epochKeys(id), r.key("epochs"), r.key("activation"))...)
	if err != nil {
		return Epoch{}, r.explain(ctx, fmt.Sprintf("activating epoch %d", id), err)
	}
	e.Live = true
	return e.Epoch, nil
}

// flip makes an epoch live, provided that nothing watched has changed, the activation among it.
func (r *Redis) flip(ctx context.Context, tx *redis.Tx, e *meta) error {
	next, err := r.activate(ctx, tx, e)
	if err != nil {
		return err
	}
	name := strconv.FormatInt(e.ID, 10)
	_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, r.key("current"), name, 0)
		p.Set(ctx, r.key("activation"), next, 0)
		p.ZAdd(ctx, r.key("epochs"), redis.Z{Score: float64(e.ID), Member: name})
		p.Publish(ctx, r.key("changed"), name)
		return nil
	})
	return wrongType(err, r.key("epochs"))
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
		return wrongType(err, "a table of epoch "+strconv.FormatInt(e.ID, 10))
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
