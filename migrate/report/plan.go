package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"carryover/migrate"
)

// maxQuestions is how many open questions the terminal spells out; conflicts.csv has all.
const maxQuestions = 5

// Plan writes the closing text of a plan whose files were written to outDir: what was
// read, what it makes of the program, and what to do next. command is how a person calls
// carryover for this program, as one line of a shell; see [Command].
func Plan(w io.Writer, on Terminal, p *migrate.Plan, outDir, command string) error {
	out := &text{Terminal: on, command: visible(command)}
	out.files(p, outDir)
	out.unread(p)
	out.totals(p)
	out.customers(p, outDir)
	out.money(p)
	out.findings(p, outDir)
	out.tables(p)
	out.conflicts(p, outDir)
	out.next(p, outDir)
	_, err := w.Write(out.Bytes())
	return err
}

// text gathers the lines; a buffer does not fail.
type text struct {
	bytes.Buffer
	Terminal
	command string
}

// line writes a sentence, in as many lines of the terminal as it needs.
func (t *text) line(format string, args ...any) {
	t.WriteString(t.Wrap(fmt.Sprintf(format, args...)) + "\n")
}

// verbatim writes a line that a person copies: it is not wrapped.
func (t *text) verbatim(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// paragraph writes sentences that are not wider than n columns.
func (t *text) paragraph(margin, s string, n int) {
	if t.Width > 0 {
		n = min(n, max(1, t.Width-len(margin)))
	}
	for _, l := range wrap(s, n) {
		t.verbatim("%s%s", margin, l)
	}
}

// table writes a table, moved to the right by a margin.
func (t *text) table(titles []string, rows [][]string) { t.alerts(titles, rows, nil) }

// alerts writes a table with cells that need a person.
func (t *text) alerts(titles []string, rows [][]string, alert func(row int, title string) bool) {
	table := &Table{Terminal: t.Terminal, Titles: titles, Rows: rows, Margin: 2, Alert: alert}
	table.Write(t)
}

// rows writes a table that needs no titles.
func (t *text) rows(rows [][]string) { t.table(make([]string, 3), rows) }

func (t *text) files(p *migrate.Plan, outDir string) {
	paths := make([]string, 0, len(p.Files))
	for _, f := range p.Files {
		paths = append(paths, f.Path)
	}
	dir, names := shorten(paths)
	if dir == "" {
		t.line("What was read")
	} else {
		t.line("What was read from %s", visible(dir))
	}
	var rows [][]string
	var sum migrate.FilePlan
	for i, f := range p.Files {
		rows = append(rows, []string{names[i], f.Kind, Count(f.Rows), Count(f.Loaded), Count(f.Rejected), Count(f.Skipped), duration(f.Took)})
		sum.Rows += f.Rows
		sum.Loaded += f.Loaded
		sum.Rejected += f.Rejected
		sum.Skipped += f.Skipped
		sum.Took += f.Took
	}
	if len(p.Files) > 1 {
		rows = append(rows, []string{
			"together", "", Count(sum.Rows), Count(sum.Loaded), Count(sum.Rejected), Count(sum.Skipped), duration(sum.Took),
		})
	}
	t.table([]string{"file", "kind", "rows", "loaded", "rejected", "skipped", "time"}, rows)
	if p.Totals.Rejected > 0 {
		var why []string
		for _, r := range countReasons(p.Rejects) {
			why = append(why, fmt.Sprintf("%s %s", Count(r.N), visible(r.Reason)))
		}
		t.line("  rejected: %s", strings.Join(why, ", "))
		t.line("  each row with its reason is in %s", visible(filepath.Join(outDir, "rejects")))
	}
	for _, x := range p.Missing {
		t.line("  left out by an earlier run, and nothing has brought since: %s", visible(x.String()))
	}
}

func (t *text) unread(p *migrate.Plan) {
	if len(p.Unread) == 0 {
		return
	}
	t.line("\nNot read")
	for _, u := range p.Unread {
		t.line("  %s", unreadLine(u))
	}
}

// unreadLine names the file and the reason; many reasons begin with the file already.
func unreadLine(u migrate.Unread) string {
	if strings.HasPrefix(u.Reason, u.Path) {
		return visible(u.Reason)
	}
	return visible(u.Path) + ": " + visible(u.Reason)
}

func (t *text) totals(p *migrate.Plan) {
	n := p.Totals
	t.line("\nWhat it becomes")
	t.rows([][]string{
		{"promoters", Count(n.Promoters),
			fmt.Sprintf("%s active, %s inactive, from %s", Count(n.Active), Count(n.Inactive), quantity(n.Partners, "partner", "partners"))},
		{"  need an e-mail", Count(n.NeedEmail), ""},
		{"  partners merged", Count(n.Merged), "into promoters that have another partner"},
		{"  house partners", Count(n.House), "the program's own: never credited"},
		{"tracking links", Count(n.Links), ""},
		{"old codes", Count(n.Codes), "resolve"},
		{"Keap ids", Count(n.KeapIDs), "resolve"},
	})
}

func (t *text) tables(p *migrate.Plan) {
	if len(p.Tables) == 0 {
		return
	}
	t.line("\nWhat changes in the book")
	var rows [][]string
	for _, c := range changes(p) {
		rows = append(rows, []string{c.Name, Count(c.Create), Count(c.Update), Count(c.Unchanged)})
	}
	t.table([]string{"table", "create", "update", "unchanged"}, rows)
	if note := entriesNote(p); note != "" {
		t.paragraph("  ", note, 96)
	}
}

func (t *text) conflicts(p *migrate.Plan, outDir string) {
	if len(p.Conflicts) == 0 {
		return
	}
	t.line("\nWhat a person should know (all of it in %s)", visible(filepath.Join(outDir, "conflicts.csv")))
	var rows [][]string
	for _, g := range groupConflicts(p.Conflicts) {
		blocks := "no"
		switch {
		case g.Open > 0 && g.Open < g.Blocking:
			blocks = fmt.Sprintf("YES, %s of %s undecided", Count(g.Open), Count(g.Blocking))
		case g.Open > 0:
			blocks = "YES"
		case g.Blocking > 0:
			blocks = "decided"
		}
		rows = append(rows, []string{g.Kind, Count(len(g.List)), blocks, g.Title})
	}
	t.alerts([]string{"kind", "count", "blocks", "what it is"}, rows, func(row int, title string) bool {
		return title == "blocks" && strings.HasPrefix(rows[row][2], "YES")
	})
}

// next says what to do now: answer what blocks, or review and apply.
func (t *text) next(p *migrate.Plan, outDir string) {
	file := func(name string) string { return shellQuote(filepath.Join(outDir, name)) }
	t.line("\nPlan %s. Nothing has been changed.", planID(p))
	open := p.Open()
	if len(open) == 0 {
		t.line("Review %s, then run:", visible(file("report.html")))
		t.verbatim("  %s apply %s", t.command, visible(shellQuote(outDir)))
		return
	}
	t.line("%s", t.Alert(quantity(len(open), "question must", "questions must")+" be answered before it can be applied:"))
	for i, c := range open {
		if i == maxQuestions {
			t.line("\n  … and %s more in %s", Count(len(open)-i), visible(file("conflicts.csv")))
			break
		}
		t.line("\n  %d. %s", i+1, visible(c.ID))
		t.paragraph("     ", visible(c.Detail), 90)
		t.line("     decision: %s", choices(c))
	}
	t.line("\nWhat to do:")
	t.verbatim("  1. Fill in the column \"decision\" of %s,", visible(file("conflicts.csv")))
	t.line("     in the rows where \"blocking\" says yes.")
	t.line("  2. See what comes of it:")
	t.verbatim("       %s plan --decisions %s --out %s %s", t.command, visible(file("conflicts.csv")), visible(shellQuote(outDir)),
		visible(arguments(p.Args)))
	t.line("     or carry it out at once:")
	t.verbatim("       %s apply --decisions %s %s", t.command, visible(file("conflicts.csv")), visible(shellQuote(outDir)))
}

func planID(p *migrate.Plan) string {
	if p.PlanID == "" {
		return "without id"
	}
	return p.PlanID
}

// choices lists what the decision column takes, the recommended one marked.
func choices(c migrate.Conflict) string {
	w := wordsFor(c.Kind)
	if len(w.Options) == 0 {
		return fmt.Sprintf("%s (recommended)", visible(c.Recommended))
	}
	var list []string
	for _, o := range w.Options {
		s := fmt.Sprintf("%s (%s)", o.Value, o.Meaning)
		if o.Value == c.Recommended {
			s = fmt.Sprintf("%s (%s; recommended)", o.Value, o.Meaning)
		}
		list = append(list, s)
	}
	return strings.Join(list, " or ")
}

// Command makes a line of words that a shell reads as these.
func Command(words ...string) string { return arguments(words) }

func arguments(args []string) string {
	words := make([]string, 0, len(args))
	for _, a := range args {
		words = append(words, shellQuote(a))
	}
	return strings.Join(words, " ")
}

// KeptDecisions says which decisions were found in the folder that the plan was written to.
func KeptDecisions(w io.Writer, plan *migrate.Plan, dir string) {
	var list []string
	for _, c := range plan.Conflicts {
		if c.Decision != "" && slices.Contains(plan.Kept, c.ID) {
			list = append(list, c.ID+" = "+c.Decision)
		}
	}
	if len(list) == 0 {
		return
	}
	more := ""
	if n := len(list) - 5; n > 0 {
		list, more = list[:5], fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "Decisions found in %s were kept: %s%s.\n", filepath.Join(dir, "conflicts.csv"), strings.Join(list, ", "), more)
}
