package sheet

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encodings, by the names that reports use.
const (
	UTF8        = "utf-8"
	UTF8BOM     = "utf-8-bom"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	Windows1252 = "windows-1252"
)

var marks = []struct {
	encoding string
	bytes    []byte
}{
	{UTF8BOM, []byte{0xEF, 0xBB, 0xBF}},
	{UTF16LE, []byte{0xFF, 0xFE}},
	{UTF16BE, []byte{0xFE, 0xFF}},
}

// readMark reads the byte order mark, if there is one. It returns the encoding
// that the mark decides, or an empty name, and the stream behind it.
func readMark(r io.Reader) (string, io.Reader, error) {
	head := make([]byte, 3)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", nil, err
	}
	head = head[:n]
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(head, m.bytes); ok {
			return m.encoding, io.MultiReader(bytes.NewReader(rest), r), nil
		}
	}
	return "", io.MultiReader(bytes.NewReader(head), r), nil
}

// utf8Reader returns r, without its mark, as UTF-8. Bytes that the encoding does not
// know become U+FFFD; valid says that UTF-8 is known to hold none.
func utf8Reader(r io.Reader, encoding string, valid bool) io.Reader {
	switch encoding {
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder().Reader(r)
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Reader(r)
	case Windows1252:
		return charmap.Windows1252.NewDecoder().Reader(r)
	}
	if !valid {
		return unicode.UTF8.NewDecoder().Reader(r)
	}
	return r
}

// Text reads a whole file, which a person has saved from a spreadsheet, as UTF-8: its mark
// decides the encoding, else it is UTF-8 when it is valid, and Windows-1252 otherwise.
func Text(r io.Reader) ([]byte, error) {
	encoding, rest, err := readMark(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(rest)
	if err != nil {
		return nil, err
	}
	if encoding == "" && !utf8.Valid(text) {
		encoding = Windows1252
	}
	return io.ReadAll(utf8Reader(bytes.NewReader(text), encoding, utf8.Valid(text)))
}

// decodeCell is the text of a cell whose encoding is not known yet: UTF-8 when it is valid,
// and Windows-1252 otherwise.
func decodeCell(cell []byte) string {
	if utf8.Valid(cell) {
		return string(cell)
	}
	text := make([]rune, len(cell))
	for i, b := range cell {
		text[i] = charmap.Windows1252.DecodeByte(b)
	}
	return string(text)
}

// checksumReader passes bytes on and keeps what only the whole file can tell.
type checksumReader struct {
	r     io.Reader
	sum   hash.Hash
	bytes int64
	valid bool // UTF-8 so far; tail is the start of a rune whose end is to come
	tail  []byte
}

func newChecksumReader(r io.Reader) *checksumReader {
	return &checksumReader{r: r, sum: sha256.New(), valid: true}
}

func (m *checksumReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.bytes += int64(n)
	m.sum.Write(p[:n])
	if m.valid {
		m.checkUTF8(p[:n])
	}
	return n, err
}

func (m *checksumReader) checkUTF8(p []byte) {
	for len(m.tail) > 0 && len(p) > 0 {
		m.tail = append(m.tail, p[0])
		p = p[1:]
		if utf8.FullRune(m.tail) {
			m.valid = utf8.Valid(m.tail)
			m.tail = m.tail[:0]
		}
	}
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if start := p[len(p)-i:]; utf8.RuneStart(start[0]) {
			if !utf8.FullRune(start) {
				m.tail = append(m.tail, start...)
				p = p[:len(p)-i]
			}
			break
		}
	}
	m.valid = m.valid && utf8.Valid(p)
}

// isUTF8 says whether everything that was read is UTF-8, to its last byte.
func (m *checksumReader) isUTF8() bool { return m.valid && len(m.tail) == 0 }
