package console

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// ManPage writes the manual page of a program, in roff: every command with its flags.
func ManPage(w io.Writer, model *kong.Application, version string) error {
	m := &man{}
	m.line(`.TH %s 1 "" %s`, quoted(strings.ToUpper(model.Name)), quoted(model.Name+" "+version))
	m.line(".SH NAME")
	m.line("%s \\- %s", escaped(model.Name), escaped(strings.TrimSuffix(model.Help, ".")))
	m.line(".SH SYNOPSIS")
	m.line(".B %s\n.I COMMAND\n[\\fIFLAGS\\fR]", escaped(model.Name))
	m.line(".SH COMMANDS")
	for _, n := range model.Leaves(true) {
		m.command(n)
	}
	m.line(".SH GLOBAL FLAGS")
	m.flags(model.Flags)
	m.line(".SH EXIT STATUS")
	for _, c := range []struct {
		code  int
		means string
	}{
		{ExitDone, "Done."}, {ExitFailed, "Failed."}, {ExitUsage, "The command line is wrong."},
		{ExitDecide, "A person must decide: conflicts, totals that are not proven."},
	} {
		m.line(".TP\n.B %d\n%s", c.code, c.means)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// man gathers lines; a builder does not fail.
type man struct{ strings.Builder }

func (m *man) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *man) command(n *kong.Node) {
	m.line(".SS %s", quoted(n.FullPath()))
	usage := n.FullPath()
	for _, p := range n.Positional {
		usage += " " + p.Summary()
	}
	m.line("\\fB%s\\fR [\\fIFLAGS\\fR]", escaped(usage))
	m.line(".PP\n%s", escaped(n.Help))
	for paragraph := range strings.SplitSeq(strings.TrimSpace(n.Detail), "\n\n") {
		switch {
		case strings.Contains(paragraph, "   "): // in columns
			m.line(".PP\n.nf\n%s\n.fi", escaped(paragraph))
		case paragraph != "":
			m.line(".PP\n%s", escaped(paragraph))
		}
	}
	for _, p := range n.Positional {
		m.line(".TP\n.I %s\n%s", escaped(p.Summary()), escaped(p.Help))
	}
	m.flags(n.Flags)
}

func (m *man) flags(flags []*kong.Flag) {
	for _, f := range flags {
		if !f.Hidden {
			m.line(".TP\n\\fB%s\\fR\n%s", escaped(flagUsage(f)), escaped(f.Help))
		}
	}
}

// escaped is text that roff takes as it stands.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") { // a request
			line = `\&` + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

func quoted(text string) string { return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"` }
