package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"
)

// Replies of thousands of strings are read raw and cut up in place: the client would
// allocate each string by itself.

// reply is an array reply of the Redis protocol (RESP 2 or 3), read from its start.
type reply struct {
	rest string
}

// array reads the header of an array and returns its length.
func (r *reply) array() (int, error) { return r.header('*') }

// text reads one bulk string; ok is false when Redis has no such value.
func (r *reply) text() (s string, ok bool, err error) {
	if rest, null := strings.CutPrefix(r.rest, "_\r\n"); null {
		r.rest = rest
		return "", false, nil
	}
	n, err := r.header('$')
	if err != nil || n < 0 {
		return "", false, err
	}
	if len(r.rest) < n+2 {
		return "", false, fmt.Errorf("%w: it ends early", ErrReply)
	}
	s, r.rest = r.rest[:n], r.rest[n+2:]
	return s, true, nil
}

func (r *reply) header(kind byte) (int, error) {
	line, rest, ok := strings.Cut(r.rest, "\r\n")
	if ok && strings.HasPrefix(line, "-") {
		return 0, errors.New(line[1:]) // Redis' own words
	}
	if !ok || line == "" || line[0] != kind {
		return 0, fmt.Errorf("%w: %.40q", ErrReply, line)
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil {
		return 0, fmt.Errorf("%w: %.40q", ErrReply, line)
	}
	r.rest = rest
	return n, nil
}

// newReply reads raw without copying it: raw must not change afterwards.
func newReply(raw []byte) *reply {
	return &reply{unsafe.String(unsafe.SliceData(raw), len(raw))}
}
