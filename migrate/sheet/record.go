package sheet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// recordLimit is the longest record that is read, in bytes. Cells of an export
// are short; a longer record is a file without line ends or no text at all.
const recordLimit = 1 << 20

const firstBuffer = 128 << 10

// LongRecordError says that a record has no end within the limit.
type LongRecordError struct {
	Path  string
	Line  int
	Limit int // bytes

	Headless bool // it came before any header: the file may be no export at all
}

func (e *LongRecordError) Error() string {
	return fmt.Sprintf("%s, line %d: no line end within %d bytes; check that the file is a CSV export with one row a line, "+
		"and export it again",
		e.Path, e.Line, e.Limit)
}

// record is one record of a file. It is valid until the scanner moves on.
type record struct {
	line          int      // physical line on which it starts, from 1
	data          []byte   // its bytes without the line end
	cells         []uint32 // for each cell: the offset of its end in data, doubled, plus 1 if it is quoted
	unclosedQuote bool     // a quote was opened and never closed: the cells may have shifted
}

// rawCell returns the bytes of cell i and whether they are quoted.
func (r *record) rawCell(i int) ([]byte, bool) {
	start := 0
	if i > 0 {
		start = int(r.cells[i-1]>>1) + 1
	}
	return r.data[start : r.cells[i]>>1], r.cells[i]&1 == 1
}

// cell returns what cell i holds, unquoted but otherwise as written. The result
// points into the record, or into scratch when quotes had to be undoubled.
func (r *record) cell(i int, scratch *[]byte) []byte {
	b, quoted := r.rawCell(i)
	if !quoted {
		return b
	}
	b = b[1:bytes.LastIndexByte(b, '"')]
	if bytes.IndexByte(b, '"') < 0 {
		return b
	}
	out := (*scratch)[:0]
	for j := 0; j < len(b); j++ {
		out = append(out, b[j])
		if b[j] == '"' && j+1 < len(b) && b[j+1] == '"' {
			j++
		}
	}
	*scratch = out
	return out
}

// strings returns every cell as written, unquoted.
func (r *record) strings() []string {
	var scratch []byte
	out := make([]string, len(r.cells))
	for i := range r.cells {
		out[i] = string(r.cell(i, &scratch))
	}
	return out
}

// scanner splits a stream of ASCII-compatible bytes into records. LF, CRLF and a
// lone CR end a line, inside quotes too. A quote opens a cell only as its first
// byte; it is closed by a quote with nothing but blanks up to the delimiter or
// line end, and any other quote on the way is a character. A quote that is not
// closed before the end of the file, or within the record limit, is a character.
type scanner struct {
	path  string
	r     io.Reader
	delim byte
	limit int // recordLimit, smaller in tests

	buf           []byte
	pos, end      int   // what is unread
	base          int64 // offset of buf[0] in the stream
	eof           bool
	line          int   // physical line at pos
	unclosedUntil int64 // no quoted cell is closed before this offset; keeps unclosed quotes from being searched again
	rec           record

	lf, crlf, cr int // how records ended
}

func newScanner(path string, r io.Reader, delim byte) *scanner {
	return &scanner{path: path, r: r, delim: delim, limit: recordLimit, line: 1, buf: make([]byte, firstBuffer)}
}

// next reads the next record into s.rec. At the end of the stream it returns io.EOF.
func (s *scanner) next() error {
	for {
		if s.pos == s.end {
			if s.eof {
				return io.EOF
			}
			if err := s.fill(); err != nil {
				return err
			}
			continue
		}
		c := s.buf[s.pos]
		if c != '\n' && c != '\r' {
			break
		}
		if c == '\r' && s.pos+1 == s.end && !s.eof {
			if err := s.fill(); err != nil {
				return err
			}
			continue
		}
		s.pos += s.lineEnd(s.buf[s.pos:s.end])
		s.line++
	}
	for {
		n, lines, found := s.parse()
		if found {
			s.rec.line = s.line
			s.rec.data = s.buf[s.pos : s.pos+n]
			s.pos += n
			s.line += lines
			if s.pos < s.end {
				s.pos += s.lineEnd(s.buf[s.pos:s.end])
				s.line++
			}
			return nil
		}
		if s.eof || s.end-s.pos >= s.limit+2 {
			return &LongRecordError{Path: s.path, Line: s.line, Limit: s.limit}
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// skipLine passes over one physical line, whatever is on it.
func (s *scanner) skipLine() error {
	passed := 0
	for {
		w := s.buf[s.pos:s.end]
		if i := bytes.IndexAny(w, "\r\n"); i >= 0 && (i+1 < len(w) || w[i] == '\n' || s.eof) {
			s.pos += i
			s.pos += s.lineEnd(s.buf[s.pos:s.end])
			s.line++
			return nil
		} else if i < 0 {
			passed += len(w)
			s.pos = s.end
		}
		if passed > s.limit {
			return &LongRecordError{Path: s.path, Line: s.line, Limit: s.limit}
		}
		if s.eof {
			return io.EOF
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// lineEnd returns the length of the line end at the start of w, and counts it.
func (s *scanner) lineEnd(w []byte) int {
	switch {
	case w[0] == '\n':
		s.lf++
		return 1
	case len(w) > 1 && w[1] == '\n':
		s.crlf++
		return 2
	}
	s.cr++
	return 1
}

// fill reads more into the buffer, or notes the end of the stream. The buffer
// grows to a little more than twice the limit at most.
func (s *scanner) fill() error {
	if s.end == len(s.buf) {
		unread := s.buf[s.pos:s.end]
		if len(unread) > len(s.buf)/2 {
			s.buf = make([]byte, 2*len(s.buf))
		}
		copy(s.buf, unread)
		s.base += int64(s.pos)
		s.pos, s.end = 0, len(unread)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		if n > 0 {
			return nil
		}
	}
	return fmt.Errorf("read %s: %w", s.path, io.ErrNoProgress)
}

const (
	lowBits      = 0x0101010101010101
	lowSevenBits = 0x7f7f7f7f7f7f7f7f
)

// zeroBytes has the high bit set of every byte of x that is zero, and no other.
func zeroBytes(x uint64) uint64 { return ^(((x & lowSevenBits) + lowSevenBits) | x | lowSevenBits) }

// parse splits the record at s.pos, which is not a line end. It returns the record's
// length without its line end and the number of line ends inside it; found is
// false when its end is not in the buffer.
func (s *scanner) parse() (n, lines int, found bool) {
	w := s.buf[s.pos:s.end]
	final := s.eof
	if len(w) > s.limit+2 {
		w, final = w[:s.limit+2], false
	}
	s.rec.cells, s.rec.unclosedQuote = s.rec.cells[:0], false
	delims, lfs, crs := lowBits*uint64(s.delim), uint64(lowBits*'\n'), uint64(lowBits*'\r')

	start := 0
cell:
	for {
		p := start
		if start < len(w) && w[start] == '"' {
			end, state := s.findClosingQuote(w, start, final)
			switch state {
			case needMore:
				return 0, 0, false
			case unclosed:
				s.rec.unclosedQuote = true
			case closed:
				lines += countLines(w[start:end])
				s.rec.cells = append(s.rec.cells, uint32(end)<<1|1)
				if end < len(w) && w[end] == s.delim {
					start = end + 1
					continue cell
				}
				return s.recordEnd(w, end, lines, final)
			}
		}
		for ; p+8 <= len(w); p += 8 {
			x := binary.LittleEndian.Uint64(w[p:])
			hits := zeroBytes(x^delims) | zeroBytes(x^lfs) | zeroBytes(x^crs)
			for ; hits != 0; hits &= hits - 1 {
				q := p + bits.TrailingZeros64(hits)>>3
				s.rec.cells = append(s.rec.cells, uint32(q)<<1)
				if w[q] != s.delim {
					return s.recordEnd(w, q, lines, final)
				}
				if q+1 < len(w) && w[q+1] == '"' {
					start = q + 1
					continue cell
				}
			}
		}
		for ; p < len(w); p++ {
			switch w[p] {
			case s.delim:
				s.rec.cells = append(s.rec.cells, uint32(p)<<1)
				if p+1 < len(w) && w[p+1] == '"' {
					start = p + 1
					continue cell
				}
			case '\n', '\r':
				s.rec.cells = append(s.rec.cells, uint32(p)<<1)
				return s.recordEnd(w, p, lines, final)
			}
		}
		s.rec.cells = append(s.rec.cells, uint32(len(w))<<1)
		return s.recordEnd(w, len(w), lines, final)
	}
}

// recordEnd says whether a record that stops at w[n] is whole: a CR as the last byte
// of the buffer may have its LF still to come.
func (s *scanner) recordEnd(w []byte, n, lines int, final bool) (int, int, bool) {
	whole := n <= s.limit && (final || n < len(w) && (w[n] == '\n' || n+1 < len(w)))
	return n, lines, whole
}

type quoteState uint8

const (
	needMore quoteState = iota // more bytes are needed
	closed
	unclosed
)

// findClosingQuote looks for the end of the quoted cell that opens at w[start]: the offset
// behind its closing quote and the blanks that follow it. A cell that spans lines and
// holds a single quote is none: its opening quote was a stray one, and would swallow the
// rows up to the next quote of another row.
func (s *scanner) findClosingQuote(w []byte, start int, final bool) (int, quoteState) {
	capped := !final && len(w) == s.limit+2
	here := s.base + int64(s.pos)
	undecided := func(from int) (int, quoteState) {
		if !final && !capped {
			return 0, needMore
		}
		s.unclosedUntil = max(s.unclosedUntil, here+int64(from))
		return 0, unclosed
	}
	bare, lines := false, false // a single quote, a line end was passed
	for j := start + 1; ; {
		k := bytes.IndexByte(w[j:], '"')
		passed := w[j:]
		if k >= 0 {
			passed = passed[:k]
		}
		lines = lines || bytes.IndexByte(passed, '\n') >= 0 || bytes.IndexByte(passed, '\r') >= 0
		if bare && lines {
			return 0, unclosed
		}
		if k < 0 {
			return undecided(len(w))
		}
		run := j + k
		j = run
		for j < len(w) && w[j] == '"' {
			j++
		}
		if j == len(w) && !final {
			return undecided(run)
		}
		if (j-run)%2 == 1 {
			m := j
			for m < len(w) && (w[m] == ' ' || w[m] == '\t' && s.delim != '\t') {
				m++
			}
			switch {
			case m == len(w) && final:
				return m, closed
			case m == len(w):
				return undecided(run)
			case w[m] == s.delim || w[m] == '\n' || w[m] == '\r':
				return m, closed
			}
			if bare = true; lines {
				return 0, unclosed
			}
		}
		// From here on an earlier search has seen every quote up to unclosedUntil.
		if known := s.unclosedUntil - here; known > int64(j) {
			j = min(int(known), len(w))
		}
	}
}

// countLines counts the line ends in b.
func countLines(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n
		}
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		b = b[i+1:]
	}
}
