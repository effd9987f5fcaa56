package report

import "strings"

// What a text is styled with on a terminal that has colour.
const (
	Warning  = "\x1b[1;31m"
	Strong   = "\x1b[1m"
	Code     = "\x1b[36m"
	Emphasis = "\x1b[4m"
	Unstyled = "\x1b[0m" // ends each
)

// Styles are all of them: no other sequence is ever written to a terminal.
var Styles = [...]string{Warning, Strong, Code, Emphasis, Unstyled}

// Terminal is what a text is laid out for.
type Terminal struct {
	Width  int  // in columns; 0: lines may be of any length
	Colour bool // of what needs a person
}

// Alert is a text that a person should see first.
func (t Terminal) Alert(text string) string {
	if !t.Colour {
		return text
	}
	return Warning + text + Unstyled
}

// Wrap breaks the lines of a text at blanks where they are longer than the width, if words
// allow it. What is broken off goes on below the beginning of its line.
func (t Terminal) Wrap(text string) string {
	if t.Width <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if columns(line) > t.Width {
			margin := line[:len(line)-len(strings.TrimLeft(line, " "))]
			lines[i] = margin + strings.Join(wrap(line, max(1, t.Width-len(margin))), "\n"+margin)
		}
	}
	return strings.Join(lines, "\n")
}

// wrap breaks s at blanks into lines of at most n columns; a word that is longer has a line
// of its own. An amount and its currency stay together.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for _, word := range pieces(s) {
		if line != "" && columns(line)+1+columns(word) > n {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// pieces are the parts of a text between which a line may end.
func pieces(s string) []string {
	list := strings.Fields(s)
	for i := len(list) - 1; i > 0; i-- {
		if len(list[i]) == 3 && strings.Trim(list[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && number(list[i-1]) {
			list[i-1] += " " + list[i]
			list = append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// longestWord is how many columns the longest of them takes.
func longestWord(s string) int {
	n := 0
	for _, word := range pieces(s) {
		n = max(n, columns(word))
	}
	return n
}
