package console

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// longestLine bounds a line of the input, in bytes: no address is as long.
const longestLine = 1 << 20

// ErrLongLine comes with the beginning of a line that is too long.
var ErrLongLine = fmt.Errorf("the line is longer than %d bytes and is no address", longestLine)

// Lines reads lines without their ends. Of a line that is too long it gives the beginning with
// [ErrLongLine], and goes on with the next.
type Lines struct {
	in   *bufio.Reader
	long []byte
}

// NewLines reads from r.
func NewLines(r io.Reader) *Lines { return &Lines{in: bufio.NewReaderSize(r, 64<<10)} }

// Waiting says whether there is more to read without a pause of the input.
func (r *Lines) Waiting() bool { return r.in.Buffered() > 0 }

// Next gives the next line; io.EOF after the last.
func (r *Lines) Next() (string, error) {
	r.long = r.long[:0]
	tooLong := false
	for {
		part, err := r.in.ReadSlice('\n')
		if err == nil && len(r.long) == 0 && !tooLong {
			return string(trimLineEnd(part)), nil
		}
		if tooLong = tooLong || len(r.long)+len(part) > longestLine; !tooLong {
			r.long = append(r.long, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.long) == 0 && !tooLong:
			return "", io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		case tooLong:
			return string(r.long[:min(len(r.long), 200)]), ErrLongLine
		}
		return string(trimLineEnd(r.long)), nil
	}
}

func trimLineEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
