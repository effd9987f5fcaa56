package sheet

import (
	"encoding/csv"
	"io"
	"unicode"
	"unicode/utf8"
)

// Writer writes a CSV that people open in a spreadsheet: UTF-8, comma, LF. A cell
// that a spreadsheet would take for a formula gets a leading apostrophe, which
// reading takes away again. Rows of a struct go through [Write] or an [Encoder], which
// write to one; only a file whose columns are known no sooner than its rows, such as
// that of a [RejectWriter], writes cells.
type Writer struct {
	w     *csv.Writer
	cells []string
}

// NewWriter writes to w. Flush must be called at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{w: csv.NewWriter(w)} }

// NewExcelWriter is [NewWriter] for a CSV that begins with a byte order mark: without one
// Excel does not take it for UTF-8. Programs that read CSV may stumble over the mark.
func NewExcelWriter(w io.Writer) *Writer { return NewWriter(&markWriter{w: w}) }

// markWriter writes the mark of UTF-8 before anything else.
type markWriter struct {
	w       io.Writer
	written bool
}

func (m *markWriter) Write(p []byte) (int, error) {
	if !m.written {
		if _, err := io.WriteString(m.w, "\ufeff"); err != nil {
			return 0, err
		}
		m.written = true
	}
	return m.w.Write(p)
}

// Write writes one row.
func (w *Writer) Write(cells ...string) error {
	w.cells = w.cells[:0]
	for _, c := range cells {
		w.cells = append(w.cells, Defuse(c))
	}
	return w.w.Write(w.cells)
}

// Flush writes what is buffered and returns the first error of any write.
func (w *Writer) Flush() error {
	w.w.Flush()
	return w.w.Error()
}

// Defuse puts an apostrophe before a cell that a spreadsheet may take for a formula: one that
// begins with = + - @, a tab or a line end, with one of the signs in another width, or with
// blanks and characters that nobody sees before one of them; a plain number is none.
func Defuse(cell string) string {
	if cell == "" {
		return cell
	}
	switch c := cell[0]; {
	case c == '=' || c == '@' || c == '\t' || c == '\r' || c == '\n':
		return "'" + cell
	case c == '+' || c == '-':
		if !isPlainNumber(cell[1:]) {
			return "'" + cell
		}
	case c <= ' ' || c >= utf8.RuneSelf:
		for i, r := range cell {
			if isFormulaSign(r) {
				if (r == '+' || r == '-') && isPlainNumber(cell[i+1:]) {
					return cell
				}
				return "'" + cell
			}
			if !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Cc) {
				break
			}
		}
	}
	return cell
}

// isFormulaSign says whether a formula may begin with r, in any of the widths that it has.
func isFormulaSign(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '\uff1d', '\uff0b', '\uff0d', '\uff20', '\ufe66', '\ufe62', '\ufe63', '\ufe6b', '\u2212':
		return true
	}
	return false
}

// isPlainNumber says whether s is digits, with or without a decimal part.
func isPlainNumber(s string) bool {
	before, dots := 0, 0
	for i := 0; i < len(s); i++ {
		switch {
		case '0' <= s[i] && s[i] <= '9':
			before++
		case s[i] == '.' && dots == 0 && before > 0 && i+1 < len(s):
			dots++
		default:
			return false
		}
	}
	return before > 0
}
