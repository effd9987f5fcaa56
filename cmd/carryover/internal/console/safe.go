package console

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"carryover/migrate/report"
)

// safeWriter is the way of everything that a command writes: names, codes and addresses come
// from files and from strangers, and a terminal obeys what is hidden in them. Control
// characters other than the ends of lines and tabs are spelled out, as JSON does (\u001b), and
// so are characters that turn the direction of text around where a person is to read it; bytes
// that are no UTF-8 become U+FFFD. What a command itself writes to colour its text passes.
type safeWriter struct {
	w      io.Writer
	data   func() bool // says whether a program is to read it: it gets every character that is none of control
	styles []string    // what may pass
	tail   []byte      // the beginning of a character, or of a style, whose end is to come
	begun  bool
	out    []byte
}

func newSafeWriter(w io.Writer, colour bool, data func() bool) *safeWriter {
	s := &safeWriter{w: w, data: data}
	if colour {
		s.styles = report.Styles[:]
	}
	return s
}

// Write writes p; n counts bytes of p.
func (s *safeWriter) Write(p []byte) (n int, err error) {
	text := p
	if len(s.tail) > 0 {
		text = append(s.tail, p...)
		s.tail = nil
	}
	if !s.begun && len(text) > 0 {
		s.begun = true
		if mark := []byte("\ufeff"); bytes.HasPrefix(text, mark) { // Excel's
			if _, err := s.w.Write(mark); err != nil {
				return 0, err
			}
			text = text[len(mark):]
		}
	}
	start, i := 0, 0
	s.out = s.out[:0]
	for i < len(text) {
		if i+8 <= len(text) && plainBytes(binary.LittleEndian.Uint64(text[i:])) {
			i += 8
			continue
		}
		if c := text[i]; ' ' <= c && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		size, replacement := s.next(text[i:])
		if size == 0 {
			s.tail = append([]byte(nil), text[i:]...)
			break
		}
		if replacement != "" {
			s.out = append(append(s.out, text[start:i]...), replacement...)
			start = i + size
		}
		i += size
	}
	if len(s.out) == 0 {
		_, err = s.w.Write(text[start:i])
	} else {
		s.out = append(s.out, text[start:i]...)
		_, err = s.w.Write(s.out)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// plainBytes says whether eight bytes are all ASCII that is seen.
func plainBytes(x uint64) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	controls := (x - low*0x20) & ^x
	deletes := x ^ low*0x7f
	deletes = (deletes - low) & ^deletes
	return (x|controls|deletes)&high == 0
}

// next is the length of the character that text begins with, which may not pass as it is, and
// what is written in its place: nothing when it passes. A length of 0 says that more is needed
// to tell.
func (s *safeWriter) next(text []byte) (size int, replacement string) {
	switch c := text[0]; {
	case c == 0x1b && s.styles != nil:
		if size, more := styleLength(text, s.styles); more || size > 0 {
			return size, ""
		}
		fallthrough
	case c < utf8.RuneSelf:
		return 1, fmt.Sprintf(`\u%04x`, c)
	}
	if !utf8.FullRune(text) {
		return 0, ""
	}
	r, size := utf8.DecodeRune(text)
	switch {
	case r == utf8.RuneError && size == 1:
		return 1, "\ufffd"
	case r < 0xa0, turnsText(r) && !s.data():
		return size, fmt.Sprintf(`\u%04x`, r)
	}
	return size, ""
}

// styleLength is the length of the style that text begins with; more says that it may be the
// beginning of one.
func styleLength(text []byte, styles []string) (size int, more bool) {
	for _, style := range styles {
		if bytes.HasPrefix(text, []byte(style)) {
			return len(style), false
		}
		more = more || bytes.HasPrefix([]byte(style), text)
	}
	return 0, more
}

// turnsText says whether r embeds, overrides or isolates a direction, or ends a line or paragraph
// as only some programs see it.
func turnsText(r rune) bool {
	return slices.Contains([]rune{'\u2028', '\u2029'}, r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// flush writes what is left of a text that ends within a character.
func (s *safeWriter) flush() {
	if len(s.tail) > 0 {
		s.w.Write([]byte("\ufffd"))
		s.tail = nil
	}
}
