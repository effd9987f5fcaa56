package click

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping/book"
	"carryover/mapping/store"
)

// Bounds of one pass over the streams, so that no node holds up the others.
const (
	collectBatch   = 1000     // entries that are taken from a stream at once
	collectBatches = 50       // of one node
	collectNodes   = 1000     // nodes, about
	maxStreamClick = 16 << 10 // bytes of an entry; what gateways send has at most half of that
	keepRefused    = 10_000   // refused entries that are kept
	lookAgainAfter = 60       // passes until entries that stay are looked at again
)

// position is how far a node's stream was read. What was read and is still there was written by a
// newer carryover, or by one with another secret: this one, as it runs, does not take it later
// either, so it is not read every time.
type position struct {
	after  string // id of the last entry that was read; empty: the next read begins at the start
	stay   int    // entries that stay
	why    error  // of the first of them
	passes int
}

// batch is what the entries of one read are.
type batch struct {
	clicks  []book.Click
	done    []string // ids of entries that leave the stream
	refused []refusal
	stay    int
	why     error // of the first that stays
}

// refusal is an entry that no gateway of this program can have made.
type refusal struct {
	entry redis.XMessage
	why   error
}

// Collect moves what all nodes have sent from the streams to b. What no gateway of this program
// can have made is refused: see [Stream.Refused]. Entries that a newer carryover wrote, or one with
// another secret, stay where they are; the error names them. Neither holds up the others. Calls do
// not overlap.
func (s *Stream) Collect(ctx context.Context, b *book.Book) (added int, err error) {
	nodes, cursor, err := s.client.SScan(ctx, s.nodesKey(), s.cursor, "", collectNodes).Result()
	if err != nil {
		return 0, fmt.Errorf("collecting clicks: %s: %w", s.nodesKey(), err)
	}
	s.cursor = cursor
	slices.Sort(nodes)
	var errs []error
	for _, node := range slices.Compact(nodes) {
		if !IsNode(node) {
			s.refuse(1, fmt.Errorf("%s holds %.40q, which is no name of a gateway", s.nodesKey(), node))
			if err := s.client.SRem(ctx, s.nodesKey(), node).Err(); err != nil {
				return added, fmt.Errorf("collecting clicks: %w", err)
			}
			continue
		}
		n, err := s.collect(ctx, b, node)
		added += n
		if err != nil && len(errs) < 10 { // the others fail alike
			errs = append(errs, fmt.Errorf("collecting the clicks of %s: %w", node, err))
		}
	}
	return added, errors.Join(errs...)
}

// Refused is how many entries of the streams were refused since the start, and why the newest was.
// The newest are kept in the stream "clicks_refused" for a person to look at.
func (s *Stream) Refused() (n uint64, why error) {
	if p := s.refusal.Load(); p != nil {
		why = *p
	}
	return s.refused.Load(), why
}

func (s *Stream) refuse(n int, why error) {
	s.refused.Add(uint64(n))
	s.refusal.Store(&why)
}

func (s *Stream) collect(ctx context.Context, b *book.Book, node string) (added int, err error) {
	key, place := s.key(node), s.place(node)
	for range collectBatches {
		entries, err := s.read(ctx, key, place.after)
		if err != nil {
			return added, errors.Join(place.told(key), err)
		}
		found := s.sift(node, entries)
		n, err := b.AddClicks(ctx, found.clicks)
		added += n
		if err == nil {
			err = s.remove(ctx, node, &found)
		}
		if err != nil {
			return added, errors.Join(place.told(key), err)
		}
		if place.stay += found.stay; place.why == nil {
			place.why = found.why
		}
		if len(entries) < collectBatch {
			if len(entries) > 0 {
				place.after = entries[len(entries)-1].ID
			}
			break
		}
		place.after = entries[len(entries)-1].ID
	}
	return added, place.told(key)
}

func (s *Stream) place(node string) *position {
	p := s.places[node]
	if p == nil {
		p = &position{}
		s.places[node] = p
	}
	if p.passes++; p.passes%lookAgainAfter == 0 {
		*p = position{} // ids begin again when Redis lost its data and its clock was set back
	}
	return p
}

func (p *position) told(key string) error {
	if p.why == nil {
		return nil
	}
	return fmt.Errorf("%d entries of %s stay there: %w", p.stay, key, p.why)
}

// read gives the next entries of a stream. When they are larger than any answer may be, those that
// are larger than any click are taken out by Redis itself.
func (s *Stream) read(ctx context.Context, key, after string) ([]redis.XMessage, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	entries, err := s.client.XRangeN(ctx, key, from, "+", collectBatch).Result()
	if !errors.Is(err, store.ErrReply) {
		return entries, err
	}
	large, err := largeScript.Run(ctx, s.client, []string{key}, from, collectBatch, maxStreamClick).StringSlice()
	if err != nil {
		return nil, err
	}
	if len(large) > 0 {
		s.refuse(len(large), fmt.Errorf("entry %.40q of %s has more than %d bytes", large[0], key, maxStreamClick))
	}
	return s.client.XRangeN(ctx, key, from, "+", collectBatch).Result()
}

var largeScript = redis.NewScript(`
local large = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  local size = 0
  for _, text in ipairs(entry[2]) do size = size + #text end
  if size > tonumber(ARGV[3]) then
    redis.call('XDEL', KEYS[1], entry[1])
    large[#large + 1] = entry[1]
  end
end
return large`)

// sift tells clicks from what is none.
func (s *Stream) sift(node string, entries []redis.XMessage) (b batch) {
	for _, e := range entries {
		c, err := s.decodeEntry(node, e.Values)
		switch {
		case errors.Is(err, errNewer), errors.Is(err, errOtherSecret):
			if b.stay++; b.why == nil {
				b.why = fmt.Errorf("entry %.40s: %w", e.ID, err)
			}
		case err != nil:
			b.refused, b.done = append(b.refused, refusal{e, err}), append(b.done, e.ID)
		default:
			b.clicks, b.done = append(b.clicks, c), append(b.done, e.ID)
		}
	}
	return b
}

// remove takes out of the stream what is done with, and keeps what was refused.
func (s *Stream) remove(ctx context.Context, node string, b *batch) error {
	if len(b.done) == 0 {
		return nil
	}
	if _, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, r := range b.refused {
			values := []any{"node", node, "id", r.entry.ID, "why", r.why.Error()}
			for _, name := range []string{"seq", "click", "sig"} {
				if text, ok := r.entry.Values[name].(string); ok {
					values = append(values, name, text[:min(len(text), maxStreamClick)])
				}
			}
			p.XAdd(ctx, &redis.XAddArgs{Stream: s.prefix + "clicks_refused", MaxLen: keepRefused, Approx: true, Values: values})
		}
		p.XDel(ctx, s.key(node), b.done...)
		return nil
	}); err != nil {
		return err
	}
	if n := len(b.refused); n > 0 {
		s.refuse(n, fmt.Errorf("entry %.40s of %s: %w", b.refused[n-1].entry.ID, s.key(node), b.refused[n-1].why))
	}
	return nil
}

func (s *Stream) decodeEntry(node string, values map[string]any) (book.Click, error) {
	text, _ := values["seq"].(string)
	body, _ := values["click"].(string)
	sum, _ := values["sig"].(string)
	seq, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || seq <= 0:
		return book.Click{}, fmt.Errorf("its number is %.40q", text)
	case len(body) > maxStreamClick:
		return book.Click{}, fmt.Errorf("it has %d bytes", len(body))
	}
	if err := s.verify(sum, node, seq, []byte(body)); err != nil {
		return book.Click{}, err
	}
	c, err := Decode([]byte(body))
	if err != nil {
		return book.Click{}, err
	}
	c.Node, c.Seq = node, seq
	now := time.Now()
	if s.now != nil && s.now().After(now) { // a rehearsal
		now = s.now()
	}
	return c, checkClick(&c, now)
}

// IsNode reports whether name can be that of a gateway: up to 64 ASCII letters, digits, dots,
// hyphens and underscores. It stands in click ids, in cookies and in keys of Redis.
func IsNode(name string) bool {
	return name != "" && len(name) <= 64 &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""
}
