package report

import (
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	var b strings.Builder
	table := Table{Titles: []string{"file", "rows", "time", "what"}, Rows: [][]string{
		{"contacts.csv", "1,204,310", "8.4 s", "plain"},
		{"連結.csv", "7", "<1 ms", "two columns a sign"},
		{"cafe\u0301.csv", "-12", "–", "an accent of its own"},
		{"tab\tand \x1b[2J", "", "2 m 05 s", "nothing that moves the cursor"},
		{"short"},
	}}
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `
file                   rows      time  what
contacts.csv      1,204,310     8.4 s  plain
連結.csv                  7     <1 ms  two columns a sign
cafe` + "\u0301" + `.csv                -12         –  an accent of its own
tab\tand \x1b[2J             2 m 05 s  nothing that moves the cursor
short
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

// Where there is no room, columns without text go, words are wrapped, and then columns go below
// their row. Numbers stay whole.
func TestTableFits(t *testing.T) {
	table := Table{
		Titles: []string{"line", "name", "net", "paid to", "note", "reference", "status"},
		Below:  []string{"paid to", "note"},
		Rows: [][]string{
			{"R1-1", "Ann Lee of the Long Lane", "1,234.50", "ann@promoters.test", "", "", "paid"},
			{"R1-2", "Ben", "10.00 EUR", "1 Short Street, Town", "came back", "", "failed"},
		},
		Alert: func(row int, title string) bool { return title == "status" && row == 1 },
	}
	f := func(width int, colour bool, want string) {
		t.Helper()
		table.Width, table.Colour = width, colour
		var b strings.Builder
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
		if got := "\n" + b.String(); got != want {
			t.Errorf("width %d:%swant:%s", width, got, want)
		}
		for line := range strings.Lines(b.String()) {
			if n := columns(strings.TrimSuffix(line, "\n")); !colour && width > 0 && n > width {
				t.Errorf("a line of %d columns where there are %d: %q", n, width, line)
			}
		}
	}
	f(0, false, `
line  name                      net        paid to               note       reference  status
R1-1  Ann Lee of the Long Lane  1,234.50   ann@promoters.test                          paid
R1-2  Ben                       10.00 EUR  1 Short Street, Town  came back             failed
`)
	f(86, false, `
line  name                      net        paid to               note       status
R1-1  Ann Lee of the Long Lane  1,234.50   ann@promoters.test               paid
R1-2  Ben                       10.00 EUR  1 Short Street, Town  came back  failed
`)
	f(70, true, `
line  name            net        paid to             note       status
R1-1  Ann Lee of the  1,234.50   ann@promoters.test             paid
      Long Lane
R1-2  Ben             10.00 EUR  1 Short Street,     came back  `+"\x1b[1;31mfailed\x1b[0m"+`
                                 Town
`)
	f(50, false, `
line  name                      net        status
R1-1  Ann Lee of the Long Lane  1,234.50   paid
  paid to: ann@promoters.test
R1-2  Ben                       10.00 EUR  failed
  paid to: 1 Short Street, Town  note: came back
`)
	f(24, false, `
line  net        status
R1-1  1,234.50   paid
  name: Ann Lee of the
    Long Lane
  paid to:
    ann@promoters.test
R1-2  10.00 EUR  failed
  name: Ben
  paid to: 1 Short
    Street, Town
  note: came back
`)
}

func TestTableAlignsIDsAndWordsAsTheyAre(t *testing.T) {
	f := func(cell string, right bool) {
		t.Helper()
		if number(cell) != right {
			t.Errorf("number(%q) = %v", cell, !right)
		}
	}
	f("0", true)
	f("1,234.50", true)
	f("$25.00", true)
	f("45%", true)
	f("12 ms", true)
	f("", false)
	f("-", false)
	f("3 apples", false)
	f("1.2.3-beta", false)
	f("x1", false)
}

func TestFormats(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(Count(0), "0")
	f(Count(999), "999")
	f(Count(1000), "1,000")
	f(Count(int64(-1234567)), "-1,234,567")
	f(quantity(1, "row", "rows"), "1 row")
	f(quantity(0, "row", "rows"), "0 rows")

	f(duration(0), "–")
	f(duration(40*time.Microsecond), "<1 ms")
	f(duration(999*time.Millisecond), "999 ms")
	f(duration(59*time.Second), "59.0 s")
	f(duration(125*time.Second), "2 m 05 s")

	f(size(1), "1 byte")
	f(size(183_211), "183 kB")
	f(size(212_004_118), "212.0 MB")
	f(size(3_100_000_000), "3.1 GB")

	f(visible("Zoë, 連結, 👩\u200d💻"), "Zoë, 連結, 👩\u200d💻")
	f(visible("a\r\n\x1b[31m\u202eb\u200b\x00"), `a\r\n\x1b[31m\u202eb\u200b\x00`)
	f(visible("\ufffd and \xff"), "\ufffd and \\xff")

	f(shellQuote("data/plan"), "data/plan")
	f(shellQuote("my data"), "'my data'")
	f(shellQuote("it's"), `'it'\''s'`)
	f(shellQuote(""), "''")
	f(shellQuote("$HOME"), "'$HOME'")

	f(clip("abc", 3), "abc")
	f(clip("連結連結", 5), "連結…")
}

func TestShorten(t *testing.T) {
	f := func(dir, names string, paths ...string) {
		t.Helper()
		d, n := shorten(paths)
		if d != dir || strings.Join(n, " ") != names {
			t.Errorf("shorten(%q) = %q, %q", paths, d, n)
		}
	}
	f("", "")
	f("", "a.csv", "a.csv")
	f("x", "a.csv", "x/a.csv")
	f("x", "a.csv y/b.csv", "x/a.csv", "x/y/b.csv")
	f("x", "y/a.csv b.csv", "x/y/a.csv", "x/b.csv")
	f("", "x/a.csv b.csv", "x/a.csv", "b.csv")
	f("", "xy/a.csv x/b.csv", "xy/a.csv", "x/b.csv")
	f("", "/a/x.csv /b/y.csv", "/a/x.csv", "/b/y.csv")
	f("/home/ops", "a/x.csv b/y.csv", "/home/ops/a/x.csv", "/home/ops/b/y.csv")
}
