package manual

import (
	"strings"
	"testing"
	"testing/fstest"

	"carryover/migrate/report"
)

func pages() fstest.MapFS {
	return fstest.MapFS{
		"README.md": {Data: []byte(`# Index

| subject | what is in it |
| --- | --- |
| [money](money.md) | Money: what is owed |
| [clicks](clicks.md) | Clicks: what counts |
`)},
		"money.md":    {Data: []byte("# Money\n")},
		"clicks.md":   {Data: []byte("# Clicks\n")},
		"unlisted.md": {Data: []byte("# Unlisted\n")},
	}
}

func TestRead(t *testing.T) {
	m, err := Read(pages())
	if err != nil {
		t.Fatal(err)
	}
	want := []Page{{"money", "Money: what is owed", "# Money\n"}, {"clicks", "Clicks: what counts", "# Clicks\n"}}
	if got := m.Pages(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
	if p, ok := m.Page("Money"); !ok || p != want[0] {
		t.Errorf("Money: %+v, %v", p, ok)
	}
	if p, ok := m.Page("unlisted"); ok {
		t.Errorf("a page that the index does not list: %+v", p)
	}
	if near := m.Nearest("mony", nil); near != "money" {
		t.Errorf("nearest to mony: %q", near)
	}
	if near := m.Nearest("payouts plna", []string{"payouts plan"}); near != "payouts plan" {
		t.Errorf("nearest to a command: %q", near)
	}
	if got := strings.Join(m.Offers("mo"), ";"); got != "money\tMoney: what is owed" {
		t.Errorf("completing mo: %q", got)
	}
	broken := pages()
	delete(broken, "money.md")
	if _, err := Read(broken); err == nil {
		t.Error("the index lists a page that is not there")
	}
}

// What a page looks like, with and without colour, at the width that there is.
func TestRender(t *testing.T) {
	f := func(text string, on report.Terminal, want string) {
		t.Helper()
		var b strings.Builder
		if err := Render(&b, on, text); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s\n%q", b.String(), want, b.String())
		}
	}
	plain, colour := report.Terminal{Width: 30}, report.Terminal{Width: 30, Colour: true}

	f("# Money\n\n## Holds\n\n### How long?\n", plain, "Money\n=====\n\nHolds\n-----\n\nHow long?\n")
	f("# Money\n", colour, "\x1b[1mMoney\x1b[0m\n")

	f("One two three\nfour five six seven eight.\n\nNext.", plain, "One two three four five six\nseven eight.\n\nNext.\n")
	f("A **bold move** and *so* on.", plain, "A bold move and so on.\n")
	f("A **bold move** on.", colour, "A \x1b[1mbold\x1b[0m \x1b[1mmove\x1b[0m on.\n")
	f("Breaks in twelve: `plan exports` it does not.", plain, "Breaks in twelve:\n`plan exports` it does not.\n")
	f("Run `a *b* c`.", colour, "Run \x1b[36ma *b* c\x1b[0m.\n")

	f("- one that is long enough to be wrapped\n- two\n  goes on\n", plain, "- one that is long enough to\n  be wrapped\n- two goes on\n")
	f("9. nine\n10. ten that is long enough to wrap\n", plain, "9. nine\n10. ten that is long enough to\n    wrap\n")

	f("See [Holds](money.md#holds).", plain, "See Holds\n(carryover help money).\n")
	f("See [below](#holds), [the site](https://a.test/b), [the example](../x/README.md).", report.Terminal{Width: 80},
		"See below, the site (https://a.test/b), the example.\n")

	f("| a | what |\n| --- | --- |\n| `x` | [Holds](money.md) |\n| `y`, `z` | **12** |\n", report.Terminal{Width: 80},
		"  a         what\n  ---       ----\n  x         Holds (carryover help money)\n  `y`, `z`  12\n")
	f("| a | what it is |\n| --- | --- |\n| x | words that need more room than there is |\n", plain,
		"  a    what it is\n  ---  ----------\n  x    words that need more\n       room than there is\n")

	f("```console\n$ carryover clicks\nday  human  and a line that is longer than the width\n```\n\nDone.", plain,
		"    $ carryover clicks\n    day  human  and a line that is longer than the width\n\nDone.\n")
	f("```\n\n# no heading\n", colour, "\n    # no heading\n")
	f("```console\n$ carryover clicks\n```", colour, "    \x1b[1m$ carryover clicks\x1b[0m\n")

	long := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	f(long(30), report.Terminal{}, long(16)+"\n"+long(14)+"\n")
	f("", plain, "")
}
