package main

import (
	"bytes"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/migrate/report"
)

// help lists the pages, shows one, or shows the help of a command.
func TestHelpSubjects(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.untouched(func() {
		list := d.ok("help")
		d.contains(list, "subject", "customers", "Customer ownership: ", "newer-exports", "carryover help SUBJECT")
		if n := strings.Count(list, "\n"); n != len(readManual().Pages())+4 {
			t.Errorf("%d lines for %d pages:\n%s", n, len(readManual().Pages()), list)
		}
		for line := range strings.Lines(list) {
			if len(line) > 81 {
				t.Errorf("%d columns: %s", len(line)-1, line)
			}
		}

		page := d.ok("help", "Customers")
		d.contains(page, "Customer ownership\n====", "    $ carryover explain", "those rules are in Commissions\n(carryover help commissions).")
		if strings.Contains(page, "\x1b") || strings.Contains(page, "](") || strings.Contains(page, "```") {
			t.Errorf("Markdown or colour off a terminal:\n%s", page)
		}
		d.contains(d.ok("help", "payouts", "plan"), "Usage: carryover payouts plan", "--month=MONTH")
		d.contains(d.ok("help", "referrals"), "Usage: carryover referrals")
		d.contains(d.ok("help", "map"), "Usage: carryover map <command>", "map rollback")
		d.contains(d.ok("help", "help"), "Usage: carryover help")

		// what is a page and a command
		verify := d.ok("help", "verify")
		d.contains(verify, "Verify\n======", "carryover verify --help")
		if strings.Contains(verify, "Usage:") {
			t.Errorf("help verify shows the command's help:\n%s", verify)
		}

		d.fails(console.ExitUsage, []string{`"costumers"`, "did you mean customers?"}, "help", "costumers")
		d.fails(console.ExitUsage, []string{`"payouts plna"`, "did you mean payouts plan?"}, "help", "payouts", "plna")
		d.fails(console.ExitUsage, []string{`"taxes"`, "carryover help", "carryover --help"}, "help", "taxes")
		d.fails(console.ExitUsage, []string{`"clicks misses"`}, "help", "clicks", "misses")

		pages := d.objects(d.ok("help", "--json"))
		if len(pages) != len(readManual().Pages()) || fields(pages[0]) != "subject summary" {
			t.Errorf("help --json: %v", pages)
		}
		if one := d.objects(d.ok("help", "money", "--json")); len(one) != 1 || !strings.HasPrefix(one[0]["text"].(string), "# Money") {
			t.Errorf("help money --json: %v", one)
		}
	})
}

// On a terminal of any width no text is wider than it, but for code and long words in tables.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	for _, p := range readManual().Pages() {
		for _, width := range []int{60, 80, 120} {
			var out bytes.Buffer
			a := &app{cli: &cli{}, Console: console.New(nil, &out, &out)}
			a.Terminal = report.Terminal{Width: width}
			if err := (&helpCmd{Subject: []string{p.Subject}}).Run(a); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if n := len([]rune(line)); n > width && !strings.HasPrefix(line, "    ") && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s at %d columns: %d in\n%s", p.Subject, width, n, line)
				}
			}
		}
	}
}
