package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
)

// newYear is a desk where ann has a year behind her.
func newYear(t *testing.T) *payDesk {
	t.Helper()
	d := newPayDesk(t)
	d.handIn("ann")
	d.ok("promoters", "set", "ann", "legal_name=<b>Ann</b> & Sons")
	d.sale("before", "ann", "2022-12-31", 4000)
	d.sale("a", "ann", "2023-01-01", 5000)
	d.back(book.KindRefund, "before", "2023-02-03", 1000)
	d.approve("2023-03")
	d.ok("payouts", "record", "R1-1", "--status", "paid", "--reference", "T1", "--date", "2023-03-12", "--note", "for the winter")
	d.sale("z", "ann", "2023-12-31", 700)
	d.sale("after", "ann", "2024-01-01", 9900)
	return d
}

// The year's entries, with the balance from its beginning to its end.
func TestStatement(t *testing.T) {
	t.Parallel()
	d := newYear(t)
	f := func(year string, want ...string) {
		t.Helper()
		rows, err := csv.NewReader(strings.NewReader(d.ok("payouts", "statement", "ann", "--year", year, "--format", "csv"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range rows[1:] {
			got = append(got, strings.Join(row, "|"))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", year, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("2021", "2021-01-01|Opening balance||||0.00|USD", "2021-12-31|Closing balance||||0.00|USD")
	f("2022", "2022-01-01|Opening balance||||0.00|USD", "2022-12-31|Commission|content-pro|2022-12|40.00|40.00|USD", "2022-12-31|Closing balance||||40.00|USD")
	f("2023", "2023-01-01|Opening balance||||40.00|USD",
		"2023-01-01|Commission|content-pro|2023-01|50.00|90.00|USD",
		"2023-02-03|Refund to a customer|content-pro|2022-12|-10.00|80.00|USD",
		"2023-03-12|Payout, paypal|for the winter|2023-03|-80.00|0.00|USD",
		"2023-12-31|Commission|content-pro|2023-12|7.00|7.00|USD",
		"2023-12-31|Closing balance||||7.00|USD")
	f("2024", "2024-01-01|Opening balance||||7.00|USD", "2024-01-01|Commission|content-pro|2024-01|99.00|106.00|USD", "2024-12-31|Closing balance||||106.00|USD")

	s := d.objects(d.ok("payouts", "statement", "ann", "--year", "2023", "--json"))[0]["currencies"].([]any)[0].(map[string]any)
	if s["opening_cents"] != 4000.0 || s["earned_cents"] != 5700.0 || s["taken_back_cents"] != -1000.0 || s["paid_cents"] != 8000.0 || s["closing_cents"] != 700.0 || len(s["months"].([]any)) != 4 || len(s["payouts"].([]any)) != 1 {
		t.Errorf("%v", s)
	}
	d.contains(d.ok("payouts", "statement", "ann", "--year", "2023", "--out", "ann.html"), "ann.html is the statement of ann for 2023")
	d.fails(console.ExitFailed, []string{"there already"}, "payouts", "statement", "ann", "--year", "2023", "--out", "ann.html")
	d.fails(console.ExitUsage, []string{"--year"}, "payouts", "statement", "ann", "--year", "23")
	if page := d.read("ann.html"); strings.Contains(page, "kim@shop.test") || strings.Contains(page, "<b>Ann") || !strings.Contains(page, "&lt;b&gt;Ann&lt;/b&gt; &amp; Sons") {
		t.Error("the page names customers, or lets a name be markup")
	}
}

// The ledger of a year, its summary and its statement have one balance for the year's end: a
// refund, a denial or a correction of the next year is of that one, whatever month it is for.
func TestOneBalanceForAYear(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.sale("dec", "ann", "2023-12-20", 10000)
	d.back(book.KindRefund, "dec", "2024-01-10", 4000)
	d.ok("ledger", "correct", "--promoter", "ann", "--amount", "5.00", "--month", "2023-12", "--note", "a gift", "--by", "Kim")
	for _, c := range []struct{ year, opening, closing string }{{"2022", "0.00", "0.00"}, {"2023", "0.00", "100.00"}, {"2024", "100.00", "60.00"}} {
		d.contains(d.ok("payouts", "statement", "ann", "--year", c.year, "--format", "csv"), "Opening balance,,,,"+c.opening, "Closing balance,,,,"+c.closing)
		if c.year == "2022" {
			continue
		}
		out := d.ok("ledger", "--promoter", "ann", "--year", c.year)
		d.contains(out, "Balance at the end of "+c.year+": "+c.closing)
		if strings.Contains(out, "correction") || strings.Contains(out, "refund") != (c.year == "2024") {
			t.Errorf("%s:\n%s", c.year, out)
		}
		d.contains(d.ok("ledger", "--year", c.year), c.closing)
		if n := len(d.objects(d.ok("ledger", "--promoter", "ann", "--year", c.year, "--json"))); n != 1 {
			t.Errorf("%d entries in %s", n, c.year)
		}
	}
	d.contains(d.ok("ledger", "--promoter", "ann"), "Balance of all entries: 65.00")
}

// What the migration brought over without rows was not earned in the year.
func TestStatementBroughtOver(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	f := func(who, want string) {
		t.Helper()
		s := d.objects(d.ok("payouts", "statement", who, "--year", "2022", "--json"))[0]["currencies"].([]any)[0].(map[string]any)
		got := fmt.Sprint(s["opening_cents"], " ", s["brought_over_cents"], " ", s["earned_cents"], " ", s["taken_back_cents"], " ", s["paid_cents"], " ", s["closing_cents"])
		if got != want {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
		brought := 0.0
		for _, m := range s["months"].([]any) {
			brought += m.(map[string]any)["brought_over_cents"].(float64)
		}
		if brought != s["brought_over_cents"] {
			t.Errorf("%s: the months brought over %v", who, brought)
		}
	}
	f("beta", "0 4000 7426 0 0 11426") // its ledger begins with 40.00
	f("alpha", "0 0 1485 -1485 0 0")
	d.contains(d.ok("payouts", "statement", "beta", "--year", "2022", "--format", "csv"), "Balance brought over from Keap")
	if page := d.ok("payouts", "statement", "beta", "--year", "2022"); strings.Count(page, ">Brought over from Keap<") != 2 {
		t.Error("the page does not tell what was brought over")
	}
	if page := d.ok("payouts", "statement", "alpha", "--year", "2022"); strings.Contains(page, "Brought over") {
		t.Error("the page tells of what was not")
	}
}

// The longest amounts stay within their cards, on any screen.
func TestLongAmountsInABrowser(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.sale("a", "ann", "2023-01-10", 987_654_321_012_345)
	d.sale("b", "ann", "2023-02-10", 123_456_789_012_345)
	d.back(book.KindRefund, "a", "2023-02-03", 987_654_321_012_345)
	d.ok("payouts", "statement", "ann", "--year", "2023", "--out", "ann.html")
	ctx := openBrowser(t, func(any) {})
	page := (&url.URL{Scheme: "file", Path: d.path("ann.html")}).String()
	for _, width := range []int64{1200, 700, 340, 200} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(page)); err != nil {
			t.Fatal(err)
		}
		if over := inPage[int](t, ctx, `[...document.querySelectorAll(".tiles div")].filter(c => [...c.children].some(e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect().right > c.getBoundingClientRect().right })).length`); over != 0 {
			t.Errorf("%d amounts run out of their cards on a screen of %d", over, width)
		}
		if over := inPage[int](t, ctx, `document.documentElement.scrollWidth`); int64(over) > width {
			t.Errorf("%d wide on a screen of %d", over, width)
		}
	}
}

// The page needs nothing beside itself, fits a telephone, and says what it is to those who
// do not see it.
func TestStatementInABrowser(t *testing.T) {
	t.Parallel()
	d := newYear(t)
	d.ok("payouts", "statement", "ann", "--year", "2023", "--out", "ann.html")
	var mu sync.Mutex
	var said, asked []string
	ctx := openBrowser(t, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			said = append(said, string(e.Entry.Level)+": "+e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "data:") {
				asked = append(asked, e.Request.URL)
			}
		}
	})
	page := (&url.URL{Scheme: "file", Path: d.path("ann.html")}).String()
	for _, width := range []int64{1200, 340} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(page)); err != nil {
			t.Fatal(err)
		}
		if over := inPage[int](t, ctx, `document.documentElement.scrollWidth`); int64(over) > width {
			t.Errorf("%d wide on a screen of %d", over, width)
		}
		if dir := os.Getenv("STATEMENT_SCREENSHOTS"); dir != "" { // for a person who wants to look
			shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(dir+fmt.Sprintf("/statement-%d.png", width), shot, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ about, expression, want string }{
		{"title", `document.title`, "<b>Ann</b> & Sons: statement for 2023"},
		{"heading", `document.querySelector("h1").innerText`, "<b>Ann</b> & Sons"},
		{"language", `document.documentElement.lang`, "en"},
		{"scripts and pictures", `String(document.scripts.length + document.querySelectorAll("img,iframe,object,embed,link[rel=stylesheet]").length)`, "0"},
		{"tables without a caption", `String([...document.querySelectorAll("table")].filter(t => !t.caption).length)`, "0"},
		{"header cells without a scope", `String(document.querySelectorAll("th:not([scope])").length)`, "0"},
		{"regions that the keyboard cannot reach", `String(document.querySelectorAll("[role=region]:not([tabindex='0']):not([aria-label])").length)`, "0"},
		{"captions", `[...document.querySelectorAll("caption")].map(c => c.innerText).join(" ")`, "Months Payouts Entries"},
		{"balances", `[...document.querySelectorAll("dd")].map(c => c.innerText).join(" ")`, "40.00 57.00 -10.00 80.00 7.00"},
		{"rows", `String(document.querySelectorAll("section > :last-child tbody tr").length)`, "6"},
	} {
		if got := inPage[string](t, ctx, c.expression); got != c.want {
			t.Errorf("%s: %q, want %q", c.about, got, c.want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, text := range said {
		t.Error(text)
	}
	for _, address := range asked {
		if address != page {
			t.Errorf("it asks for %s", address)
		}
	}
}

// openBrowser starts Debian's Chromium with a profile of its own.
func openBrowser(t *testing.T, heard func(event any)) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stopAllocator)
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(heard))
	t.Cleanup(stopTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chromedp.Cancel(ctx) })
	return ctx
}

func inPage[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}
