package main

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/manual"
)

//go:embed manual/*.md
var manualFiles embed.FS

// readManual is the manual that the binary carries.
func readManual() *manual.Manual {
	files, err := fs.Sub(manualFiles, "manual")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	m, err := manual.Read(files)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return m
}

type helpCmd struct {
	Subject []string `arg:"" optional:"" help:"A page of the manual, such as customers; or a command, such as payouts plan."`
}

func (helpCmd) Help() string {
	return `Without a word after it, it lists the pages of the manual; with a page's name it shows the page; with a command
it shows the command's help. Changes nothing.

Example: carryover help customers`
}

var subjects = console.Table[manual.Page]{
	Titles: []string{"subject", "what is in it"},
	Cells:  func(p *manual.Page) []string { return []string{p.Subject, p.Summary} },
}

func (c *helpCmd) Run(a *app) error {
	m := readManual()
	if len(c.Subject) == 0 {
		return a.listSubjects(m)
	}
	shown := false
	parser, err := newParser(a, func(int) { shown = true })
	if err != nil {
		return err
	}
	asked := strings.Join(c.Subject, " ")
	isCommand := console.CommandWords(parser.Model.Node, c.Subject) == len(c.Subject)
	page, isPage := m.Page(asked)
	switch {
	case isPage && a.Form == console.JSON:
		return a.Object(page)
	case isPage:
		if err := manual.Render(a.Out, a.Terminal, page.Text); err != nil || !isCommand {
			return err
		}
		_, err := fmt.Fprintf(a.Out, "\nThe flags of the command: carryover %s --help\n", asked)
		return err
	case isCommand:
		if _, err := parser.Parse(append(c.Subject, "--help")); !shown { // what follows the help does not count
			return err
		}
		return nil
	}
	hint := ""
	if near := m.Nearest(asked, console.CommandNames(parser.Model.Node)); near != "" {
		hint = fmt.Sprintf("did you mean %s? ", near)
	}
	return console.UsageError("there is no page and no command %q: %s\"carryover help\" lists the pages, \"carryover --help\" the commands",
		asked, hint)
}

func (a *app) listSubjects(m *manual.Manual) error {
	pages := m.Pages()
	if a.Form != console.Text {
		for i := range pages {
			pages[i].Text = ""
		}
	}
	if err := console.Print(a.Console, &subjects, pages); err != nil || a.Form != console.Text {
		return err
	}
	_, err := fmt.Fprint(a.Out, "\ncarryover help SUBJECT shows a page, carryover help COMMAND a command's help.\n"+
		"carryover --help lists the commands.\n")
	return err
}
