package store

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// sweepBack is how many numbers before its own a publisher searches for leftovers.
const sweepBack = 256

// sweep removes what killed publishers left behind: numbers before id that never went
// live and that nobody is writing.
func (r *Redis) sweep(ctx context.Context, client *redis.Client, id int64) error {
	kept, err := r.kept(ctx, client)
	if err != nil && !refuses(err) {
		return err
	}
	published := map[int64]bool{}
	for _, k := range kept {
		published[k] = true
	}
	found := map[int64]*redis.IntCmd{}
	if _, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for n := max(1, id-sweepBack); n < id; n++ {
			if !published[n] {
				found[n] = p.Exists(ctx, r.epochKeys(n)...)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for n, exists := range found {
		if exists.Val() == 0 {
			continue
		}
		channel := r.writingChannel(n)
		listeners, err := client.PubSubNumSub(ctx, channel).Result()
		if err != nil {
			return err
		}
		if listeners[channel] > 0 {
			continue // another publisher is at it
		}
		if err := r.discard(ctx, client, n); err != nil {
			return err
		}
	}
	return nil
}

// discard removes an epoch that never went live, and leaves one alone that did.
func (r *Redis) discard(ctx context.Context, client *redis.Client, id int64) error {
	return r.remove(ctx, client, id, "unpublished")
}

// prune removes all but the newest epochs and the live one.
func (r *Redis) prune(ctx context.Context, client *redis.Client) error {
	kept, err := r.kept(ctx, client)
	if err != nil && !refuses(err) {
		return err
	}
	for _, id := range kept[min(Keep, len(kept)):] {
		if err := r.remove(ctx, client, id, "published"); err != nil {
			return err
		}
	}
	return nil
}

// removeScript takes an epoch away whole unless it is live, or, when only an unpublished
// one is meant, was published. It is a script because the question and the removal must
// be one step, and because a full Redis refuses transactions, even those that free
// memory. UNLINK does that in the background.
var removeScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
if ARGV[2] == 'unpublished' and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('UNLINK', unpack(KEYS, 3))
return 1`)

func (r *Redis) remove(ctx context.Context, client *redis.Client, id int64, which string) error {
	keys := append([]string{r.key("current"), r.key("epochs")}, r.epochKeys(id)...)
	return wrongType(removeScript.Run(ctx, client, keys, strconv.FormatInt(id, 10), which).Err(), r.key("epochs"))
}
