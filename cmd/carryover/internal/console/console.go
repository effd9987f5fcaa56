// Package console is between commands and the people and scripts that run them: tables, CSV
// and JSON on standard output, sentences on standard error, exit codes.
package console

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/term"

	"carryover/migrate"
	"carryover/migrate/report"
)

// Console is what a command reads from and writes to. Whatever goes through it cannot command
// a terminal.
type Console struct {
	In  io.Reader
	Out io.Writer    // what was asked for
	Err io.Writer    // what there is to say about it
	Log *slog.Logger // to Err, what is at least Level

	Level    *slog.LevelVar
	Form     Form
	Terminal report.Terminal // of Out

	errFile *os.File // what Err writes to, when that is a file or a terminal
}

// Form is how tables and objects are written.
type Form uint8

// What a command writes to standard output.
const (
	Text Form = iota
	JSON      // one object a line
	CSV
)

// New is a console for these; what Out is decides how wide tables are and whether there is
// colour.
func New(in io.Reader, out, errOut io.Writer) *Console {
	c := &Console{In: in, Level: &slog.LevelVar{}, Terminal: terminal(out, os.Getenv)}
	c.errFile, _ = errOut.(*os.File)
	c.Out = newSafeWriter(out, c.Terminal.Colour, func() bool { return c.Form != Text })
	c.Err = newSafeWriter(errOut, false, func() bool { return false })
	c.Log = slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: c.Level}))
	return c
}

// terminal is what is known of w: with COLUMNS set it is as wide as that says, whatever it is.
// Only a terminal has colour, and none where NO_COLOR is set.
func terminal(w io.Writer, env func(string) string) (t report.Terminal) {
	if n, err := strconv.Atoi(env("COLUMNS")); err == nil && n > 0 {
		t.Width = n
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && t.Width == 0 {
			t.Width = n
		}
		t.Colour = env("NO_COLOR") == "" && env("TERM") != "dumb"
	}
	return t
}

// AtTerminal says whether a person reads standard error as it is written.
func (c *Console) AtTerminal() bool {
	return c.errFile != nil && term.IsTerminal(int(c.errFile.Fd()))
}

// ServiceLog is the log of what runs for long: text for a person at a terminal, JSON for
// machines.
func (c *Console) ServiceLog() *slog.Logger {
	if c.AtTerminal() {
		return c.Log
	}
	return slog.New(slog.NewJSONHandler(c.Err, &slog.HandlerOptions{Level: c.Level}))
}

// Progress shows long steps on standard error.
func (c *Console) Progress() migrate.Progress {
	if c.errFile != nil {
		return report.New(c.errFile, c.Log)
	}
	return migrate.NoProgress{}
}

// Object writes v as one line of JSON.
func (c *Console) Object(v any) error { return encoder(c.Out).Encode(v) }

func encoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// Say writes sentences for a person, broken at blanks where the terminal ends. What is copied
// must not be broken, and has no place here.
func (c *Console) Say(format string, args ...any) error {
	_, err := fmt.Fprintln(c.Out, c.Terminal.Wrap(fmt.Sprintf(format, args...)))
	return err
}

// Note says something about the result on standard error.
func (c *Console) Note(format string, args ...any) {
	fmt.Fprintf(c.Err, "carryover: "+format+"\n", args...)
}

// Facts writes pairs of a name and a value for a person; those without a value are left out.
func (c *Console) Facts(rows [][]string) error {
	t := report.Table{Terminal: c.Terminal, Titles: []string{"", ""}}
	for _, row := range rows {
		if row[1] != "" {
			t.Rows = append(t.Rows, row)
		}
	}
	return t.Write(c.Out)
}
