package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/manual"
)

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
			command, _, _ = strings.Cut(strings.TrimSuffix(command, " &"), " >")
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

// The README's tree names every folder that holds packages, and no others.
func TestReadmeTree(t *testing.T) {
	_, tree, _ := strings.Cut(readFile(t, readme), "## The tree")
	tree, _, _ = strings.Cut(tree, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+(?:/[a-z]+)*)`").FindAllStringSubmatch(tree, -1) {
		named[m[1]] = true
		if _, err := os.Stat("../../" + m[1]); err != nil {
			t.Errorf("README.md: %v", err)
		}
	}
	for _, pattern := range []string{"*/*.go", "*/*/*.go"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../../"); !named[dir] {
				named[dir] = true
				t.Errorf("README.md does not name %s", dir)
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

// The calls that the manual shows with curl do what it says of them.
func TestTrackingByHand(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	d := newPrograms(t).copy(t, storyProgram)
	g := d.gateway()
	cookie, told := g.click(d, "/r/bob", ""), 0
	for _, m := range regexp.MustCompile(`(?m)^tell (\w+) '(.*)'$`).FindAllStringSubmatch(readFile(t, "manual/tracking.md"), -1) {
		told++
		status, answer := g.tell(d, m[1], strings.ReplaceAll(m[2], "'$COOKIE'", cookie))
		if status != 200 || m[1] == "sale" && !strings.Contains(fmt.Sprint(answer["commissions"]), "amount:2425 ") {
			t.Errorf("%s: %d %v", m[0], status, answer)
		}
	}
	if told != 2 {
		t.Errorf("%d calls", told)
	}
	d.contains(d.ok("explain", "noa@mail.test"), "belongs to bob", "24.25")
	d.contains(d.ok("review"), "fast_sale")
}
