package click

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping/book"
)

// maxStream bounds the entries of one gateway's stream. Beyond it clicks wait in the
// spool on the gateway's own disk, which is larger than Redis's memory.
const maxStream = 500_000

// collectBatch is how many entries are taken from a stream at once.
const collectBatch = 1000

// Stream carries clicks of gateways without a book to the one that has it. On the wire
// at least once; the book makes it exactly once.
type Stream struct {
	client *redis.Client
	prefix string // "carryover:{<program>}:"
}

// OpenStream prepares for the Redis at rawURL, without asking it anything. program is
// the name that the keys carry.
func OpenStream(rawURL, program string) (*Stream, error) {
	o, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, errors.New("the Redis address for clicks is not understood: write redis://[user:password@]host[:port][/db]")
	}
	// A pass that fails is simply tried again a second later.
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, 5*time.Second, 5*time.Second
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.PoolSize, o.PipelinePoolSize = 2, -1
	return &Stream{client: redis.NewClient(o), prefix: "carryover:{" + program + "}:"}, nil
}

// Close lets go of the connections.
func (s *Stream) Close() error { return s.client.Close() }

func (s *Stream) key(node string) string { return s.prefix + "clicks:" + node }

// nodesKey is a set of the nodes that have a stream, so that nobody must scan for them.
func (s *Stream) nodesKey() string { return s.prefix + "click_nodes" }

// Send adds clicks, all of one node, to that node's stream. It returns when Redis has
// acknowledged all of them; after an error some may be there, and all of them are sent again.
func (s *Stream) Send(ctx context.Context, clicks []book.Click) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	key := s.key(clicks[0].Node)
	n, err := s.client.XLen(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("shipping clicks: %w", err)
	}
	if n+int64(len(clicks)) > maxStream {
		return fmt.Errorf("shipping clicks: %s holds %d already and nobody collects them: is the gateway with the book running?", key, n)
	}
	for len(clicks) > 0 {
		part := clicks[:min(len(clicks), collectBatch)]
		clicks = clicks[len(part):]
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.SAdd(ctx, s.nodesKey(), part[0].Node)
			for i := range part {
				p.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []any{"seq", part[i].Seq, "click", Append(nil, &part[i])}})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("shipping clicks: %w", err)
		}
	}
	return nil
}

// Collect moves what all nodes have sent from the streams to b. Entries that cannot be read
// stay where they are; the error names them.
func (s *Stream) Collect(ctx context.Context, b *book.Book) (added int, err error) {
	nodes, err := s.client.SMembers(ctx, s.nodesKey()).Result()
	if err != nil {
		return 0, fmt.Errorf("collecting clicks: %w", err)
	}
	var errs []error
	for _, node := range nodes {
		n, err := s.collect(ctx, b, node)
		added += n
		if err != nil {
			errs = append(errs, fmt.Errorf("collecting the clicks of %s: %w", node, err))
		}
	}
	return added, errors.Join(errs...)
}

func (s *Stream) collect(ctx context.Context, b *book.Book, node string) (added int, err error) {
	key, from := s.key(node), "-"
	var unreadable error
	for {
		entries, err := s.client.XRangeN(ctx, key, from, "+", collectBatch).Result()
		if err != nil || len(entries) == 0 {
			return added, errors.Join(unreadable, err)
		}
		from = "(" + entries[len(entries)-1].ID
		clicks, ids := make([]book.Click, 0, len(entries)), make([]string, 0, len(entries))
		for _, e := range entries {
			c, err := decodeEntry(node, e.Values)
			if err != nil {
				unreadable = fmt.Errorf("entry %s of %s: %w", e.ID, key, err)
				continue
			}
			clicks, ids = append(clicks, c), append(ids, e.ID)
		}
		n, err := b.AddClicks(ctx, clicks)
		added += n
		if err == nil && len(ids) > 0 {
			err = s.client.XDel(ctx, key, ids...).Err()
		}
		if err != nil {
			return added, errors.Join(unreadable, err)
		}
		if len(entries) < collectBatch {
			return added, unreadable
		}
	}
}

func decodeEntry(node string, values map[string]any) (book.Click, error) {
	text, _ := values["seq"].(string)
	body, _ := values["click"].(string)
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return book.Click{}, errCodec
	}
	c, err := Decode([]byte(body))
	if err != nil {
		return book.Click{}, err
	}
	if c.Verdict == "" {
		return book.Click{}, errCodec
	}
	c.Node, c.Seq = node, seq
	return c, nil
}
