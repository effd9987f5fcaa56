package sheet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// Options is what the operator says about all files.
type Options struct {
	// Headers are the operator's own: kind, then header in any spelling, then field.
	// They come before the kind's aliases.
	Headers map[string]map[string]string
	// Dates is auto (also when empty: each column by its cells), month_first or day_first.
	Dates string
	// Numbers is auto (also when empty: each column by its cells), decimal_point or decimal_comma.
	Numbers string
	// DateDecision returns month_first or day_first for one column, or nothing. May be nil.
	DateDecision func(path, field string) string
	// NumberDecision returns decimal_point or decimal_comma for the columns of one file that
	// can be read both ways, or nothing. May be nil.
	NumberDecision func(path string) string
	// StatusDecision returns active when the words of one file's statuses that nobody knows mean
	// it, or nothing. May be nil.
	StatusDecision func(path string) string
	// Location is the zone of dates that name none. Nil is UTC.
	Location *time.Location
	// Currency is the program's (ISO 4217), which amounts are in that name none.
	Currency string
}

// File is a source whose bytes have all been seen once.
type File struct {
	Path           string
	Kind           string
	Encoding       string // utf-8, utf-8-bom, utf-16le, utf-16be, windows-1252
	Delimiter      string // comma, semicolon, tab
	LineEnd        string // lf, crlf, cr, mixed; none when nothing ends
	HeaderLine     int
	Header         []string // cells of the header, cleaned
	UnknownHeaders []string // those that no field took, secrets left out
	SecretHeaders  []string // those whose columns are dropped when read
	Dates          []DateColumn
	Numbers        []NumberColumn
	Statuses       []StatusColumn
	Rows           int // records after the header
	Bytes          int64
	SHA256         string // of the raw bytes, hex

	source  Source
	opt     Options
	valid   bool // UTF-8 without a bad byte
	layout  *layout
	columns []int // by field of the kind; -1 for none
	kind    *Kind
}

// Column returns the header, as written, of the column that a field was found in.
func (f *File) Column(field string) (header string, found bool) {
	if i := f.kind.field(field); i >= 0 && f.columns[i] >= 0 {
		return f.Header[f.columns[i]], true
	}
	return "", false
}

// UnknownKindError says that no line at the start of a file names a kind of export.
type UnknownKindError struct {
	Path    string
	Kind    string   // the kind that it was said to be, if any
	Missing []string // what it lacks of that kind
	Headers []string // its first line of several cells, if that looks like a header
	seen    bool
}

func (e *UnknownKindError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: none of the first %d lines is the header of a known export", e.Path, headerLines)
	if e.Kind != "" {
		fmt.Fprintf(&b, " of kind %s (no column for %s)", e.Kind, strings.Join(e.Missing, ", "))
	}
	if len(e.Headers) > 0 {
		fmt.Fprintf(&b, "; it has %s. Say what it is with kind=FILE, or name its headers in the config", strings.Join(e.Headers, ", "))
	} else {
		b.WriteString("; export it again as CSV, with its header")
	}
	return b.String()
}

// ErrEmpty says that a file holds nothing at all.
var ErrEmpty = errors.New("the file is empty: export it again, or leave it out")

// Probe reads a source once, to its end, and tells what it is: kind, encoding,
// delimiter, line ends, how each column of dates, amounts and statuses is read. Errors are [*UnknownKindError],
// [*LongRecordError], [ErrEmpty], or say what could not be read.
func Probe(in Input, kinds []Kind, opt Options) (*File, error) {
	if in.Kind != "" {
		i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == in.Kind })
		if i < 0 {
			return nil, fmt.Errorf("%s: there is no kind %q", in.Path, in.Kind)
		}
		kinds = kinds[i : i+1]
	}
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	r, err := in.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", in.Path, err)
	}
	defer r.Close()

	m := newChecksumReader(r)
	encoding, text, err := readMark(m)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.Path, err)
	}
	if encoding == UTF16LE || encoding == UTF16BE {
		text = utf8Reader(text, encoding, true)
	}
	s := newScanner(in.Path, text, ',')
	h, err := findHeader(s, in, kinds, opt)
	if err != nil {
		return nil, err
	}

	f := &File{Path: in.Path, Kind: h.match.kind.Name, Delimiter: h.delimiter, HeaderLine: h.line, source: in.Source,
		opt: opt, kind: h.match.kind}
	for s.line < h.line {
		if err := s.skipLine(); err != nil {
			return nil, fmt.Errorf("read %s: %w", in.Path, err)
		}
	}
	s.delim = h.char
	if err := s.next(); err != nil {
		return nil, fmt.Errorf("read %s: %w", in.Path, err)
	}
	header := s.rec.strings()
	f.layout = newLayout(header, f.kind)
	f.layout.subject = h.match.subjectColumns()
	if err := f.scanRows(s, h.match); err != nil {
		return nil, err
	}

	f.valid = m.isUTF8()
	switch {
	case encoding != "":
		f.Encoding = encoding
	case f.valid:
		f.Encoding = UTF8
	default:
		f.Encoding = Windows1252
	}
	f.Bytes, f.SHA256 = m.bytes, hex.EncodeToString(m.sum.Sum(nil))
	f.LineEnd = lineEndName(s)
	f.setHeaders(header)
	return f, nil
}

// scanRows reads all rows and settles what only they can tell.
func (f *File) scanRows(s *scanner, m *match) error {
	c := f.columnsToObserve(m)
	for {
		err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		f.Rows++
		if f.layout.classify(&s.rec) == dataRow {
			c.observe(&s.rec, f.opt.Currency)
		}
	}
	f.decideColumns()
	m.releaseNonIDs(c.ids, f.layout.keys)
	f.columns = m.columns
	return nil
}

// subjectColumns are the columns with the id of what a row is about: its own, or that of its
// partner.
func (m *match) subjectColumns() (columns []int) {
	for i, field := range m.kind.Fields {
		if field.Subject && m.columns[i] >= 0 {
			columns = append(columns, m.columns[i])
		}
	}
	return columns
}

// releaseNonIDs gives up columns of ids that only a fallback found and whose cells are no
// ids, where the kind can do without, and lets other fields have them.
func (m *match) releaseNonIDs(ids []idCount, keys []string) {
	for i, v := range ids {
		field := m.kind.Fields[i]
		if v.nonIDs <= v.ids || field.Required {
			continue
		}
		column := m.columns[i]
		m.columns[i], m.used[column] = -1, false
		for j, other := range m.kind.Fields {
			if m.columns[j] < 0 && !other.ID && slices.Contains(other.Fallbacks, keys[column]) && !m.groupFilled(other.Name) {
				m.assign(j, column)
				break
			}
		}
	}
}

// setHeaders fills in what the file's header says, once its encoding is known.
func (f *File) setHeaders(header []string) {
	understood := make([]bool, len(header))
	for _, c := range f.columns {
		if c >= 0 {
			understood[c] = true
		}
	}
	for i, cell := range header {
		name := Clean(f.headerText(cell))
		f.Header = append(f.Header, name)
		switch {
		case f.layout.secret[i]:
			f.SecretHeaders = append(f.SecretHeaders, name)
		case !understood[i] && name != "" && !isRejectColumn(f.layout.keys[i]):
			f.UnknownHeaders = append(f.UnknownHeaders, name)
		}
	}
	for n := range f.Dates {
		f.Dates[n].Header, _ = f.Column(f.Dates[n].Field)
	}
	for n := range f.Numbers {
		f.Numbers[n].Header, _ = f.Column(f.Numbers[n].Field)
	}
	for n := range f.Statuses {
		f.Statuses[n].Header, _ = f.Column(f.Statuses[n].Field)
	}
}

// headerText decodes a header cell; those of UTF-16 files have been already.
func (f *File) headerText(cell string) string {
	if f.Encoding == Windows1252 {
		if text, err := charmap.Windows1252.NewDecoder().String(cell); err == nil {
			return text
		}
	}
	return strings.ToValidUTF8(cell, "\ufffd")
}

func lineEndName(s *scanner) string {
	names := []string{}
	for name, n := range map[string]int{"lf": s.lf, "crlf": s.crlf, "cr": s.cr} {
		if n > 0 {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return "none"
	case 1:
		return names[0]
	}
	return "mixed"
}
