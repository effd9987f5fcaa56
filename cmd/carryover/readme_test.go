package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/manual"
)

// readme is the README's path from here. Pages of the manual are named as in the manual's
// folder.
const readme = "../../README.md"

// written are the README and all pages of the manual, by path.
func written(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("manual/*.md")
	if err != nil || len(paths) < 17 {
		t.Fatalf("the manual has %d pages: %v", len(paths), err)
	}
	pages := map[string]string{readme: readFile(t, readme)}
	for _, path := range paths {
		pages[path] = readFile(t, path)
	}
	return pages
}

// fence is a block of code in a page: ```console story exit=3
type fence struct {
	lang  string
	name  string   // the first word after it: a program, or the name of a file
	flags []string // all words after it
	text  string
}

// flag is the value of a word such as exit=3.
func (f *fence) flag(name string) string {
	for _, word := range f.flags {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

// command is what a block shows as typed, and what it shows of the output.
func (f *fence) command() (command, want string, ok bool) {
	command, want, _ = strings.Cut(f.text, "\n")
	command, ok = strings.CutPrefix(command, "$ ")
	return command, want, ok && f.lang == "console"
}

func fences(text string) iter.Seq[*fence] {
	return func(yield func(*fence) bool) {
		var open *fence
		for line := range strings.Lines(text) {
			info, isFence := strings.CutPrefix(strings.TrimRight(line, "\n"), "```")
			switch {
			case isFence && open == nil:
				words := append(strings.Fields(info), "", "")
				open = &fence{lang: words[0], name: words[1], flags: words[1:]}
			case isFence:
				if open.text = strings.TrimSuffix(open.text, "\n"); !yield(open) {
					return
				}
				open = nil
			case open != nil:
				open.text += line
			}
		}
	}
}

// words parts a command line at its blanks, with texts in quotes as one word.
func words(command string) (list []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(command, -1) {
		list = append(list, m[1]+m[2]+m[3])
	}
	return list
}

// shows says how an output differs from what a page shows of it: line by line, where "…"
// stands for the rest of a line, and on a line of its own for any number of lines.
func shows(output, want string) error {
	said := strings.Split(strings.TrimRight(strings.TrimPrefix(output, "\ufeff"), "\n"), "\n")
	gap := false
	for line := range strings.SplitSeq(want, "\n") {
		if line == "…" {
			gap = true
			continue
		}
		beginning, cut := strings.CutSuffix(line, "…")
		matches := func(s string) bool {
			s = strings.TrimRight(s, " ")
			return s == line || cut && strings.HasPrefix(s, beginning)
		}
		n := 0
		if gap {
			n = slices.IndexFunc(said, matches)
		}
		if n < 0 || n >= len(said) || !matches(said[n]) {
			return fmt.Errorf("it does not say, or not there:\n%s\nbut\n%s", line, strings.Join(said[:min(len(said), 12)], "\n"))
		}
		said, gap = said[n+1:], false
	}
	if len(said) > 0 && !gap {
		return fmt.Errorf("it goes on:\n%s", strings.Join(said, "\n"))
	}
	return nil
}

// together runs a command and gives what a terminal would show of it.
func (d *desk) together(args ...string) (output string, code int) {
	d.Helper()
	cmd := d.command(args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		d.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// say fails when a command does not say what a page shows of it, or ends otherwise.
func (d *desk) say(f *fence, command, want string) {
	d.Helper()
	if day := f.flag("as_of"); day != "" {
		d.write("carryover.toml", regexp.MustCompile(`(?m)^as_of = ".*?"`).ReplaceAllString(d.read("carryover.toml"), "as_of = "+strconv.Quote(day)))
	}
	args := words(command)
	if args[0] != "carryover" {
		d.Errorf("%s: only carryover is run here", command)
		return
	}
	output, code := d.together(args[1:]...)
	wantCode, _ := strconv.Atoi(f.flag("exit"))
	if code != wantCode {
		d.Errorf("%s: exit %d, want %d\n%s", command, code, wantCode, output)
	} else if err := shows(output, want); err != nil {
		d.Errorf("%s: %v", command, err)
	}
}

// programs are the folders in which pages show commands, made once; each page works in
// copies of its own.
type programs struct {
	t    *testing.T
	once map[string]func() string
}

// A page shows commands on the example program as it is after "apply"; on the same before
// anything was planned (new); or on the program of the story.
const (
	exampleProgram = ""
	newProgram     = "new"
	storyProgram   = "story"
)

func newPrograms(t *testing.T) *programs {
	p := &programs{t: t}
	p.once = map[string]func() string{
		newProgram: sync.OnceValue(func() string {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("../../migrate/example")); err != nil {
				t.Error(err)
			}
			return dir
		}),
		exampleProgram: sync.OnceValue(func() string {
			d := p.copy(t, newProgram)
			d.ok("plan", "--decisions", "decisions.csv", "exports")
			d.ok("apply")
			return d.dir
		}),
		storyProgram: sync.OnceValue(func() string {
			dir := filepath.Join(t.TempDir(), "story")
			p.play(dir)
			return dir
		}),
	}
	return p
}

// play plays the story into dir, as "make story" does, and gives what it writes.
func (p *programs) play(dir string) string {
	cmd := exec.Command("go", "run", "./migrate/example/story", binary, dir)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Errorf("the story: %v\n%s", err, out)
	}
	return string(out)
}

// copy is a desk in a copy of a program.
func (p *programs) copy(t *testing.T, name string) *desk {
	t.Helper()
	make, ok := p.once[name]
	if !ok {
		t.Fatalf("there is no program %q", name)
	}
	d := &desk{T: t, dir: filepath.Join(t.TempDir(), "program")}
	if err := os.CopyFS(d.dir, os.DirFS(make())); err != nil {
		t.Fatal(err)
	}
	return d
}

// What the manual shows of commands is what they say, in the order of each page.
func TestManualOutputs(t *testing.T) {
	t.Parallel()
	p, shown := newPrograms(t), 0
	for path, text := range written(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			desks := map[string]*desk{}
			files := map[string]string{}
			for f := range fences(text) {
				if f.lang == "csv" && f.name != "" {
					files[f.name] = f.text + "\n"
				}
				command, want, ok := f.command()
				if !ok {
					continue
				}
				shown++
				switch command {
				case "make run":
					testMakeRun(t, want)
					continue
				case "make story":
					dir := filepath.Join(t.TempDir(), "story")
					output := strings.ReplaceAll("building carryover\n"+p.play(dir), dir, "data/story")
					if err := shows(output, want); err != nil {
						t.Errorf("make story: %v", err)
					}
					continue
				}
				name := exampleProgram
				if f.name == newProgram || f.name == storyProgram {
					name = f.name
				}
				if desks[name] == nil {
					desks[name] = p.copy(t, name)
				}
				for file, text := range files {
					desks[name].write(file, text)
				}
				desks[name].say(f, command, want)
			}
		})
	}
	if shown < 45 {
		t.Errorf("the manual shows %d commands", shown)
	}
}

// testMakeRun does what "make run" does, but for building and serving.
func testMakeRun(t *testing.T, want string) {
	d := newDesk(t, "")
	if err := os.CopyFS(d.path("migrate/example"), os.DirFS("../../migrate/example")); err != nil {
		t.Fatal(err)
	}
	output := "building carryover\n"
	for _, args := range [][]string{
		{"plan", "--out", "data/example/plan", "--decisions", "migrate/example/decisions.csv", "migrate/example/exports"},
		{"apply", "data/example/plan"}, {"verify"}, {"examples"},
	} {
		said, _ := d.together(append([]string{"--config", "migrate/example/carryover.toml", "--data", "data/example"}, args...)...)
		output += said
	}
	if err := shows(output, want); err != nil {
		t.Errorf("make run: %v", err)
	}
}

// Every question of promoters has a command that answers it on the example.
func TestManualQuestions(t *testing.T) {
	t.Parallel()
	d := newPrograms(t).copy(t, exampleProgram)
	_, questions, _ := strings.Cut(readFile(t, "manual/questions.md"), "| question | command |")
	questions, _, _ = strings.Cut(questions, "\n\n")
	asked := 0
	for _, piece := range strings.Split(questions, "`carryover ")[1:] {
		command, _, _ := strings.Cut(piece, "`")
		if strings.Contains(command, "…") {
			continue
		}
		asked++
		if out := d.ok(words(command)...); strings.TrimSpace(out) == "" || strings.HasPrefix(out, "No entries") || strings.HasPrefix(out, "No customers") {
			t.Errorf("carryover %s answers nothing: %q", command, out)
		}
	}
	if asked < 12 {
		t.Errorf("the manual has %d questions", asked)
	}
}

var inlineCommand = regexp.MustCompile("`(carryover [^`]+)`")

// Every command that is named anywhere is one that carryover understands.
func TestManualCommandsParse(t *testing.T) {
	a := &app{cli: &cli{}, Console: console.New(nil, io.Discard, io.Discard)}
	parser, err := newParser(a, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	parsed := 0
	for path, text := range written(t) {
		var commands []string
		for _, m := range inlineCommand.FindAllStringSubmatch(text, -1) {
			commands = append(commands, m[1])
		}
		for f := range fences(text) {
			for line := range strings.SplitSeq(f.text, "\n") {
				line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "$ "), "./"), "bin/")
				if f.lang != "toml" && strings.HasPrefix(line, "carryover ") && !strings.HasPrefix(line, "carryover gateway:") {
					commands = append(commands, line)
				}
			}
		}
		for _, command := range commands {
			command, _, _ = strings.Cut(command, " >")
			args := words(command)[1:]
			if slices.ContainsFunc(args, func(w string) bool { return strings.Contains(w, "…") || w == "COMMAND" || w == "--help" }) {
				continue
			}
			parsed++
			if console.CommandWords(parser.Model.Node, args) == len(args) { // it is only named
				continue
			}
			for i, w := range args {
				if w == "EPOCH" {
					args[i] = "3"
				}
			}
			if _, err := parser.Parse(console.FlagsLast(parser.Model, args)); err != nil {
				t.Errorf("%s: %s: %v", path, command, err)
			}
		}
	}
	if parsed < 100 {
		t.Errorf("the manual names %d commands", parsed)
	}
}

// The commands page has every command with the line that its help has, and the flags that
// all of them take. The configuration is shown as init writes it.
func TestManualIsComplete(t *testing.T) {
	commands := readFile(t, "manual/commands.md")
	a := &app{cli: &cli{}, Console: console.New(nil, io.Discard, io.Discard)}
	parser, err := newParser(a, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	row := func(format string, args ...any) {
		t.Helper()
		if row := fmt.Sprintf(format, args...); !strings.Contains(commands, row) {
			t.Errorf("manual/commands.md lacks\n%s", row)
		}
	}
	var each func(n *kong.Node, path string)
	each = func(n *kong.Node, path string) {
		for _, c := range n.Children {
			name := strings.TrimSpace(path + " " + c.Name)
			help := c.Help
			if n.DefaultCmd == c {
				help = fmt.Sprintf("%s; `%s` alone does the same.", strings.TrimSuffix(help, "."), path)
			}
			if len(c.Children) == 0 && !c.Hidden {
				row("| `%s` | %s |\n", name, help)
			}
			each(c, name)
		}
	}
	each(parser.Model.Node, "")
	for _, f := range parser.Model.Flags {
		name := "--" + f.Name
		if !f.IsBool() {
			name += "=" + f.PlaceHolder
		}
		if f.Name != "help" && !f.Hidden {
			row("| `%s` |", name)
		}
	}
	if !strings.Contains(readFile(t, "manual/configuration.md"), strings.TrimSpace(config.Example())) {
		t.Error("manual/configuration.md does not show the configuration as carryover init writes it")
	}
	if n := strings.Count(readFile(t, readme), "\n"); n >= 150 {
		t.Errorf("README.md has %d lines: it only opens the door", n)
	}
}

// What the program calls by name is explained on its page: whatever a person may read in a
// file or a table is found here.
func TestManualNames(t *testing.T) {
	f := func(page, sources, constant string, least int) {
		t.Helper()
		text, found := readFile(t, "manual/"+page), 0
		paths, err := filepath.Glob("../../" + sources)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			for _, m := range regexp.MustCompile(`(?m)^\s*`+constant+`\s.*"([a-z0-9_]+)"`).FindAllStringSubmatch(readFile(t, path), -1) {
				if found++; !strings.Contains(text, "`"+m[1]+"`") {
					t.Errorf("%s does not explain %s (%s)", page, m[1], path)
				}
			}
		}
		if found < least {
			t.Errorf("%d names like %s in %s", found, constant, sources)
		}
	}
	f("decisions.md", "migrate/*.go", `Kind\w+ +=`, 30)
	f("exports.md", "migrate/sheet/*.go", `(?:Bad|Missing|TooMany|Unsafe)\w+ +=`, 5)
	f("commissions.md", "mapping/book/*.go", `Reason\w+ +=`, 8)
	f("people.md", "mapping/book/*.go", `Setting\w+ +=`, 10)
	f("payouts.md", "mapping/terms/*.go", `Hold\w+ +=`, 7)
	f("clicks.md", "gateway/click/verdict.go", `(?:Human|Preview|Bot|Scanner|Prefetch|Frame) +=`, 6)
	f("customers.md", "mapping/terms/*.go", `Rule\w+ +=`, 9)

	// and what the manual names is there
	example := config.Example()
	for path, text := range written(t) {
		for _, m := range regexp.MustCompile("`(carryover_[a-z_]+)`").FindAllStringSubmatch(text, -1) {
			if m[1] != "carryover_click" && !strings.Contains(readFile(t, "../../gateway/metrics.go"), `"`+m[1]+`"`) {
				t.Errorf("%s: there is no metric %s", path, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`(\\[+[a-z_.]+)\\]+ ?([a-z_]*)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(example, m[1]) || !regexp.MustCompile(`(?m)^[# ]*`+m[2]).MatchString(example) {
				t.Errorf("%s: the configuration has no %s] %s", path, m[1], m[2])
			}
		}
	}
}

// The index lists every page under its title, once.
func TestManualIndex(t *testing.T) {
	listed := map[string]bool{"manual/" + manual.Index: true}
	for _, p := range readManual().Pages() {
		path := "manual/" + p.Subject + ".md"
		title, _, _ := strings.Cut(strings.TrimPrefix(p.Text, "# "), "\n")
		if listed[path] || !strings.HasPrefix(p.Summary, title+": ") || len(p.Summary) > 64 {
			t.Errorf("%s: it is listed once, under its title %q, in at most 64 letters: %q (%d)", path, title, p.Summary, len(p.Summary))
		}
		listed[path] = true
	}
	for path := range written(t) {
		if path != readme && !listed[path] {
			t.Errorf("the index does not list %s", path)
		}
	}
}

// anchors are the headings of a page as GitHub names them in links.
func anchors(text string) map[string]bool {
	all, inFence := map[string]bool{}, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			inFence = !inFence
		}
		title := strings.TrimLeft(line, "#")
		if inFence || title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(strings.TrimSpace(title)))
		all[anchor] = true
	}
	return all
}

// Every link leads somewhere.
func TestManualLinks(t *testing.T) {
	links := 0
	for path, text := range written(t) {
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			file, anchor, hasAnchor := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			links++
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			there, err := os.ReadFile(target)
			if err != nil || hasAnchor && !anchors(string(there))[anchor] {
				t.Errorf("%s: the link to %s leads nowhere: %v", path, m[1], err)
			}
		}
	}
	if links < 60 {
		t.Errorf("the manual has %d links", links)
	}
}

// A table is whole: each row on a line of its own, with as many cells as the titles. Lines of
// text are not too long for an editor.
func TestManualTables(t *testing.T) {
	rule := regexp.MustCompile(`^\|( --- \|)+$`)
	for path, text := range written(t) {
		cells, inFence := 0, false
		for i, line := range strings.Split(text, "\n") {
			at := fmt.Sprintf("%s:%d", path, i+1)
			inFence = inFence != strings.HasPrefix(line, "```")
			isRow := strings.HasPrefix(line, "|") && !inFence
			switch n := strings.Count(line, "|"); {
			case inFence || strings.HasPrefix(line, "```"):
			case !isRow && cells > 0 && line != "":
				t.Errorf("%s: a table is followed by an empty line", at)
			case !isRow:
				cells = 0
				if len(line) > 120 {
					t.Errorf("%s: %d bytes in a line", at, len(line))
				}
			case !strings.HasSuffix(line, "|"):
				t.Errorf("%s: a row does not end", at)
			case cells == 0:
				cells = n
				if next := strings.Split(text, "\n")[i+1]; !rule.MatchString(next) || strings.Count(next, "|") != n {
					t.Errorf("%s: no rule of %d cells below the titles: %s", at, n-1, next)
				}
			case n != cells:
				t.Errorf("%s: %d cells below %d titles", at, n-1, cells-1)
			}
		}
	}
}

// Outputs are compared line by line, and what is not shown must be left out visibly.
func TestShows(t *testing.T) {
	f := func(output, want string, ok bool) {
		t.Helper()
		if err := shows(output, want); (err == nil) != ok {
			t.Errorf("%q showing %q: %v", output, want, err)
		}
	}
	f("a\nb\n", "a\nb", true)
	f("a\nb\n", "a", false)
	f("a\nb\n", "b", false)
	f("a\nb\nc\n", "a\nc", false)
	f("a\nb\nc\n", "a\n…\nc", true)
	f("a\nb\nc\n", "…\nb\n…", true)
	f("a\nb\nc\n", "…\nd", false)
	f("a\nb\nc\n", "…\nc\n…\nb", false)
	f("abc\n", "ab…", true)
	f("abc\n", "ac…", false)
	f("a   \n\n", "a", true)
	f("", "a", false)
	f("a\n", "a\n…", true)
}

// A block is read with what stands beside its language.
func TestFences(t *testing.T) {
	var got bytes.Buffer
	for f := range fences("text\n```console story exit=3\n$ carryover clicks --by \"a b\"\nday\n```\n```\nplain\n```\n") {
		command, want, ok := f.command()
		fmt.Fprintf(&got, "%s %q %v %q %q %q;", f.lang, f.name, ok, f.flag("exit"), words(command), want)
	}
	if want := `console "story" true "3" ["carryover" "clicks" "--by" "a b"] "day"; "" false "" ["plain"] "";`; got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
}
