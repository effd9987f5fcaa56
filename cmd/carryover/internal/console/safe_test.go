package console

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"carryover/migrate/report"
)

func TestSafeWriter(t *testing.T) {
	f := func(colour, data bool, text, want string) {
		t.Helper()
		for size := 1; size <= len(text)+1; size++ { // however it is cut
			var out bytes.Buffer
			w := newSafeWriter(&out, colour, func() bool { return data })
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if m, err := w.Write([]byte(rest[:n])); m != n || err != nil {
					t.Fatal(m, err)
				}
				rest = rest[n:]
			}
			w.flush()
			if out.String() != want {
				t.Errorf("%q in pieces of %d: %q, want %q", text, size, out.String(), want)
			}
		}
	}
	f(false, false, "Björn 👍\tok, 12.00 €\n", "Björn 👍\tok, 12.00 €\n")
	f(false, false, "\x1b[2J\x1b]0;title\a", `\u001b[2J\u001b]0;title\u0007`)
	f(false, false, "a long line\rwith another over it, and\b\x7f\x00", `a long line\u000dwith another over it, and\u0008\u007f\u0000`)
	f(false, false, "\u009b2J and \x9b2J", "\\u009b2J and \ufffd2J")
	f(false, false, "the end is cut \xe2\x82", "the end is cut \ufffd")
	f(false, false, "abc\u202efdp.exe\u2066", `abc\u202efdp.exe\u2066`)
	f(false, true, "\ufeffabc\u202e\u200b\u009b\n", "\ufeffabc\u202e\u200b\\u009b\n")
	f(false, false, report.Warning+"!"+report.Unstyled, `\u001b[1;31m!\u001b[0m`)
	f(true, false, report.Warning+"!"+report.Unstyled+"\x1b[8m\x1b[1;3", report.Warning+"!"+report.Unstyled+"\\u001b[8m\ufffd")
}

func FuzzSafeWriter(f *testing.F) {
	f.Add("\x1b[31m \u009b\xff€", 3)
	f.Fuzz(func(t *testing.T, text string, at int) {
		var out bytes.Buffer
		w := newSafeWriter(&out, false, func() bool { return false })
		at = max(0, min(at, len(text)))
		w.Write([]byte(text[:at]))
		w.Write([]byte(text[at:]))
		w.flush()
		got := out.String()
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Fatalf("%q is written as %q", text, got)
		}
		if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' && r != '\t' || turnsText(r)
		}) && got != text {
			t.Fatalf("%q is written as %q", text, got)
		}
	})
}

// Whatever a command uses of its console, no value commands the terminal.
func TestConsoleIsSafe(t *testing.T) {
	const hostile = "x\x1b]0;y\a\x1b[2J\u009bz"
	type row struct {
		Name string `json:"name"`
	}
	table := &Table[row]{Titles: []string{"name"}, Cells: func(r *row) []string { return []string{r.Name} }}
	for _, form := range []Form{Text, JSON, CSV} {
		var out, errOut bytes.Buffer
		c := New(strings.NewReader(""), &out, &errOut)
		c.Form = form
		for _, err := range []error{
			c.Say("%s", hostile), c.Facts([][]string{{hostile, hostile}}), Print(c, table, []row{{hostile}}), c.Object(row{hostile}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c.Note("%s", hostile)
		c.Log.Error(hostile, "key", hostile)
		c.ServiceLog().Error(hostile, "key", hostile)
		c.ExitCode(context.Background(), UsageError("%s", hostile))
		for _, text := range []string{out.String(), errOut.String()} {
			if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
				t.Errorf("form %d: %q", form, text[max(0, i-30):min(len(text), i+30)])
			}
		}
	}
	var out bytes.Buffer
	c := New(strings.NewReader(""), &out, &out)
	c.Form = JSON
	var back row
	if err := c.Object(row{hostile}); err != nil || json.Unmarshal(out.Bytes(), &back) != nil || back.Name != hostile {
		t.Errorf("%v: %q comes back as %q", err, out.String(), back.Name)
	}
}

func BenchmarkSafeWriter(b *testing.B) {
	line := []byte(strings.Repeat("https://go.carrot.test/go/course/plum,https://carrot.test/course?fpr=plum,plum,pat@post.test\n", 2000))
	w := newSafeWriter(&discard{}, false, func() bool { return true })
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		w.Write(line)
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
