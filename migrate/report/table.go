package report

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Table is rows under titles, aligned by the columns that the text takes on a terminal. A
// column of numbers, durations or amounts is aligned to the right; the last column is not
// padded. A row may be shorter than the titles.
//
// Where the width does not suffice, columns without any text are left out and words are
// wrapped, never numbers. If that does not suffice either, columns are written below their
// row, as "title: text".
type Table struct {
	Terminal
	Titles []string
	Rows   [][]string
	Margin int                              // columns that stay free on the left
	Below  []string                         // titles of the columns that are the first to go below their row
	Alert  func(row int, title string) bool // which cells need a person; nil: none
}

// Write writes the table.
func (t *Table) Write(w io.Writer) error {
	g := t.grid()
	g.fit(t.Width)
	out := bufio.NewWriter(w)
	if slices.ContainsFunc(t.Titles, func(title string) bool { return title != "" }) {
		g.row(out, -1)
	}
	for i := range t.Rows {
		g.row(out, i)
	}
	return out.Flush()
}

// grid is a table on its way to the terminal.
type grid struct {
	*Table
	gap     int
	columns []column // that stand beside each other
	below   []column
}

// column is one of a table.
type column struct {
	title string
	cells []string
	right bool // numbers
	full  int  // columns of the terminal that its longest text takes
	least int  // those without which it is hard to read
	tight int  // those without which words of its cells would break
	width int  // those that it has
}

const (
	legible = 12 // columns of words are not made narrower where there is another way
	shorter = 8  // nor the title of a column of numbers
	hanging = 20 // the few that are longer in the first column stand above the rest of their row
)

func (t *Table) grid() *grid {
	g := &grid{Table: t, gap: 2}
	for i, title := range t.Titles {
		c := column{title: visible(title), cells: make([]string, len(t.Rows))}
		for j, row := range t.Rows {
			if i < len(row) {
				c.cells[j] = visible(row[i])
			}
		}
		c.right = numbers(c.cells)
		c.full, c.least = columns(c.title), longestWord(c.title)
		c.tight = c.least
		if c.right && strings.IndexFunc(title, unicode.IsDigit) < 0 {
			c.tight = min(c.least, shorter)
		}
		widest := 0
		if i == 0 {
			widest = max(hanging, usual(c.cells))
		}
		for _, cell := range c.cells {
			n := columns(cell)
			least, tight := n, n
			c.full = max(c.full, n)
			if !c.right {
				word := longestWord(cell)
				least = max(word, min(n, legible))
				if tight = least; n <= 2*word { // two lines will do
					tight = word
				}
			}
			if i == 0 {
				least, tight = min(least, widest), min(tight, widest)
			}
			c.least, c.tight = max(c.least, least), max(c.tight, tight)
		}
		c.width = c.full
		g.columns = append(g.columns, c)
	}
	return g
}

// usual is the width that seven of eight cells do not exceed.
func usual(cells []string) int {
	widths := make([]int, len(cells))
	for i, cell := range cells {
		widths[i] = longestWord(cell)
	}
	slices.Sort(widths)
	if len(widths) == 0 {
		return 0
	}
	return widths[len(widths)*7/8]
}

// fit makes the columns as narrow as they must be.
func (g *grid) fit(width int) {
	full := func(c *column) int { return c.full }
	least := func(c *column) int { return c.least }
	tight := func(c *column) int { return c.tight }
	fits := func(gap int, of func(*column) int) bool {
		g.gap = gap
		return g.sum(of) <= width
	}
	if width <= 0 || fits(2, full) {
		return
	}
	g.columns = slices.DeleteFunc(g.columns, func(c column) bool {
		return len(c.cells) > 0 && !slices.ContainsFunc(c.cells, func(cell string) bool { return cell != "" })
	})
	if fits(2, full) || fits(1, full) {
		return
	}
	for {
		for _, of := range []func(*column) int{least, tight} {
			if fits(2, of) || fits(1, of) {
				g.spread(width, of)
				return
			}
		}
		if len(g.columns) <= 1 {
			return
		}
		i := g.next()
		g.below = append(g.below, g.columns[i])
		g.columns = slices.Delete(g.columns, i, i+1)
		slices.SortFunc(g.below, func(a, b column) int { return slices.Index(g.Titles, a.title) - slices.Index(g.Titles, b.title) })
	}
}

// spread shares what is left of the width among the columns, by what each of them misses.
func (g *grid) spread(width int, least func(*column) int) {
	free, missing := width-g.sum(least), 0
	for i := range g.columns {
		c := &g.columns[i]
		c.width = least(c)
		missing += c.full - c.width
	}
	for i := range g.columns {
		if c := &g.columns[i]; missing > 0 {
			misses := c.full - c.width
			share := min(misses, (free*misses+missing-1)/missing)
			c.width, free, missing = c.width+share, free-share, missing-misses
		}
	}
}

// next is the column that goes below the rows next: one that may, the last of them; else the
// widest of words, but not the first.
func (g *grid) next() int {
	next := -1
	for i := 1; i < len(g.columns); i++ {
		if slices.Contains(g.Below, g.columns[i].title) {
			next = i
		}
	}
	if next >= 0 {
		return next
	}
	next = len(g.columns) - 1
	for i := len(g.columns) - 1; i > 0; i-- {
		if c := &g.columns[i]; !c.right && (g.columns[next].right || c.least > g.columns[next].least) {
			next = i
		}
	}
	return next
}

// sum is what a line takes.
func (g *grid) sum(of func(*column) int) int {
	n := g.Margin + g.gap*(len(g.columns)-1)
	for i := range g.columns {
		n += of(&g.columns[i])
	}
	return n
}

// row writes a row, or the titles for -1.
func (g *grid) row(out *bufio.Writer, row int) {
	cells, lines := make([][]string, len(g.columns)), 1
	for i := range g.columns {
		c := &g.columns[i]
		cells[i] = c.lines(row)
		if i == 0 && row >= 0 && columns(cells[0][0]) > c.width { // it hangs over
			out.WriteString(strings.Repeat(" ", g.Margin) + g.paint(cells[0][0], row, c.title) + "\n")
			cells[0] = cells[0][1:]
		}
		lines = max(lines, len(cells[i]))
	}
	for l := range lines {
		var line strings.Builder
		pad := g.Margin
		for i := range g.columns {
			c, text := &g.columns[i], ""
			if l < len(cells[i]) {
				text = cells[i][l]
			}
			if text == "" { // blanks at the end of a line are left out
				pad += c.width + g.gap
				continue
			}
			free := max(0, c.width-columns(text))
			if c.right {
				pad, free = pad+free, 0
			}
			line.WriteString(strings.Repeat(" ", pad))
			line.WriteString(g.paint(text, row, c.title))
			pad = free + g.gap
		}
		out.WriteString(line.String())
		out.WriteByte('\n')
	}
	if row >= 0 {
		g.under(out, row)
	}
}

// lines are a cell, or the title for -1, in as many lines as it needs.
func (c *column) lines(row int) []string {
	text := c.title
	if row >= 0 {
		text = c.cells[row]
	}
	if columns(text) <= c.width {
		return []string{text}
	}
	lines := wrap(text, c.width)
	if row >= 0 {
		return lines
	}
	for i := 0; i < len(lines); i++ { // words of titles may break
		if word := lines[i]; columns(word) > c.width && c.width > 1 {
			head := []rune(word)[:c.width-1]
			lines = slices.Replace(lines, i, i+1, string(head)+"-", strings.TrimPrefix(word, string(head)))
		}
	}
	return lines
}

// indent is how far what stands below a row is to the right of it, and between two of these.
const indent = 2

// under writes the columns that stand below a row.
func (g *grid) under(out *bufio.Writer, row int) {
	margin := g.Margin + indent
	line, used := strings.Repeat(" ", margin), margin
	for i := range g.below {
		c := &g.below[i]
		if c.cells[row] == "" {
			continue
		}
		text := c.title + ": " + c.cells[row]
		if used > margin && used+indent+columns(text) > g.Width {
			out.WriteString(line + "\n")
			line, used = strings.Repeat(" ", margin), margin
		}
		if used > margin {
			line, used = line+strings.Repeat(" ", indent), used+indent
		}
		parts := wrap(text, max(1, g.Width-used))
		for j, part := range parts {
			if j > 0 {
				out.WriteString(line + "\n")
				line, used = strings.Repeat(" ", margin+indent), margin+indent
			}
			line, used = line+g.paint(part, row, c.title), used+columns(part)
		}
	}
	if used > margin {
		out.WriteString(line + "\n")
	}
}

// paint marks what needs a person.
func (g *grid) paint(text string, row int, title string) string {
	if row < 0 || g.Table.Alert == nil || !g.Table.Alert(row, title) {
		return text
	}
	return g.Terminal.Alert(text)
}

// numbers says whether cells are numbers, with or without a unit, and nothing else.
func numbers(cells []string) bool {
	found := false
	for _, cell := range cells {
		if cell == "" || cell == "–" {
			continue
		}
		if !number(cell) {
			return false
		}
		found = true
	}
	return found
}

// number takes 12, -1,234.50, 45%, "<1 ms" and "2 m 05 s".
func number(cell string) bool {
	cell = strings.TrimLeft(cell, "<-+$")
	if cell == "" || cell[0] < '0' || '9' < cell[0] {
		return false
	}
	for _, word := range strings.Fields(cell) {
		word = strings.TrimSuffix(word, "%")
		if word != "ms" && word != "s" && word != "m" && strings.Trim(word, "0123456789,.") != "" {
			return false
		}
	}
	return true
}
