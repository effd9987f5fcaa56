package click

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"carryover/mapping/book"
)

// The stored form of a click, in the spool and on the stream: a version byte, then
// numbers as varints and strings with their length before them. Node and Seq are kept
// beside it. A form is never changed, only added.
const codecVersion = 1

var errCodec = errors.New("not the stored form of a click")

// errNewer is the errCodec of a form that a newer carryover may have written.
var errNewer = fmt.Errorf("%w", errCodec)

// Bits of the flags number.
const (
	flagMiss = 1 << iota
	flagExpired
)

// Append appends the stored form of c to dst. It copies every string.
func Append(dst []byte, c *book.Click) []byte {
	dst = append(dst, codecVersion)
	dst = binary.AppendVarint(dst, c.At.UnixMilli())
	var flags uint64
	if c.Miss {
		flags |= flagMiss
	}
	if c.Expired {
		flags |= flagExpired
	}
	dst = binary.AppendUvarint(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(c.Signals))
	dst = binary.AppendVarint(dst, c.Epoch)
	dst = binary.AppendVarint(dst, int64(c.Rules))
	for _, s := range [...]string{
		c.Host, c.Path, c.Params, c.Outcome, c.Token, c.Link, c.Ad, c.Referrer, c.UserAgent, c.Visitor, c.Verdict, c.Reason,
	} {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return dst
}

// Decode reads what [Append] wrote. Its strings are copies. A form of a newer version is
// an error, never a guess.
func Decode(src []byte) (book.Click, error) {
	var c book.Click
	if len(src) == 0 {
		return c, errCodec
	}
	if src[0] != codecVersion {
		return c, fmt.Errorf("%w of version %d: it was written by another carryover", errNewer, src[0])
	}
	r := reader{rest: src[1:]}
	c.At = time.UnixMilli(r.varint()).UTC()
	flags := r.uvarint()
	c.Miss, c.Expired = flags&flagMiss != 0, flags&flagExpired != 0
	c.Signals = uint32(r.uvarint())
	c.Epoch = r.varint()
	c.Rules = int(r.varint())
	for _, s := range [...]*string{
		&c.Host, &c.Path, &c.Params, &c.Outcome, &c.Token, &c.Link, &c.Ad, &c.Referrer, &c.UserAgent, &c.Visitor, &c.Verdict, &c.Reason,
	} {
		*s = r.string()
	}
	if r.bad || len(r.rest) > 0 {
		return book.Click{}, errCodec
	}
	return c, nil
}

// reader takes values off the front of rest; bad stays true after the first that is not there.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) advance(n int) {
	if n <= 0 {
		r.bad, n = true, 0
	}
	r.rest = r.rest[n:]
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.advance(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.advance(n)
	return v
}

func (r *reader) string() string {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
