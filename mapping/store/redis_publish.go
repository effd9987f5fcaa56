package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// batchSize is the number of entries in one HSET or HMGET. Larger ones are hardly
// quicker and keep other clients of the Redis waiting: this one takes it half a millisecond.
const batchSize = 500

// batchBytes bounds a batch of large entries: it is read back in one reply.
const batchBytes = 8 << 20

// writers is how many batches are under way at once: one is being put on the wire while
// Redis works on the other.
const writers = 2

// Publish makes m the live map; see [Publisher].
func (r *Redis) Publish(ctx context.Context, m *mapping.Map, planID string, progress func(done, total int)) (Epoch, bool, error) {
	if err := r.Ping(ctx); err != nil {
		return Epoch{}, false, err
	}
	c, err := newContent(m)
	if err != nil {
		return Epoch{}, false, err
	}
	client, release := r.bulk(ctx)
	defer release()
	e, changed, err := r.publish(ctx, client, c, planID, newCounter(len(c.entries), progress))
	return e, changed, r.explain(ctx, "publishing the map", err)
}

func (r *Redis) publish(ctx context.Context, client *redis.Client, c *content, planID string, count *counter) (Epoch, bool, error) {
	if err := r.trust.prepareToSign(); err != nil {
		return Epoch{}, false, err
	}
	if err := r.trust.allow(c.program, func(*mapping.Policy) error { return nil }); err != nil {
		return Epoch{}, false, err
	}
	e := meta{Epoch: c.epoch(planID, time.Now()), policy: c.policy}
	e.Bytes = c.bytes
	live, err := r.live(ctx, client)
	switch {
	case err == nil && live.sizes() == e.sizes() && live.policy == c.policy && live.Checksum == c.checksum() &&
		r.believe(&live) == nil && r.trust.current(live.signature):
		err := r.readBack(ctx, client, live.Epoch, c)
		if err == nil {
			count.finish()
			live.Activated = time.Time{}
			return live.Epoch, false, nil
		}
		if !errors.Is(err, ErrChecksum) {
			return Epoch{}, false, err
		}
		// The live map is damaged: publishing it anew is the repair.
	case err == nil, errors.Is(err, ErrNoMap), refuses(err):
	default:
		return Epoch{}, false, err
	}

	claim, err := r.claim(ctx, client, &e.Epoch)
	if err != nil {
		return Epoch{}, false, err
	}
	defer claim.Close()
	if err := r.sweep(ctx, client, e.ID); err != nil {
		return Epoch{}, false, err
	}
	err = r.write(ctx, client, &e, c, count)
	if err == nil {
		err = r.goLive(ctx, client, &e)
	}
	if err != nil {
		return r.giveUp(ctx, client, claim, e.Epoch, err)
	}
	count.finish()
	e.Live = true
	// The map is live. An epoch too many is no reason to say otherwise: the next publish
	// prunes again.
	_ = r.prune(ctx, client)
	return e.Epoch, true, nil
}

// claim gives e its number. As long as the claim is open nobody takes what is written
// under it for a leftover; Redis ends it by itself when this process dies.
func (r *Redis) claim(ctx context.Context, client *redis.Client, e *Epoch) (*redis.PubSub, error) {
	id, err := client.Incr(ctx, r.key("next")).Result()
	var said redis.Error
	if errors.As(err, &said) {
		return nil, fmt.Errorf("%s does not count (%w): delete it, the numbers then go on from the epochs that are kept", r.key("next"), said)
	}
	if err != nil {
		return nil, err
	}
	// A counter that was lost must not lead back to an epoch that is there. What stands in its
	// place and cannot be read is mended by what is written over it.
	top, err := r.current(ctx, client)
	if err != nil && !errors.Is(err, ErrNoMap) && !refuses(err) {
		return nil, err
	}
	if _, err := r.meta(ctx, client, top); errors.Is(err, ErrNoEpoch) {
		top = 0
	}
	kept, err := r.kept(ctx, client)
	if err != nil && !refuses(err) {
		return nil, err
	}
	for _, k := range kept {
		top = max(top, k)
	}
	if id <= top {
		if id, err = client.IncrBy(ctx, r.key("next"), top-id+1).Result(); err != nil {
			return nil, err
		}
	}
	e.ID = id
	claim := client.Subscribe(ctx, r.writingChannel(id))
	if _, err := claim.ReceiveTimeout(ctx, quickTimeout); err != nil {
		claim.Close()
		return nil, err
	}
	return claim, nil
}

// write puts the entries of c under e, reading each batch back, and then meta with the
// checksum and the signature, which it sets.
func (r *Redis) write(ctx context.Context, client *redis.Client, e *meta, c *content, count *counter) error {
	// Under a number that was given out before (the counter was lost) there may be a
	// leftover. It was never live: claim sees to that.
	if err := client.Unlink(ctx, r.epochKeys(e.ID)...).Err(); err != nil {
		return err
	}
	go c.checksum() // while Redis is at work; it is wanted at the end
	if err := eachBatch(ctx, c, func(ctx context.Context, kind mapping.Kind, batch []mapping.Entry) error {
		key := r.tableKey(e.ID, kind)
		set, get := batchCommands(ctx, key, batch)
		pipe := client.Pipeline()
		_ = pipe.Process(ctx, set)
		_ = pipe.Process(ctx, get)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		if err := compareBatch(get, batch); err != nil {
			return err
		}
		count.add(len(batch))
		return nil
	}); err != nil {
		return err
	}
	e.Checksum = c.checksum()
	e.signature = r.trust.sign(signedMap, r.program, &e.Epoch)
	return client.HSet(ctx, r.metaKey(e.ID), e.fields()).Err()
}

// goLive checks that e is there in full and flips, unless something happens to it
// between the two.
func (r *Redis) goLive(ctx context.Context, client *redis.Client, e *meta) error {
	return r.watching(ctx, client, func(tx *redis.Tx) error {
		got, err := r.meta(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		if !got.same(e.Epoch) || got.policy != e.policy || got.signature != e.signature {
			return fmt.Errorf("epoch %d: %w (meta)", e.ID, ErrChecksum)
		}
		if err := r.checkSizes(ctx, tx, e.Epoch); err != nil {
			return err
		}
		return r.flip(ctx, tx, e)
	}, append(r.epochKeys(e.ID), r.key("activation"))...)
}

// giveUp clears away an epoch that could not be published, as far as Redis lets it, and
// returns why. When only the answer to the flip was lost, the map is live after all.
func (r *Redis) giveUp(ctx context.Context, client *redis.Client, claim *redis.PubSub, e Epoch, why error) (Epoch, bool, error) {
	claim.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), quickTimeout)
	defer cancel()
	if kept, err := r.isKept(ctx, r.quick, e.ID); err == nil && kept {
		e.Live = true
		return e, true, nil
	}
	_ = r.discard(ctx, r.quick, e.ID) // or else the next publish does it
	if errors.Is(why, redis.TxFailedErr) {
		why = fmt.Errorf("epoch %d was changed by somebody else while it was written; publish again", e.ID)
	}
	return Epoch{}, false, why
}

// readBack compares every value of an epoch with c, and the sizes of the tables.
func (r *Redis) readBack(ctx context.Context, client *redis.Client, e Epoch, c *content) error {
	if err := r.checkSizes(ctx, client, e); err != nil {
		return err
	}
	return eachBatch(ctx, c, func(ctx context.Context, kind mapping.Kind, batch []mapping.Entry) error {
		_, get := batchCommands(ctx, r.tableKey(e.ID, kind), batch)
		if err := client.Process(ctx, get); err != nil {
			return err
		}
		return compareBatch(get, batch)
	})
}

// batchCommands returns the commands that write a batch and that read it back.
func batchCommands(ctx context.Context, key string, batch []mapping.Entry) (set *redis.IntCmd, get *redis.RawCmd) {
	setArgs := make([]any, 2, 2+2*len(batch))
	getArgs := make([]any, 2, 2+len(batch))
	setArgs[0], setArgs[1] = "hset", key
	getArgs[0], getArgs[1] = "hmget", key
	for i := range batch {
		// Pointers: a string in an interface would be one allocation each.
		k, v := &batch[i].Key, &batch[i].Value
		setArgs = append(setArgs, k, v)
		getArgs = append(getArgs, k)
	}
	return redis.NewIntCmd(ctx, setArgs...), redis.NewRawCmd(ctx, getArgs...)
}

// compareBatch compares the reply to the reading command with the batch.
func compareBatch(get *redis.RawCmd, batch []mapping.Entry) error {
	raw, err := get.Result()
	if err != nil {
		return err
	}
	values := newReply(raw)
	n, err := values.array()
	if err != nil {
		return err
	}
	if n != len(batch) {
		return fmt.Errorf("%w: %d values for %d keys", ErrReply, n, len(batch))
	}
	for i := range batch {
		v, ok, err := values.text()
		if err != nil {
			return err
		}
		if !ok || v != batch[i].Value {
			return fmt.Errorf("%w: %s %q", ErrChecksum, batch[i].Kind, batch[i].Key)
		}
	}
	return nil
}

// eachBatch hands the entries of c to fn in batches of one table each, from several
// goroutines, and returns the first error.
func eachBatch(ctx context.Context, c *content, fn func(ctx context.Context, kind mapping.Kind, batch []mapping.Entry) error) error {
	var batches [][]mapping.Entry
	for _, table := range c.tables {
		for len(table) > 0 {
			n, bytes := 0, 0
			for n < min(batchSize, len(table)) && bytes < batchBytes {
				bytes += len(table[n].Key) + len(table[n].Value)
				n++
			}
			batches = append(batches, table[:n])
			table = table[n:]
		}
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(batches) {
					return
				}
				if err := fn(ctx, batches[i][0].Kind, batches[i]); err != nil {
					fail(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// counter turns batches that are done in any order into calls of a progress function.
type counter struct {
	mu          sync.Mutex
	done, total int
	report      func(done, total int)
}

func newCounter(total int, report func(done, total int)) *counter {
	return &counter{total: total, report: report}
}

func (c *counter) add(n int) {
	if c.report == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	if c.done < c.total { // the end is reported by finish, when the map is live
		c.report(c.done, c.total)
	}
}

func (c *counter) finish() {
	if c.report != nil {
		c.report(c.total, c.total)
	}
}
