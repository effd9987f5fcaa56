package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// listed is what of a package in "go list -json" the layout depends on.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

const module = "carryover"

// layers are the places that a package may have, by how far it is from the core. A
// package imports its own layer and those below.
var layers = map[string]int{
	"mapping": 0, "mapping/terms": 0, "mapping/retry": 0,
	"mapping/secret": 1, "mapping/book": 1, "mapping/store": 1,
	"mapping/payout": 2, "mapping/history": 2, "mapping/backup": 2,
	"migrate": 3, "gateway": 3,
	"cmd/carryover": 4,
}

// confined are the libraries that live in some places only.
var confined = []struct {
	what    string
	modules []string
	to      []string
}{
	{"gocsv", []string{"github.com/gocarina/gocsv"}, []string{"migrate/sheet"}},
	{"progressbar", []string{"github.com/schollz/progressbar"}, []string{"migrate/report"}},
	{"fiber and fasthttp", []string{"github.com/gofiber/fiber", "github.com/valyala/fasthttp"}, []string{"gateway"}},
	{"go-redis", []string{"github.com/redis/go-redis"}, []string{"mapping/store", "gateway/click"}},
	{"SQL drivers", []string{"modernc.org/sqlite", "github.com/ncruces/go-sqlite3", "github.com/mattn/go-sqlite3", "github.com/jackc/pgx", "github.com/lib/pq"}, []string{"mapping/book", "gateway/click"}},
}

// impure are standard packages that read or change the world: not for the core.
var impure = []string{"os", "net", "net/http", "database/sql", "log", "log/slog", "syscall", "os/exec", "io/ioutil", "math/rand", "math/rand/v2", "crypto/rand"}

// topLevel is what the repository's root may hold beside dot files.
var topLevel = []string{"cmd", "migrate", "gateway", "mapping", "go.mod", "go.sum", "Makefile", "README.md"}

// misplaced says how packages and the names in the root break the layout.
func misplaced(packages []listed, root []string) []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, name := range root {
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			say("%s has no place at the top level", name)
		}
	}
	standard := map[string]bool{}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		own, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours {
			continue
		}
		place, layer := placeOf(own)
		if layer < 0 {
			say("%s has no place in the layout", own)
			continue
		}
		for _, imported := range p.Imports {
			if other, ours := strings.CutPrefix(imported, module+"/"); ours {
				otherPlace, otherLayer := placeOf(other)
				switch {
				case otherLayer > layer, place == "migrate" && otherPlace == "gateway", place == "gateway" && otherPlace == "migrate":
					say("%s must not import %s", own, other)
				case other == "mapping/store/storetest":
					say("%s must not import %s outside of tests", own, other)
				}
				continue
			}
			if layer == 0 && !standard[imported] && imported != "C" {
				say("%s must do with the standard library, and imports %s", own, imported)
			}
			if layer == 0 && slices.Contains(impure, imported) {
				say("%s must be pure, and imports %s", own, imported)
			}
			for _, c := range confined {
				in := func(place string) bool { return own == place || strings.HasPrefix(own, place+"/") }
				of := func(module string) bool { return imported == module || strings.HasPrefix(imported, module+"/") }
				if slices.ContainsFunc(c.modules, of) && !slices.ContainsFunc(c.to, in) {
					say("%s must not import %s: %s is for %s only", own, imported, c.what, strings.Join(c.to, " and "))
				}
			}
		}
	}
	return found
}

// placeOf finds the place of a package and its layer; -1 when it has none. Below
// mapping only the named folders are places, with what they keep for their tests; below
// cmd only the command itself and what is internal to it.
func placeOf(own string) (place string, layer int) {
	for place = own; place != "."; place = path.Dir(place) {
		if layer, ok := layers[place]; ok {
			below := strings.TrimPrefix(own, place)
			if place == "mapping" && below != "" || place == "cmd/carryover" && below != "" && !strings.HasPrefix(below, "/internal/") {
				return "", -1
			}
			return place, layer
		}
	}
	return "", -1
}

func TestLayout(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	list.Dir = "../.."
	var errOut bytes.Buffer
	list.Stderr = &errOut
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	var packages []listed
	ours := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module+"/") {
			ours++
		}
		packages = append(packages, p)
	}
	if ours < 10 {
		t.Fatalf("go list found only %d packages of %s", ours, module)
	}
	for _, wrong := range misplaced(packages, rootNames(t)) {
		t.Error(wrong)
	}
}

// rootNames lists the repository's root without what .gitignore leaves out of it.
func rootNames(t *testing.T) []string {
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Split(readFile(t, "../../.gitignore"), "\n")
	var names []string
	for _, e := range entries {
		if !slices.Contains(ignored, "/"+e.Name()+"/") {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestLayoutIsEnforced(t *testing.T) {
	t.Parallel()
	f := func(own string, imports string, want string) {
		t.Helper()
		packages := []listed{
			{ImportPath: "strings", Standard: true}, {ImportPath: "os", Standard: true}, {ImportPath: "net/http", Standard: true},
			{ImportPath: "golang.org/x/text/unicode/norm"},
			{ImportPath: module + "/" + own, Imports: strings.Fields(imports)},
		}
		got := strings.Join(misplaced(packages, nil), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s importing %s: %q, want %q", own, imports, got, want)
		}
	}
	// what the design asks for
	f("cmd/carryover", "strings carryover/migrate carryover/gateway carryover/mapping/book carryover/mapping/store carryover/mapping github.com/alecthomas/kong", "")
	f("migrate", "carryover/mapping/terms carryover/mapping/book carryover/migrate/keap", "")
	f("migrate/sheet", "github.com/gocarina/gocsv golang.org/x/text/unicode/norm", "")
	f("migrate/report", "github.com/schollz/progressbar/v3", "")
	f("gateway", "github.com/gofiber/fiber/v2 github.com/valyala/fasthttp carryover/gateway/click", "")
	f("gateway/admin", "github.com/gofiber/fiber/v2/middleware/adaptor", "")
	f("gateway/click", "github.com/redis/go-redis/v9 modernc.org/sqlite", "")
	f("mapping/store", "github.com/redis/go-redis/v9 carryover/mapping/book carryover/mapping", "")
	f("mapping/store/storetest", "github.com/redis/go-redis/v9 carryover/mapping/store", "")
	f("mapping/book", "modernc.org/sqlite carryover/mapping carryover/mapping/terms", "")
	f("mapping/terms", "strings carryover/mapping", "")
	f("mapping/payout", "carryover/mapping/book carryover/mapping/terms", "")
	f("mapping/history", "carryover/mapping/book carryover/mapping/payout", "")
	f("migrate/firstpromoter", "carryover/mapping/retry carryover/mapping/payout", "")
	f("cmd/carryover", "carryover/cmd/carryover/internal/config carryover/mapping/payout", "")
	f("cmd/carryover/internal/console", "golang.org/x/term carryover/mapping/terms", "")

	// one way
	f("mapping", "carryover/mapping/store", "mapping must not import mapping/store")
	f("mapping/terms", "carryover/mapping/book", "mapping/terms must not import mapping/book")
	f("mapping/book", "carryover/migrate", "mapping/book must not import migrate")
	f("mapping/store", "carryover/gateway/click", "mapping/store must not import gateway/click")
	f("mapping/book", "carryover/mapping/payout", "mapping/book must not import mapping/payout")
	f("mapping/payout", "carryover/migrate", "mapping/payout must not import migrate")
	f("migrate", "carryover/gateway", "migrate must not import gateway")
	f("migrate/report", "carryover/gateway/pages", "migrate/report must not import gateway/pages")
	f("gateway/track", "carryover/migrate/firstpromoter", "gateway/track must not import migrate/firstpromoter")
	f("migrate", "carryover/cmd/carryover", "migrate must not import cmd/carryover")
	f("gateway", "carryover/mapping/store/storetest", "outside of tests")

	// the core is standard and pure
	f("mapping", "golang.org/x/text/unicode/norm", "mapping must do with the standard library, and imports golang.org/x/text")
	f("mapping/terms", "github.com/redis/go-redis/v9", "mapping/terms must do with the standard library")
	f("mapping", "os", "mapping must be pure, and imports os")
	f("mapping/terms", "net/http", "mapping/terms must be pure")

	// confined libraries
	f("migrate/keap", "github.com/gocarina/gocsv", "gocsv is for migrate/sheet only")
	f("cmd/carryover", "github.com/schollz/progressbar/v3", "progressbar is for migrate/report only")
	f("cmd/carryover", "github.com/gofiber/fiber/v2", "fiber and fasthttp is for gateway only")
	f("migrate/firstpromoter", "github.com/valyala/fasthttp", "fiber and fasthttp is for gateway only")
	f("gateway", "github.com/redis/go-redis/v9", "go-redis is for mapping/store and gateway/click only")
	f("cmd/carryover", "modernc.org/sqlite", "SQL drivers is for mapping/book and gateway/click only")
	f("gateway/track", "github.com/jackc/pgx/v5/stdlib", "SQL drivers is for mapping/book and gateway/click only")
	f("gatewayish", "github.com/gofiber/fiber/v2", "gatewayish has no place")

	// places
	f("internal/util", "strings", "internal/util has no place")
	f("mapping/cache", "strings", "mapping/cache has no place")
	f("cmd/carryover/payouts", "strings", "cmd/carryover/payouts has no place")
	f("cmd/other", "strings", "cmd/other has no place")

	if got := misplaced(nil, []string{"cmd", ".ci", "go.mod", "docs", "main.go"}); len(got) != 2 {
		t.Errorf("top level: %q, want docs and main.go", got)
	}
}
