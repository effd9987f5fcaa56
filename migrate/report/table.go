package report

import (
	"bufio"
	"io"
	"slices"
	"strings"
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
	columns []column // that stand beside each other
	below   []column
}

// column is one of a table.
type column struct {
	title string
	cells []string
	right bool // numbers
	full  int  // columns of the terminal that its longest cell takes
	least int  // those without which a word would break
	width int  // those that it has
}

const (
	gap     = 2  // between two columns
	legible = 12 // a column of words is not made narrower
)

func (t *Table) grid() *grid {
	g := &grid{Table: t}
	for i, title := range t.Titles {
		c := column{title: visible(title), cells: make([]string, len(t.Rows))}
		for j, row := range t.Rows {
			if i < len(row) {
				c.cells[j] = visible(row[i])
			}
		}
		c.right = numbers(c.cells)
		c.full, c.least = columns(c.title), longestWord(c.title)
		for _, cell := range c.cells {
			n := columns(cell)
			c.full = max(c.full, n)
			if !c.right {
				n = max(longestWord(cell), min(n, legible))
			}
			c.least = max(c.least, n)
		}
		c.width = c.full
		g.columns = append(g.columns, c)
	}
	return g
}

// fit makes the columns as narrow as they must be.
func (g *grid) fit(width int) {
	full := func(c *column) int { return c.full }
	least := func(c *column) int { return c.least }
	if width <= 0 || g.sum(full) <= width {
		return
	}
	g.columns = slices.DeleteFunc(g.columns, func(c column) bool {
		return len(c.cells) > 0 && !slices.ContainsFunc(c.cells, func(cell string) bool { return cell != "" })
	})
	for len(g.columns) > 1 && g.sum(least) > width {
		i := g.next()
		g.below = append(g.below, g.columns[i])
		g.columns = slices.Delete(g.columns, i, i+1)
	}
	slices.SortStableFunc(g.below, func(a, b column) int { return slices.Index(g.Titles, a.title) - slices.Index(g.Titles, b.title) })
	free := width - g.sum(least)
	for i := range g.columns {
		g.columns[i].width = g.columns[i].least
	}
	for ; free > 0; free-- { // to whom most is missing
		short := slices.MaxFunc(indexes(g.columns), func(a, b int) int { return g.columns[a].missing() - g.columns[b].missing() })
		if g.columns[short].missing() == 0 {
			return
		}
		g.columns[short].width++
	}
}

func (c *column) missing() int { return c.full - c.width }

func indexes(list []column) []int {
	all := make([]int, len(list))
	for i := range all {
		all[i] = i
	}
	return all
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
	n := g.Margin + gap*(len(g.columns)-1)
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
		cells[i] = []string{c.cell(row)}
		if columns(cells[i][0]) > c.width {
			cells[i] = wrap(cells[i][0], c.width)
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
				pad += c.width + gap
				continue
			}
			free := max(0, c.width-columns(text))
			if c.right {
				pad, free = pad+free, 0
			}
			line.WriteString(strings.Repeat(" ", pad))
			line.WriteString(g.paint(text, row, c.title))
			pad = free + gap
		}
		out.WriteString(line.String())
		out.WriteByte('\n')
	}
	if row >= 0 {
		g.under(out, row)
	}
}

func (c *column) cell(row int) string {
	if row < 0 {
		return c.title
	}
	return c.cells[row]
}

// under writes the columns that stand below a row.
func (g *grid) under(out *bufio.Writer, row int) {
	margin := g.Margin + gap
	line, used := strings.Repeat(" ", margin), margin
	for i := range g.below {
		c := &g.below[i]
		if c.cells[row] == "" {
			continue
		}
		text := c.title + ": " + c.cells[row]
		if used > margin && used+gap+columns(text) > g.Width {
			out.WriteString(line + "\n")
			line, used = strings.Repeat(" ", margin), margin
		}
		if used > margin {
			line, used = line+strings.Repeat(" ", gap), used+gap
		}
		parts := wrap(text, max(1, g.Width-used))
		for j, part := range parts {
			if j > 0 {
				out.WriteString(line + "\n")
				line, used = strings.Repeat(" ", margin+gap), margin+gap
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
