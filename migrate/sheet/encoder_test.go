package sheet

import (
	"errors"
	"strings"
	"testing"
)

// yesNo is a cell that says how it is written.
type yesNo bool

func (b yesNo) MarshalCSV() (string, error) {
	if b {
		return "yes", nil
	}
	return "no", nil
}

type written struct {
	Code    string `csv:"code"`
	Rows    int64  `csv:"number of rows"`
	Skipped string `csv:"-"`
	Blocks  yesNo  `csv:"blocking"`
	Active  bool   `csv:"active"`
	note    string
}

type day struct {
	Text string `csv:"text"`
}

type dated struct {
	Day day `csv:"day"`
}

func TestStructsAreWritten(t *testing.T) {
	rows := []written{
		{Code: "=HYPERLINK(1)", Rows: -2, Skipped: "secret", Blocks: true, Active: true, note: "secret"},
		{Code: `a "b", c`, Rows: 7},
	}
	const header = "code,number of rows,blocking,active\n"
	const body = "'=HYPERLINK(1),-2,yes,true\n" + `"a ""b"", c",7,no,false` + "\n"
	f := func(name, want string, write func(w *strings.Builder) error) {
		t.Helper()
		var out strings.Builder
		if err := write(&out); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v; want %q", name, out.String(), err, want)
		}
	}
	f("at once", header+body, func(w *strings.Builder) error { return Write(NewWriter(w), rows) })
	f("for Excel", "\ufeff"+header+body, func(w *strings.Builder) error { return Write(NewExcelWriter(w), rows) })
	f("without a header", body, func(w *strings.Builder) error { return WriteHeadless(NewWriter(w), rows) })
	f("no rows", header, func(w *strings.Builder) error { return Write(NewWriter(w), rows[:0]) })
	stream := func(rows []written) func(w *strings.Builder) error {
		return func(w *strings.Builder) error {
			e := NewEncoder[written](NewWriter(w))
			for _, row := range rows {
				if err := e.Encode(row); err != nil {
					return err
				}
			}
			return e.Flush()
		}
	}
	f("one by one", header+body, stream(rows))
	f("none by one", header, stream(nil))
	f("struct in a struct", "day.text\n2023-03-31\n", func(w *strings.Builder) error {
		return Write(NewWriter(w),
			[]dated{{day{"2023-03-31"}}})
	})
	if err := NewEncoder[dated](NewWriter(failingWriter{})).Encode(dated{}); err == nil {
		t.Error("a row of a million is written with cells that an Encoder does not know")
	}
}

type failingWriter struct{}

var errDiskFull = errors.New("disk full")

func (failingWriter) Write([]byte) (int, error) { return 0, errDiskFull }

func TestErrorsOfWritingAreReturned(t *testing.T) {
	if err := Write(NewWriter(failingWriter{}), []written{{Code: "a"}}); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
	if err := Write(NewExcelWriter(failingWriter{}), []written{{Code: "a"}}); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
	e := NewEncoder[written](NewWriter(failingWriter{}))
	var err error
	for n := 0; err == nil && n < 10_000; n++ { // as soon as the buffer is full
		err = e.Encode(written{Code: "a code"})
	}
	if !errors.Is(err, errDiskFull) || !errors.Is(e.Flush(), errDiskFull) {
		t.Error(err, e.Flush())
	}
}
