package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"golang.org/x/text/width"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
)

// newExampleDesk has the example applied, somebody paid, and clicks.
func newExampleDesk(t *testing.T) *desk {
	t.Helper()
	example, err := filepath.Abs("../../migrate/example")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, readFile(t, example+"/carryover.toml"))
	d.ok("plan", "--decisions", example+"/decisions.csv", example+"/exports")
	d.ok("apply")
	d.ok("promoters", "set", "sunnylane", "w9=yes", "payout_method=paypal", "payout_address=della.sunniver@post.test", "country=US")
	d.ok("promoters", "set", "ferngully", "w9=yes", "payout_method=check", "payout_address=12 Fern Lane, Gully Town, Far Away")
	d.run("payouts", "approve", "--month", "2023-04") // late, it says
	d.ok("payouts", "record", "R1-1", "--status", "paid", "--reference", "T1", "--date", "2023-04-12", "--note", "the first one of many more to come")
	g := d.gateway()
	for _, path := range []string{"/go/course/sunnylane", "/go/no-such-link-of-a-considerable-length-in-its-name/sunnylane?from=somewhere"} {
		resp, err := http.DefaultTransport.RoundTrip(httptest.NewRequest(http.MethodGet, "http://"+g.visitors+path, nil))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	d.inBook(func(b *book.Book) error {
		return b.Track(func(t *book.Tracking) error {
			for _, id := range []string{"1", "2"} {
				e := book.RefusedEvent{Digest: id, At: 1673000000, LastAt: 1673000100, Times: 2, Status: 404, Reason: "the customer is no promoter's, and that in many words",
					Caller: "sha256:0123abcd", Path: "/api/v2/track/sale", Kind: book.EventSale, ExternalID: "payment-of-a-considerable-length-" + id,
					Email: "somebody.with.a.long.name@customers.test", Body: `{"amount":100}`, State: book.RefusedOpen}
				if _, err := t.AddRefused(&e); err != nil {
					return err
				}
			}
			return nil
		})
	})
	d.write("theirs.csv", "promoter_email,amount,created_at\ndella.sunniver@post.test,12.00,2023-03-05\n")
	d.write("carryover.toml", strings.Replace(d.read("carryover.toml"), `"2023-03-31"        # last`, `"2023-04-30" # last`, 1))
	d.ok("map", "publish")
	return d
}

// shown is what a command writes where there is room for so many columns; 0: as much as it likes.
func (d *desk) shown(columns int, args ...string) string {
	d.Helper()
	cmd := d.command(args...)
	if columns > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprint("COLUMNS=", columns))
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == console.ExitUsage {
		d.Fatalf("%v: %v", args, err)
	}
	return out.String()
}

// tableCommands are those that print a table, each with what it needs.
var tableCommands = [][]string{
	{"verify"}, {"promoters"}, {"promoters", "show", "sunnylane"}, {"referrals"}, {"referrals", "--all"}, {"ledger"},
	{"ledger", "--promoter", "granny"}, {"ledger", "--promoter", "sunnylane", "--year", "2022"}, {"payouts", "plan", "--month", "2023-04"},
	{"payouts", "list"}, {"payouts", "show", "1"}, {"payouts", "1099", "--year", "2022"}, {"explain", "gwen.dunmore.26@inbox.test"}, {"explain", "invoice:8033"},
	{"review", "--all"}, {"applications", "--all"}, {"outbox"}, {"outbox", "--state", "sent"}, {"clicks"}, {"clicks", "--raw"}, {"misses"},
	{"tracking", "refused"}, {"tracking", "retell", "--all"}, {"map", "list"}, {"map", "diff", "1", "2"}, {"parity", "--month", "2023-03", "--theirs", "theirs.csv"},
}

// What the terminal shows fits it, and no number is broken or lost.
func TestOutputFits(t *testing.T) {
	t.Parallel()
	d := newExampleDesk(t)
	number := regexp.MustCompile(`^-?[0-9][0-9,.:-]*$`)
	numbers := func(text string) (list []string) {
		for _, word := range strings.Fields(text) {
			if word = strings.Trim(word, "(),;:."); number.MatchString(word) {
				list = append(list, word)
			}
		}
		slices.Sort(list)
		return list
	}
	example, err := filepath.Abs("../../migrate/example")
	if err != nil {
		t.Fatal(err)
	}
	others := [][]string{{"plan", "--decisions", example + "/decisions.csv", example + "/exports"}, {"config", "check"}, {"resolve", "https://go.carrot.test/go/course/sunnylane"}}
	for _, args := range append(others, tableCommands...) {
		wide := d.shown(0, args...)
		for _, columns := range []int{80, 60} {
			narrow := d.shown(columns, args...)
			for line := range strings.Lines(narrow) {
				line = strings.TrimRight(line, "\n")
				n := 0
				for _, r := range line {
					if n++; width.LookupRune(r).Kind() == width.EastAsianWide {
						n++
					}
				}
				copied := strings.HasPrefix(line, "~ ") || strings.Contains(line, "carryover ") || !strings.Contains(strings.TrimLeft(line, " "), " ")
				if n > columns && !copied {
					t.Errorf("%v: a line of %d columns where there are %d:\n%s", args, n, columns, line)
				}
			}
			if got, want := numbers(narrow), numbers(wide); args[0] != "plan" && !slices.Equal(got, want) {
				t.Errorf("%v in %d columns has other numbers:\n%q\nthan where there is room:\n%q\n%s", args, columns, got, want, narrow)
			}
			if strings.Contains(narrow, "\x1b") {
				t.Errorf("%v has colour where there is no terminal", args)
			}
		}
	}
}

// Every table can be had as CSV: with the mark that Excel needs, and as --json names its columns.
func TestCSV(t *testing.T) {
	t.Parallel()
	d := newExampleDesk(t)
	for _, args := range tableCommands {
		text, marked := strings.CutPrefix(d.run(append(args, "--csv")...).out, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !marked || len(rows) == 0 {
			t.Errorf("%v --csv: marked %t, %d rows, %v\n%s", args, marked, len(rows), err, text)
			continue
		}
		objects := d.objects(d.run(append(args, "--json")...).out)
		names := strings.Join(rows[0], " ")
		if len(objects) != 1 && len(objects) != len(rows)-1 {
			t.Errorf("%v: %d rows as CSV, %d as JSON", args, len(rows)-1, len(objects))
		}
		if len(objects) > 1 {
			for name := range objects[0] {
				if !slices.Contains(rows[0], name) {
					t.Errorf("%v: --json has %s, --csv has %s", args, name, names)
				}
			}
		}
		d.fails(console.ExitUsage, []string{"--csv and --json exclude each other"}, append(args, "--csv", "--json")...)
	}
	parser, err := newParser(&app{cli: &cli{}, Console: &console.Console{}}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Leaves(true) {
		has := slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == "csv" })
		if path := strings.Fields(strings.TrimPrefix(n.FullPath(), "carryover ")); has {
			if !slices.ContainsFunc(tableCommands, func(args []string) bool {
				return args[0] == path[0] && (path[len(path)-1] == "list" || slices.Contains(args, path[len(path)-1]))
			}) {
				t.Errorf("no test of %v --csv", path)
			}
		}
	}
}
