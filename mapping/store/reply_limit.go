package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// ErrReply says that what came from a Redis is no answer that one gives, or larger than any that
// is asked for. The client makes room for what a length says before anything has come, and goes
// as deep into arrays as they are nested: so lengths are looked at before it sees them.
var ErrReply = errors.New("no answer of a Redis that can be taken")

// Limits of one reply. Two thousand entries of a map are half a megabyte, a thousand clicks ten.
const (
	maxBulk     = 4 << 20  // bytes of one string
	maxReply    = 32 << 20 // bytes of all
	maxElements = 1 << 18  // of all arrays together
	maxNested   = 8        // arrays within arrays
	maxLine     = 64 << 10 // bytes of a line: a status, an error, a number, a length
)

// RedisOptions reads a Redis URL, as [OpenRedis] takes it, into options whose connections give
// replies within limits, in RESP 2: no reply is larger than 32 MB. No error repeats the URL's
// password, also not one that the Redis sends.
func RedisOptions(rawURL string) (*redis.Options, error) {
	opt, err := parseAddress(rawURL)
	if err != nil {
		return nil, err
	}
	useClientLog()
	opt.Protocol = 2 // no pushes, and five kinds of reply
	dial := redis.NewDialer(opt)
	opt.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		limited := &limitedConn{Conn: conn}
		limited.replies.hide = []byte(opt.Password)
		if sys, ok := conn.(syscall.Conn); ok {
			return &limitedSysConn{limited, sys}, nil
		}
		return limited, nil
	}
	return opt, nil
}

// limitedConn lets replies pass that are within the limits, and fails for good with the first
// that is not.
type limitedConn struct {
	net.Conn
	replies replyScanner
}

// limitedSysConn is a limitedConn whose pool can see whether its peer has hung up.
type limitedSysConn struct {
	*limitedConn
	syscall.Conn
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.replies.failed != nil {
		return 0, c.replies.failed
	}
	n, err := c.Conn.Read(p)
	if bad := c.replies.scan(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

// replyScanner follows the replies on a connection: where the next length stands, and how much
// the reply at hand comes to so far.
type replyScanner struct {
	failed   error
	hide     []byte // the password: an error that repeats it ("unknown command, with args beginning with") has asterisks there
	line     []byte // the beginning of a line that goes on in the next read
	skip     int    // bytes of a string that are still to come, with its line end
	open     [maxNested]int
	depth    int // arrays that are not complete; open holds what each lacks
	bytes    int
	elements int
}

func (s *replyScanner) scan(b []byte) error {
	for len(b) > 0 && s.failed == nil {
		if s.skip > 0 {
			n := min(s.skip, len(b))
			s.skip, b = s.skip-n, b[n:]
			if s.skip == 0 {
				s.complete()
			}
			continue
		}
		end := bytes.IndexByte(b, '\n')
		part := b
		if end >= 0 {
			part = b[:end+1]
		}
		line := part
		if len(s.line) > 0 || end < 0 {
			s.line = append(s.line, part...)
			line = s.line
		}
		if len(line) > maxLine {
			return s.fail("a line of more than %d bytes: %.40q", maxLine, line)
		}
		if end < 0 {
			return nil
		}
		b = b[end+1:]
		s.readLine(line)
		s.line = s.line[:0]
	}
	return s.failed
}

// readLine takes a whole line, which begins a reply or an element of one.
func (s *replyScanner) readLine(line []byte) {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		s.fail("%.40q: this is no Redis", line)
		return
	}
	kind, text := line[0], line[1:len(line)-2]
	s.count(len(line), 0)
	switch kind {
	case '-':
		for i := s.secretAt(text); i >= 0; i = s.secretAt(text) {
			copy(text[i:], bytes.Repeat([]byte("*"), len(s.hide)))
		}
		s.complete()
	case '+', ':':
		s.complete()
	case '$', '*':
		n, ok := parseLength(text)
		switch {
		case !ok:
			s.fail("it says a length of %.40q", text)
		case kind == '$' && n > maxBulk:
			s.fail("it says a string of %d bytes, and none that is asked for has more than %d", n, maxBulk)
		case kind == '*' && n > maxElements:
			s.fail("it says an array of %d elements, and none that is asked for has more than %d", n, maxElements)
		case n < 0 || kind == '*' && n == 0:
			s.complete()
		case kind == '$':
			s.skip = int(n) + 2
			s.count(s.skip, 0)
		case s.depth == maxNested:
			s.fail("arrays in arrays, more than %d deep", maxNested)
		default:
			s.open[s.depth] = int(n)
			s.depth++
			s.count(0, int(n))
		}
	default:
		s.fail("%.40q: this is no Redis", line)
	}
}

// secretAt is where in text the password stands; -1: nowhere. A line that comes in two reads is
// not searched: no Redis sends one so.
func (s *replyScanner) secretAt(text []byte) int {
	if len(bytes.Trim(s.hide, "*")) < 4 { // would stand in any sentence
		return -1
	}
	return bytes.Index(text, s.hide)
}

// parseLength reads digits, or -1 for nothing; a number that is too long for any is a large one.
func parseLength(text []byte) (n int64, ok bool) {
	if string(text) == "-1" {
		return -1, true
	}
	if len(text) == 0 || len(bytes.Trim(text, "0123456789")) > 0 {
		return 0, false
	}
	n, _ = strconv.ParseInt(string(text), 10, 64) // out of range: the largest
	return n, true
}

// complete ends an element, and the arrays whose last one it was.
func (s *replyScanner) complete() {
	for s.depth > 0 {
		if s.open[s.depth-1]--; s.open[s.depth-1] > 0 {
			return
		}
		s.depth--
	}
	s.bytes, s.elements = 0, 0 // the next reply begins
}

func (s *replyScanner) count(bytes, elements int) {
	s.bytes, s.elements = s.bytes+bytes, s.elements+elements
	switch {
	case s.bytes > maxReply:
		s.fail("one of more than %d bytes", maxReply)
	case s.elements > maxElements:
		s.fail("one of more than %d elements", maxElements)
	}
}

func (s *replyScanner) fail(format string, args ...any) error {
	s.failed = fmt.Errorf("%w: %s", ErrReply, fmt.Sprintf(format, args...))
	return s.failed
}
