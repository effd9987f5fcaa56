package click

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping/book"
	"carryover/mapping/store"
)

// maxStream bounds the entries of one gateway's stream. Beyond it clicks wait in the
// spool on the gateway's own disk, which is larger than Redis's memory.
const maxStream = 500_000

// Stream carries clicks of gateways without a book to the one that has it. On the wire
// at least once; the book makes it exactly once.
type Stream struct {
	client *redis.Client
	prefix string // "carryover:{<program>}:"
	keys   [][]byte
	now    func() time.Time // of the drainer; nil: time.Now

	cursor  uint64               // where the next pass goes on among the nodes
	places  map[string]*position // by node
	refused atomic.Uint64
	refusal atomic.Pointer[error] // why the newest was refused
}

// OpenStream prepares for the Redis at rawURL, without asking it anything. program is
// the name that the keys carry.
func OpenStream(rawURL, program string) (*Stream, error) {
	o, err := store.RedisOptions(rawURL)
	if err != nil {
		return nil, err
	}
	// A pass that fails is simply tried again a second later.
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, 5*time.Second, 5*time.Second
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.PoolSize, o.PipelinePoolSize = 2, -1
	return &Stream{client: redis.NewClient(o), prefix: "carryover:{" + program + "}:", places: map[string]*position{}}, nil
}

// Sign makes the stream sign what it sends with the first key, and take only what one of keys
// signed: whoever else can write to Redis adds no clicks. It is called before the stream is used.
func (s *Stream) Sign(keys ...[]byte) { s.keys = keys }

// signature is what says which key signed, without telling anything about it, and 16 bytes of
// HMAC-SHA256 over what names the click, and the click.
func signature(key []byte, node string, seq int64, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "carryover click 1 %q %d ", node, seq)
	mac.Write(body)
	return append(clickKeyID(key), mac.Sum(nil)[:signatureSize]...)
}

func clickKeyID(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("carryover click key id "), key...))
	return sum[:4:4]
}

// errOtherSecret is a click that was signed with a secret that is not this gateway's. It stays
// until the machines share one: most likely it is as good as any.
var errOtherSecret = errors.New("it is signed with another secret than this machine's: set CARRYOVER_SECRET to one text on all " +
	"machines of the program")

// verify says why the signature of a click is not believed.
func (s *Stream) verify(sum, node string, seq int64, body []byte) error {
	if len(s.keys) == 0 {
		return nil
	}
	for _, key := range s.keys {
		if strings.HasPrefix(sum, string(clickKeyID(key))) {
			if hmac.Equal([]byte(sum), signature(key, node, seq, body)) {
				return nil
			}
			return errors.New("it is not signed with the program's secret, or was changed since")
		}
	}
	if len(sum) != 4+signatureSize {
		return errors.New("it is not signed with the program's secret")
	}
	return errOtherSecret
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
				body := Append(nil, &part[i])
				values := []any{"seq", part[i].Seq, "click", body}
				if len(s.keys) > 0 {
					values = append(values, "sig", signature(s.keys[0], part[i].Node, part[i].Seq, body))
				}
				p.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: values})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("shipping clicks: %w", err)
		}
	}
	return nil
}
