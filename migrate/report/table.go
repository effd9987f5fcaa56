package report

import (
	"bufio"
	"io"
	"strings"
)

// Table writes rows under header, aligned by the columns that the text takes on a
// terminal. A column of numbers, durations or amounts is aligned to the right; the last
// column is not padded. A row may be shorter than the header. There is no colour.
func Table(w io.Writer, header []string, rows [][]string) error {
	all := make([][]string, 0, len(rows)+1)
	for _, row := range append([][]string{header}, rows...) {
		clean := make([]string, len(header))
		for i := range min(len(row), len(header)) {
			clean[i] = visible(row[i])
		}
		all = append(all, clean)
	}
	widths, right := make([]int, len(header)), make([]bool, len(header))
	for i := range header {
		right[i] = numbers(all[1:], i)
		for _, row := range all {
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	out := bufio.NewWriter(w)
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if right[i] {
				cell, pad = pad, cell
			}
			line.WriteString(cell)
			line.WriteString(pad)
		}
		out.WriteString(strings.TrimRight(line.String(), " "))
		out.WriteByte('\n')
	}
	return out.Flush()
}

// numbers says whether column i holds numbers, with or without a unit, and nothing else.
func numbers(rows [][]string, i int) bool {
	found := false
	for _, row := range rows {
		cell := row[i]
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
