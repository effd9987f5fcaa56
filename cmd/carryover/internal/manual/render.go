package manual

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"carryover/migrate/report"
)

// Widths of text: what is not told, and what can still be read.
const (
	usualWidth = 80
	mostWidth  = 100
	wholeCode  = 40 // code of so many bytes is not broken
)

// whole stands for a blank at which no line may end, until the line is written.
const whole = "\u00a0"

// Styles of a terminal with colour.
const (
	strong    = report.Strong
	code      = report.Code
	emphasis  = report.Emphasis
	unstyled  = report.Unstyled
	codeInset = "    "
)

// underlines are by the level of a heading.
const underlines = "=-"

// Render writes Markdown for a terminal, as far as the pages of the manual use it: headings,
// paragraphs, lists, tables, code, links. Without a width it is wrapped for 80 columns.
func Render(w io.Writer, t report.Terminal, text string) error {
	if t.Width <= 0 {
		t.Width = usualWidth
	}
	r := &renderer{out: bufio.NewWriter(w), Terminal: t, prose: min(t.Width, mostWidth)}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for len(lines) > 0 {
		lines = lines[r.block(lines):]
	}
	return r.out.Flush()
}

type renderer struct {
	report.Terminal
	out   *bufio.Writer
	prose int // width of paragraphs
	begun bool
}

var listItem = regexp.MustCompile(`^(-|\d+\.) `)

// block writes the block that lines begin with, and says how many lines it takes.
func (r *renderer) block(lines []string) int {
	first := lines[0]
	if first == "" {
		return 1
	}
	if r.begun {
		r.out.WriteByte('\n')
	}
	r.begun = true
	n := 1
	for n < len(lines) && lines[n] != "" {
		n++
	}
	switch {
	case strings.HasPrefix(first, "```"):
		return r.code(lines)
	case strings.HasPrefix(first, "#"):
		r.heading(first)
		return 1
	case strings.HasPrefix(first, "| "):
		r.table(lines[:n])
	case listItem.MatchString(first):
		r.list(lines[:n])
	default:
		r.paragraph(lines[:n], "", "")
	}
	return n
}

// heading stands out by its style; where there are none, by a line below those of the page
// and its parts.
func (r *renderer) heading(line string) {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	text := r.plain(strings.TrimSpace(line[level:]))
	r.out.WriteString(r.style(strong, text) + "\n")
	if !r.Colour && level <= len(underlines) {
		r.out.WriteString(strings.Repeat(underlines[level-1:level], utf8.RuneCountInString(text)) + "\n")
	}
}

// code writes a fenced block as it stands. The commands in it stand out.
func (r *renderer) code(lines []string) int {
	n := 1
	for ; n < len(lines) && !strings.HasPrefix(lines[n], "```"); n++ {
		line := lines[n]
		if strings.HasPrefix(line, "$ ") {
			line = r.style(strong, line)
		}
		if line != "" {
			r.out.WriteString(codeInset + line)
		}
		r.out.WriteByte('\n')
	}
	return min(n+1, len(lines))
}

func (r *renderer) list(lines []string) {
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && !listItem.MatchString(lines[n]) {
			n++
		}
		mark := listItem.FindString(lines[0])
		item := append([]string{strings.TrimPrefix(lines[0], mark)}, lines[1:n]...)
		r.paragraph(item, mark, strings.Repeat(" ", len(mark)))
		lines = lines[n:]
	}
}

func (r *renderer) table(lines []string) {
	t := report.Table{Terminal: r.Terminal, Titles: r.cells(lines[0]), Margin: 2}
	var rules []string
	for _, title := range t.Titles {
		rules = append(rules, strings.Repeat("-", max(3, utf8.RuneCountInString(title))))
	}
	t.Rows = append(t.Rows, rules)
	for _, line := range lines[min(2, len(lines)):] { // after the rule
		t.Rows = append(t.Rows, r.cells(line))
	}
	t.Write(r.out) // its error comes back from out
}

// cells are what stands in a row of a table. Colour would be taken for text there.
func (r *renderer) cells(line string) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i, cell := range cells {
		cell = r.plain(strings.TrimSpace(cell))
		if inner := strings.Trim(cell, "`"); len(cell) == len(inner)+2 && !strings.Contains(inner, "`") {
			cell = inner
		}
		cells[i] = cell
	}
	return cells
}

// paragraph wraps lines into one, the first line behind lead and the others behind margin.
func (r *renderer) paragraph(lines []string, lead, margin string) {
	text := r.inline(strings.Join(strings.Fields(strings.Join(lines, " ")), " "))
	line, used := lead, len(lead)
	for i, word := range words(text) {
		n := visible(word)
		if i > 0 && used+1+n > r.prose {
			r.line(line)
			line, used = margin, len(margin)
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	r.line(line)
}

func (r *renderer) line(text string) {
	r.out.WriteString(strings.ReplaceAll(text, whole, " ") + "\n")
}

// words parts a text at its blanks. A style goes on in each word that it covers.
func words(text string) []string {
	list := strings.Split(text, " ")
	open := ""
	for i, word := range list {
		began := open
		for rest := word; ; {
			at := strings.IndexByte(rest, '\x1b')
			if at < 0 {
				break
			}
			end := at + strings.IndexByte(rest[at:], 'm') + 1
			open = rest[at:end]
			if open == unstyled {
				open = ""
			}
			rest = rest[end:]
		}
		word = began + word
		if open != "" {
			word += unstyled
		}
		list[i] = word
	}
	return list
}

var escape = regexp.MustCompile("\x1b\\[[0-9]*m")

// visible is how many columns a word takes.
func visible(word string) int { return utf8.RuneCountInString(escape.ReplaceAllString(word, "")) }

// helpOn shows a page.
const helpOn = "carryover help "

var (
	link     = regexp.MustCompile(`\[([^\]]+)\]\(([^)]*)\)`)
	codeSpan = regexp.MustCompile("`[^`]+`")
	bold     = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	italic   = regexp.MustCompile(`\*([^*]+)\*`)
)

// inline gives text its styles; without colour code keeps its marks, which show where it
// begins and ends.
func (r *renderer) inline(text string) string {
	var b strings.Builder
	for at := 0; at < len(text); {
		span := codeSpan.FindStringIndex(text[at:])
		if span == nil {
			b.WriteString(r.styled(text[at:]))
			break
		}
		b.WriteString(r.styled(text[at : at+span[0]]))
		inner := text[at+span[0] : at+span[1]]
		if len(inner) <= wholeCode {
			inner = strings.ReplaceAll(inner, " ", whole)
		}
		if r.Colour {
			inner = r.style(code, strings.Trim(inner, "`"))
		}
		b.WriteString(inner)
		at += span[1]
	}
	return b.String()
}

// styled does what inline does for text that is no code.
func (r *renderer) styled(text string) string {
	text = strings.ReplaceAll(r.links(text), helpOn, strings.ReplaceAll(helpOn, " ", whole))
	text = bold.ReplaceAllStringFunc(text, func(s string) string { return r.style(strong, strings.Trim(s, "*")) })
	return italic.ReplaceAllStringFunc(text, func(s string) string { return r.style(emphasis, strings.Trim(s, "*")) })
}

// plain is text without styles.
func (r *renderer) plain(text string) string {
	return italic.ReplaceAllString(bold.ReplaceAllString(r.links(text), "$1"), "$1")
}

// links says where links lead: to another page by the words that show it. A link inside the
// page, or to a file of the source, is its text alone.
func (r *renderer) links(text string) string {
	return link.ReplaceAllStringFunc(text, func(s string) string {
		m := link.FindStringSubmatch(s)
		target, _, _ := strings.Cut(m[2], "#")
		switch subject, page := strings.CutSuffix(target, ".md"); {
		case strings.Contains(target, "://"):
			return fmt.Sprintf("%s (%s)", m[1], target)
		case !page || strings.Contains(subject, "/") || m[1] == subject:
			return m[1]
		default:
			return m[1] + " (" + helpOn + subject + ")"
		}
	})
}

func (r *renderer) style(style, text string) string {
	if !r.Colour {
		return text
	}
	return style + text + unstyled
}
