package report

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"carryover/migrate"
)

func TestPlanText(t *testing.T) {
	for name, dir := range map[string]string{"blocked": "data/plan", "ready": "my data/plan", "settled": "data/plan", "crowded": "data/plan",
		"empty": "out"} {
		var b strings.Builder
		if err := Plan(&b, Terminal{}, plans()[name], dir, "carryover"); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.String())
		if i := strings.IndexFunc(b.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
			t.Errorf("%s: a control character %q at %d", name, b.String()[i], i)
		}
	}
}

// What a person is told to run chooses the program that was planned.
func TestPlanNamesTheProgram(t *testing.T) {
	command := Command("bin/carryover", "--config", "my program.toml", "--data", "data/example")
	for name, want := range map[string][]string{"ready": {" apply "}, "blocked": {" plan --decisions ", " apply --decisions "}} {
		var b strings.Builder
		if err := Plan(&b, Terminal{}, plans()[name], "out", command); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if w = "bin/carryover --config 'my program.toml' --data data/example" + w; !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", name, w, b.String())
			}
		}
	}
}

func TestWriteErrorsComeBack(t *testing.T) {
	full := errors.New("disk full")
	w := failing{full}
	if err := Plan(w, Terminal{}, ready(), "x", "carryover"); !errors.Is(err, full) {
		t.Errorf("Plan: %v", err)
	}
	if err := HTML(w, ready(), "x"); !errors.Is(err, full) {
		t.Errorf("HTML: %v", err)
	}
	if err := (&Table{Titles: []string{"a"}}).Write(w); !errors.Is(err, full) {
		t.Errorf("Table: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Every kind of conflict that package migrate knows is explained here, once.
func TestEveryKindHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../conflict.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Kind") {
			kind, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			known = append(known, kind)
		}
		return true
	})
	if len(known) == 0 {
		t.Fatal("package migrate has no kinds of conflicts")
	}
	var explained []string
	for _, w := range kinds {
		explained = append(explained, w.Kind)
		if w.Title == "" || w.Meaning == "" || w.Outcome == "" {
			t.Errorf("%s has not all of its words", w.Kind)
		}
	}
	slices.Sort(known)
	slices.Sort(explained)
	if !slices.Equal(known, explained) {
		t.Errorf("kinds: %q\nexplained: %q", known, explained)
	}
}

func TestConflictsAreGroupedByWhatIsUrgent(t *testing.T) {
	var order []string
	for _, g := range groupConflicts([]migrate.Conflict{
		informs("of_a_later_version", "x", ""), informs(migrate.KindMerged, "x", ""), informs(migrate.KindUnsafeLink, "x", ""),
		asks(migrate.KindDuplicate, "decided", migrate.KeepFirst, migrate.KeepFirst, ""),
		asks(migrate.KindDateOrder, "open", migrate.DayFirst, "", ""),
		asks("unbalanced", "open", migrate.Accept, "", ""),
	}) {
		order = append(order, g.Kind)
	}
	if got, want := strings.Join(order, " "), "unbalanced date_order duplicate unsafe_link merged of_a_later_version"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
