package main

import (
	"bytes"
	"fmt"
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
		line := regexp.MustCompile(`(?m)^as_of = ".*?"`)
		d.write("carryover.toml", line.ReplaceAllString(d.read("carryover.toml"), "as_of = "+strconv.Quote(day)))
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
		out := d.ok(words(command)...)
		if strings.TrimSpace(out) == "" || strings.HasPrefix(out, "No entries") || strings.HasPrefix(out, "No customers") {
			t.Errorf("carryover %s answers nothing: %q", command, out)
		}
	}
	if asked < 12 {
		t.Errorf("the manual has %d questions", asked)
	}
}

// Outputs are compared line by line, and what is not shown must be left out visibly.
func TestShows(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	var got bytes.Buffer
	for f := range fences("text\n```console story exit=3\n$ carryover clicks --by \"a b\"\nday\n```\n```\nplain\n```\n") {
		command, want, ok := f.command()
		fmt.Fprintf(&got, "%s %q %v %q %q %q;", f.lang, f.name, ok, f.flag("exit"), words(command), want)
	}
	if want := `console "story" true "3" ["carryover" "clicks" "--by" "a b"] "day"; "" false "" ["plain"] "";`; got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
}
