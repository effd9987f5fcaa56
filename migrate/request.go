package migrate

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"carryover/mapping/book"
	"carryover/migrate/sheet"
)

// Request says what to plan.
type Request struct {
	Settings  *Settings
	Args      []string // folders, zips, files, kind=FILE
	WorkDir   string
	Decisions Decisions
	Book      *book.Book // nil: there is none yet
	AsOf      string     // the day that a former plan was made for; empty: the settings', else today
	Progress  Progress
	Sink      RejectSink

	reviewed *reviewedInputs // nil: there is no former plan to keep to
}

// reviewedInputs are the inputs that a plan which is made again is held to. The folder of its
// rejects may itself be one of the exports, mended ones; what the plan then wrote there is
// not.
type reviewedInputs struct {
	files map[string]bool // absolute paths of its exports
	dir   string          // where it was written, absolute
}

func newReviewedInputs(workDir, dir string, files []FilePlan) *reviewedInputs {
	r := &reviewedInputs{files: make(map[string]bool, len(files)), dir: dir}
	for _, f := range files {
		r.files[absolutePath(workDir, f.Path)] = true
	}
	return r
}

// leavesOut reports whether a file that was found in a folder is none of the exports:
// carryover wrote it into the folder of a plan.
func (req *Request) leavesOut(path string) bool {
	abs := absolutePath(currentDir(), path)
	if r := req.reviewed; r != nil && !r.files[abs] && within(r.dir, abs) {
		return true
	}
	// Or into one that lies somewhere below a folder that was named.
	below := false
	for _, arg := range req.Args {
		_, root := cutKind(arg)
		if root = absolutePath(currentDir(), root); !within(root, abs) {
			continue
		}
		dir := filepath.Dir(abs)
		for dir != root && within(root, dir) && !isPlanFolder(dir) {
			dir = filepath.Dir(dir)
		}
		if dir == root || !within(root, dir) {
			return false
		}
		below = true
	}
	return below
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func isPlanFolder(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, planFile))
	return err == nil
}

// asOf is the day whose customers are carried over.
func (req *Request) asOf() string {
	return cmp.Or(req.AsOf, req.Settings.AsOf, time.Now().In(req.Settings.Zone).Format(time.DateOnly))
}

// rejectList gathers rejected rows for the book.
type rejectList struct {
	mu   sync.Mutex // several files may be read at once
	rows []book.Reject
}

// sink is a [RejectSink] that keeps every rejected row.
func (r *rejectList) sink(f *sheet.File, _ int) func(*sheet.Reject) error {
	return func(x *sheet.Reject) error {
		if x != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.rows = append(r.rows, book.Reject{File: f.Path, Line: x.Line, Reason: x.Reason, Cells: x.Cells})
		}
		return nil
	}
}
