package main

import (
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
)

// The README shows the configuration that init writes, and every command there is.
func TestReadmeIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	if !strings.Contains(readme, strings.TrimSpace(config.Example())) {
		t.Error("README.md does not show the configuration as carryover init writes it")
	}
	var help strings.Builder
	if code := run([]string{"--help"}, nil, &help, &help); code != console.ExitDone {
		t.Fatalf("--help exits %d", code)
	}
	_, commands, _ := strings.Cut(help.String(), "Commands:\n")
	for _, line := range strings.Split(commands, "\n") {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  "); ok && name != "" && !strings.Contains(readme, "| `"+name+"` |") {
			t.Errorf("README.md does not name the command %q", name)
		}
	}
}

// liveChapter is the chapter of the README that tells of live tracking.
const liveChapter = "\n## The program, live\n"

// shownCommands gives the commands that a text of the README shows, each with what it
// shows of its output.
func shownCommands(text string) iter.Seq2[string, string] {
	return func(yield func(command, want string) bool) {
		for _, block := range strings.Split(text, "```console\n$ carryover ")[1:] {
			block, _, _ := strings.Cut(block, "\n```")
			if command, want, _ := strings.Cut(block, "\n"); !yield(command, want) {
				return
			}
		}
	}
}

// says fails when a command does not say what the README shows of it: line by line, where
// "…" stands for what was left out.
func (d *desk) says(command, want string) {
	d.Helper()
	out := strings.Split(d.ok(strings.Fields(command)...), "\n")
	for line := range strings.SplitSeq(want, "\n") {
		beginning, cut := strings.CutSuffix(line, "…")
		for {
			if len(out) == 0 {
				d.Errorf("carryover %s does not say, or not in this order:\n%s", command, line)
				break
			}
			said := strings.TrimRight(out[0], " ")
			if out = out[1:]; said == line || cut && strings.HasPrefix(said, beginning) {
				break
			}
			if cut && line == "…" {
				break
			}
		}
	}
}

// What the README shows of commands is what they say of the example. Commands that it only
// names work as well.
func TestReadmeOutputs(t *testing.T) {
	example, err := filepath.Abs("../../migrate/example")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, readFile(t, example+"/carryover.toml"))
	d.ok("plan", "--decisions", example+"/decisions.csv", example+"/exports")
	d.ok("apply")
	readme := readFile(t, "../../README.md")
	before, rest, _ := strings.Cut(readme, liveChapter) // which TestStoryOfMira holds to its own book
	_, after, _ := strings.Cut(rest, "\n## ")
	shown := 0
	for command, want := range shownCommands(before + after) {
		shown++
		d.says(command, want)
	}
	if shown < 5 {
		t.Errorf("the README shows %d commands", shown)
	}
	_, questions, _ := strings.Cut(readme, "| question | command |")
	questions, _, _ = strings.Cut(questions, "\n\n")
	asked := 0
	for _, piece := range strings.Split(questions, "`carryover ")[1:] {
		command, _, _ := strings.Cut(piece, "`")
		if strings.Contains(command, "…") {
			continue
		}
		asked++
		args := strings.Fields(command)
		if before, name, ok := strings.Cut(command, ` "`); ok {
			args = append(strings.Fields(before), strings.TrimSuffix(name, `"`))
		}
		if out := d.ok(args...); strings.TrimSpace(out) == "" || strings.HasPrefix(out, "No entries") || strings.HasPrefix(out, "No customers") {
			t.Errorf("carryover %s answers nothing: %q", command, out)
		}
	}
	if asked < 10 {
		t.Errorf("the README has %d questions", asked)
	}
}
