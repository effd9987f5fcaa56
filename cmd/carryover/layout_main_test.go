package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxMainLines is how long package main may be, without its tests: flags, one call, print.
const maxMainLines = 3500

// moneyFields are the fields of amounts: to add them up is for mapping.
var moneyFields = []string{
	"Amount", "Net", "Gross", "Refunds", "Carried", "Balance", "Held", "Due", "Payable", "Paid", "Failed", "Returned", "Open", "Other", "ViaPayPal",
	"Minor", "Total", "Earned", "Reversed", "Opening", "Closing",
}

// ledgerWalks are the methods that go through the ledger, or add it up.
var ledgerWalks = []string{"Ledger", "Sums", "PayoutInputs", "Money"}

var sqlText = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|WITH)\s`)

// domainRules says where a file of package main does what belongs below mapping or migrate.
func domainRules(fset *token.FileSet, file *ast.File) (found []string) {
	say := func(at token.Pos, format string, args ...any) {
		p := fset.Position(at)
		found = append(found, fmt.Sprintf("%s:%d: %s", filepath.Base(p.Filename), p.Line, fmt.Sprintf(format, args...)))
	}
	money := func(e ast.Expr) (name string, ok bool) {
		if s, is := ast.Unparen(e).(*ast.SelectorExpr); is {
			return s.Sel.Name, slices.Contains(moneyFields, s.Sel.Name)
		}
		return "", false
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			if path, _ := strconv.Unquote(n.Path.Value); path == "database/sql" || strings.HasPrefix(path, "database/sql/") {
				say(n.Pos(), "imports %s", path)
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && sqlText.MatchString(text) {
				say(n.Pos(), "holds SQL")
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(ledgerWalks, s.Sel.Name) {
				say(n.Pos(), "walks the ledger: %s", s.Sel.Name)
			}
		case *ast.BinaryExpr:
			if !slices.Contains([]token.Token{token.ADD, token.SUB, token.MUL, token.QUO, token.REM}, n.Op) {
				return true
			}
			for _, side := range []ast.Expr{n.X, n.Y} {
				if name, ok := money(side); ok {
					say(n.Pos(), "calculates with money: %s", name)
				}
			}
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN || n.Tok == token.DEFINE {
				return true
			}
			for _, side := range slices.Concat(n.Lhs, n.Rhs) {
				if name, ok := money(side); ok {
					say(n.Pos(), "calculates with money: %s", name)
				}
			}
		}
		return true
	})
	return found
}

// In package main there is no rule of the domain: no SQL, no arithmetic on money, no walking
// of the ledger; and it stays short.
func TestMainIsThin(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset, lines := token.NewFileSet(), 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range domainRules(fset, file) {
			t.Error(wrong)
		}
	}
	if lines == 0 || lines > maxMainLines {
		t.Errorf("package main has %d lines, want at most %d", lines, maxMainLines)
	}
}

func TestMainIsThinIsEnforced(t *testing.T) {
	t.Parallel()
	f := func(code, want string) {
		t.Helper()
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", "package main\n"+code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(domainRules(fset, file), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	f(`import "database/sql"`, "x.go:2: imports database/sql")
	f("var q = `\n SELECT 1`", "x.go:2: holds SQL")
	f(`var q = "SELECT 1"`, "holds SQL")
	f(`var q = "With a file"`, "")
	f(`func f(b B) { b.Ledger(nil) }`, "walks the ledger: Ledger")
	f(`func f(b B) { x.EachLedgerEntry(nil) }`, "")
	f(`func f(l L) { sum += l.Amount }`, "calculates with money: Amount")
	f(`func f(l L) { l.Net -= 1 }`, "calculates with money: Net")
	f(`var n = a.Balance - (b.Held)`, "calculates with money: Held")
	f(`var n = a.Lines + 1`, "")
	f(`func f(l L) { if l.Amount > 0 { print(l.Amount) } }`, "")
}
