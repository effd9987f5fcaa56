package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// scan reads all records with a small limit, from a reader of any pace.
func scan(r io.Reader, delim byte, limit int) ([]string, *scanner, error) {
	s := newScanner("test.csv", r, delim)
	s.limit, s.buf = limit, make([]byte, 16)
	var got []string
	for {
		err := s.next()
		if err == io.EOF {
			return got, s, nil
		}
		if err != nil {
			return got, s, err
		}
		got = append(got, fmt.Sprintf("%d:%s", s.rec.line, strings.Join(s.rec.strings(), "|")))
	}
}

func TestScanner(t *testing.T) {
	f := func(input string, want ...string) {
		t.Helper()
		for _, r := range []io.Reader{strings.NewReader(input), iotest.OneByteReader(strings.NewReader(input)),
			iotest.DataErrReader(strings.NewReader(input))} {
			got, _, err := scan(r, ',', 100)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q:\ngot  %q %v\nwant %q", input, got, err, want)
			}
		}
	}
	f("")
	f("\n\r\n\r")
	f("a", "1:a")
	f("a,b\nc,d\n", "1:a|b", "2:c|d")
	f("a,b\r\nc,d\r\n", "1:a|b", "2:c|d")
	f("a,b\rc,d\r", "1:a|b", "2:c|d")
	f("a\r\r\n\nb", "1:a", "4:b")
	f(",\n,,\n", "1:|", "2:||")
	f("  \nx", "1:  ", "2:x")
	f(`"a,b",c`, "1:a,b|c")
	f("\"a\nb\",c\nd", "1:a\nb|c", "3:d")
	f("\"a\r\nb\rc\nd\",e\rf", "1:a\r\nb\rc\nd|e", "5:f")
	f(`"say ""hi""",x`, `1:say "hi"|x`)
	f(`"",""`, "1:|")
	f(`""""`, `1:"`)
	f("\"a\"  \t,b\n\"c\" \nd", "1:a|b", "2:c", "3:d")
	f(`"12" Monitor",x`, `1:12" Monitor|x`)
	f(`"a"" b",x`, `1:a" b|x`)
	f(`"a""" b",x`, `1:a"" b|x`)
	f(`5" pipe,6"`, `1:5" pipe|6"`)
	f(`a "b" c,"d"`, `1:a "b" c|d`)
	f(` "a",b`, `1: "a"|b`)
	f("\"open,b\nc,d\n", `1:"open|b`, "2:c|d")
	f("a,\"open\nc,d\n\"e\n\"f,g", `1:a|"open`, "2:c|d", `3:"e`, `4:"f|g`)
	f("a,\"", `1:a|"`)
	// A stray opening quote does not swallow the rows up to somebody else's.
	f("1,\"Bob,x\n2,Ann,y\n3,\"Zed\",z\n", `1:1|"Bob|x`, "2:2|Ann|y", "3:3|Zed|z")
	f("1,\"Bob\" Smith\n2,\"Ann\" Lee\n", `1:1|"Bob" Smith`, `2:2|"Ann" Lee`)
	f("1,\"said \"\"hi\"\",\nand went\",x\n2,b,c\n", "1:1|said \"hi\",\nand went|x", "3:2|b|c")
	f("aaaaaaa,bbbbbbbbbbbbbbbb,\"c\",dddddddd\n", "1:aaaaaaa|bbbbbbbbbbbbbbbb|c|dddddddd")
	// A quote that is closed only beyond the limit is a character.
	f("\"a\n"+strings.Repeat("b\n", 60)+"c\",d\n", append(append([]string{`1:"a`}, repeated(2, 60, "b")...), `62:c"|d`)...)

	got, _, err := scan(strings.NewReader("a;\"b;c\";d,e\n"), ';', 100)
	if err != nil || got[0] != "1:a|b;c|d,e" {
		t.Errorf("semicolon: %q %v", got, err)
	}
	got, _, err = scan(strings.NewReader("a\t\"b\tc\"\td\n\"e\"\t\n"), '\t', 100)
	if err != nil || got[0] != "1:a|b\tc|d" || got[1] != "2:e|" {
		t.Errorf("tab: %q %v", got, err)
	}
}

func repeated(line, n int, text string) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%d:%s", line+i, text))
	}
	return out
}

func TestScannerLimit(t *testing.T) {
	f := func(input string, line int) {
		t.Helper()
		_, s, err := scan(strings.NewReader(input), ',', 100)
		var long *LongRecordError
		if line == 0 && err == nil {
			return
		}
		if !errors.As(err, &long) || long.Line != line || len(s.buf) > 512 {
			t.Errorf("%d bytes: %v, %d bytes of buffer", len(input), err, len(s.buf))
		}
	}
	f(strings.Repeat("x", 100), 0)
	f(strings.Repeat("x", 100)+"\r\n", 0)
	f(strings.Repeat("x", 101), 1)
	f("a\n"+strings.Repeat("x", 101)+"\nb\n", 2)
	f("a\n\n"+strings.Repeat("x,", 1e6), 3)
	f("\""+strings.Repeat("x", 1e6), 1)
	f("\""+strings.Repeat("x", 97)+"\"\n", 0)
}

// Unclosed quotes on every line are each searched for once, not once per line.
func TestScannerManyUnclosedQuotes(t *testing.T) {
	s := newScanner("test.csv", strings.NewReader(strings.Repeat("\"x,y\n", 400_000)), ',')
	n := 0
	for s.next() == nil {
		n++
	}
	if n != 400_000 {
		t.Errorf("%d records", n)
	}
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{"a,b\n", "\"a\"\"b\",c\r\n", "\"open\n\"x", "a\rb", "\"a\" ,b"} {
		f.Add([]byte(s), byte(','))
	}
	f.Fuzz(func(t *testing.T, data []byte, delim byte) {
		if delim != ';' && delim != '\t' {
			delim = ','
		}
		input := string(data)
		want, _, wantErr := scan(strings.NewReader(input), delim, 64)
		got, s, err := scan(iotest.HalfReader(strings.NewReader(input)), delim, 64)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
			t.Fatalf("the pace of reading matters: %q %v, %q %v", got, err, want, wantErr)
		}
		if len(s.buf) > 512 {
			t.Fatalf("%d bytes of buffer", len(s.buf))
		}
		if err == nil && s.line != 1+countLines(data) {
			t.Fatalf("line %d, want %d", s.line, 1+countLines(data))
		}

		// Where encoding/csv knows what to do, both do the same.
		if strings.Contains(strings.ReplaceAll(input, "\r\n", ""), "\r") || len(input) > 60 {
			return
		}
		r := csv.NewReader(strings.NewReader(input))
		r.Comma, r.FieldsPerRecord = rune(delim), -1
		records, err := r.ReadAll()
		if err != nil {
			return
		}
		for i := range got {
			_, got[i], _ = strings.Cut(got[i], ":")
			got[i] = strings.ReplaceAll(got[i], "\r\n", "\n")
		}
		var theirs []string
		for _, r := range records {
			theirs = append(theirs, strings.Join(r, "|"))
		}
		if !reflect.DeepEqual(got, theirs) {
			t.Fatalf("got %q, encoding/csv %q", got, theirs)
		}
	})
}
