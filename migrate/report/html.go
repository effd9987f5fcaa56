package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"carryover/migrate"
)

const (
	shownConflicts = 100 // of each kind; conflicts.csv has all
	shownRejects   = 200 // rejects/ has all
)

//go:embed page.html
var source string

var pageTemplate = template.Must(template.Must(template.New("page").Funcs(template.FuncMap{
	"count": Count[int], "visible": visible, "took": duration, "reason": reasonWords,
	"bytes": size, "join": list, "choices": choices,
}).Parse(moneySource)).Parse(source))

// HTML writes the plan as one page that loads nothing and runs nothing: it can be
// mailed, printed and opened anywhere. The title names the program.
func HTML(w io.Writer, p *migrate.Plan, title string) error {
	var b bytes.Buffer // a page that fails halfway is not written at all
	if err := pageTemplate.Execute(&b, newPage(p, title)); err != nil {
		return fmt.Errorf("plan page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// page is what the template shows of a plan.
type page struct {
	Title    string
	Headline string
	Kept     string
	How      string
	Plan     *migrate.Plan
	Totals   migrate.Totals
	Open     int
	Needs    []need

	Dir     string // the folder that all files share
	Files   []fileView
	Sum     migrate.FilePlan
	Unread  []string
	Changes []change
	Entries string // what ledger entries are; empty: there are none

	Groups      []groupView
	Rejects     []migrate.RejectLine
	MoreRejects int
	RejectsBy   []reasonCount
	Arguments   string

	moneyPage
}

// fileView is one export and the shares of its rows.
type fileView struct {
	migrate.FilePlan
	Name    string
	Bar     []share
	Skips   string
	Dates   []string
	Numbers []string
	Strange []string // headers not understood
	Secrets []string // names of the columns that were dropped
}

// share is one part of a bar that is 100 wide.
type share struct {
	Class string // its colour
	X, W  float64
}

// groupView is the conflicts of one kind, as many as are shown.
type groupView struct {
	group
	Total, More int
}

func newPage(p *migrate.Plan, title string) page {
	v := page{
		Title: visible(title), Headline: headline(p), Kept: codesText(p), How: partnersText(p), Plan: p, Totals: p.Totals,
		Open: len(p.Open()), Needs: needs(p), Changes: changes(p), Entries: entriesNote(p), RejectsBy: countReasons(p.Rejects),
		Arguments: visible(arguments(p.Args)),
		moneyPage: newMoneyPage(p),
	}
	paths := make([]string, 0, len(p.Files))
	for _, f := range p.Files {
		paths = append(paths, f.Path)
	}
	dir, names := shorten(paths)
	v.Dir = visible(dir)
	for i, f := range p.Files {
		v.Files = append(v.Files, viewFile(f, names[i]))
		v.Sum.Rows += f.Rows
		v.Sum.Loaded += f.Loaded
		v.Sum.Rejected += f.Rejected
		v.Sum.Skipped += f.Skipped
	}
	for _, u := range p.Unread {
		v.Unread = append(v.Unread, unreadLine(u))
	}
	for _, g := range groupConflicts(p.Conflicts) {
		view := groupView{group: g, Total: len(g.List)}
		view.List = g.List[:min(view.Total, shownConflicts)]
		view.More = view.Total - len(view.List)
		v.Groups = append(v.Groups, view)
	}
	v.Rejects = slices.Clone(p.Rejects[:min(len(p.Rejects), shownRejects)])
	for i := range v.Rejects {
		v.Rejects[i].File = strings.TrimPrefix(v.Rejects[i].File, dir+"/")
	}
	v.MoreRejects = len(p.Rejects) - len(v.Rejects)
	return v
}

func viewFile(f migrate.FilePlan, name string) fileView {
	v := fileView{FilePlan: f, Name: visible(name), Bar: shares(f), Strange: f.NotUnderstood, Secrets: f.Dropped}
	var skips []string
	for _, s := range byCount(f.SkippedBy) {
		skips = append(skips, Count(s.N)+" "+reasonWords(s.Reason))
	}
	v.Skips = strings.Join(skips, ", ")
	for _, header := range slices.Sorted(maps.Keys(f.DateLayout)) {
		v.Dates = append(v.Dates, visible(header)+": "+strings.ReplaceAll(visible(f.DateLayout[header]), "_", " "))
	}
	for _, header := range slices.Sorted(maps.Keys(f.NumberFormat)) {
		v.Numbers = append(v.Numbers, visible(header)+": "+strings.ReplaceAll(visible(f.NumberFormat[header]), "_", " "))
	}
	return v
}

// shares are the parts of the bar of a file.
func shares(f migrate.FilePlan) []share {
	return divide([]share{{Class: "loaded"}, {Class: "rejected"}, {Class: "skipped"}}, []int{f.Loaded, f.Rejected, f.Skipped})
}

// divide gives each part of a bar its place, by its count. A part that holds something at
// all is wide enough to be seen, at the cost of the widest; one of 0 is left out.
func divide(parts []share, counts []int) []share {
	all := 0
	for _, n := range counts {
		all += n
	}
	if all <= 0 {
		return nil
	}
	const least = 1.5
	widest, taken := 0, 0.0
	for i, n := range counts {
		if n > 0 {
			parts[i].W = max(least, 100*float64(n)/float64(all))
		}
		taken += parts[i].W
		if parts[i].W > parts[widest].W {
			widest = i
		}
	}
	parts[widest].W -= taken - 100
	var bar []share
	x := 0.0
	for _, s := range parts {
		if s.W > 0 {
			s.X = x
			x += s.W
			bar = append(bar, share{s.Class, round(s.X), round(s.W)})
		}
	}
	return bar
}

// round keeps two decimals, enough for a bar of any screen.
func round(x float64) float64 { return float64(int(x*100+0.5)) / 100 }

// size writes a number of bytes as people say it.
func size(n int64) string {
	switch {
	case n < 1000:
		return quantity(int(n), "byte", "bytes")
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// list joins names that come from a file.
func list(names []string) string {
	clean := make([]string, 0, len(names))
	for _, n := range names {
		clean = append(clean, visible(n))
	}
	return strings.Join(clean, ", ")
}
