package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/sheet"
)

// Plan is what a migration would do.
type Plan struct {
	PlanID    string                `json:"plan_id"` // hash over inputs, decisions and config
	InputsID  string                `json:"inputs_id"`
	BaseRun   int64                 `json:"base_run"` // the run that the book stood at; 0: none
	WorkDir   string                `json:"work_dir"` // what relative paths are relative to
	Args      []string              `json:"exports"`
	Decisions string                `json:"decisions_file,omitempty"`
	Written   map[string]string     `json:"reject_files,omitempty"`   // what the plan wrote to rejects/: name -> SHA-256
	Kept      []string              `json:"decisions_kept,omitempty"` // conflicts decided in the conflicts.csv that was there before
	Files     []FilePlan            `json:"files"`
	Unread    []Unread              `json:"unread"`
	Rejects   []RejectLine          `json:"rejects"`
	Conflicts []Conflict            `json:"conflicts"`
	Unused    []string              `json:"decisions_not_used,omitempty"` // on conflicts that there are not, or no longer
	Tables    map[string]TableCount `json:"tables"`
	Totals    Totals                `json:"totals"`

	AsOf        string           `json:"as_of"` // the day whose customers are carried over
	Customers   CustomerTotals   `json:"customers"`
	Money       []Reconciliation `json:"reconciliation"` // by currency
	Differences []Difference     `json:"differences"`
	Months      []MonthTotals    `json:"months"`
	FindingsBy  map[string]int   `json:"findings"`          // how many of each kind; findings.csv has them
	Compared    int              `json:"orders_compared"`   // with commissions; the others have products that no rate is known of
	Uncompared  int              `json:"orders_uncompared"` // sales of partners that could not be

	Findings []Finding    `json:"-"`
	Balances []Balance    `json:"-"` // by currency, the largest first
	Changes  book.Changes `json:"-"` // rows to create or overwrite in the book
	After    book.Content `json:"-"` // the book's content once they are
	Map      *mapping.Map `json:"-"` // what would be published

	money  *money
	owners []book.Referral // all customers, as they will be in the book
}

// TableCount says what a plan does to one table of the model.
type TableCount struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Unchanged int `json:"unchanged"`
}

// Totals are the figures that a person compares with Keap's own.
type Totals struct {
	Partners     int `json:"partners"` // loaded, the program's own included
	House        int `json:"house"`
	Promoters    int `json:"promoters"`
	Active       int `json:"active"`
	Inactive     int `json:"inactive"`
	NeedEmail    int `json:"need_email"`
	Merged       int `json:"merged"` // partners beyond the first of their promoter
	Contacts     int `json:"contacts"`
	Links        int `json:"links"`
	Codes        int `json:"codes"` // that will resolve, former ones included
	KeapIDs      int `json:"keap_ids"`
	Rejected     int `json:"rejected"`
	Skipped      int `json:"skipped"`
	OpenBlocking int `json:"open_blocking"` // conflicts that block and are not decided
}

// orEmpty makes a list that JSON writes as [] when there is nothing in it.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Open lists the conflicts that block and have no decision.
func (p *Plan) Open() []Conflict {
	var open []Conflict
	for _, c := range p.Conflicts {
		if c.Blocking && c.Decision == "" {
			open = append(open, c)
		}
	}
	return open
}

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

	reviewed *reviewed // nil: there is no former plan to keep to
}

// reviewed is what a plan that is made again is held to. The folder of its rejects may
// itself be one of the exports, mended ones; what the plan then wrote there is not.
type reviewed struct {
	files map[string]bool // absolute paths of its exports
	dir   string          // where it was written, absolute
}

func newReviewed(workDir, dir string, files []FilePlan) *reviewed {
	r := &reviewed{files: make(map[string]bool, len(files)), dir: dir}
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

// Make reads the exports and works out what would be done. It changes nothing.
func Make(ctx context.Context, req Request) (*Plan, error) {
	before, base := &book.Content{}, int64(0)
	held := func() (*book.Money, error) { return &book.Money{}, nil }
	if req.Book != nil {
		held = inBackground(func() (*book.Money, error) { return req.Book.Money(ctx) })
		var err error
		if before, err = req.Book.Content(ctx); err != nil {
			return nil, err
		}
		switch last, err := req.Book.LastImport(ctx); {
		case err == nil:
			base = last.ID
		case !errors.Is(err, book.ErrNoImport):
			return nil, err
		}
	}
	x, err := readExports(ctx, &req, before)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		BaseRun: base, WorkDir: req.WorkDir, Args: req.Args, Files: x.files, Rejects: x.rejectLines(), Unread: orEmpty(x.unread),
		Tables: map[string]TableCount{},
	}
	if len(before.Promoters) == 0 && len(x.partners.rows) == 0 {
		return nil, noPartners(p, x.found)
	}
	who := p.build(req.Settings, x, before)
	money, err := held()
	if err != nil {
		return nil, err
	}
	m := newMoney(x, who, money, asOf(&req))
	m.remade = req.reviewed != nil
	if err := x.readKinds(ctx, "reading customers and money", moneyKinds, m.rows); err != nil {
		return nil, err
	}
	if err := m.readTracked(ctx, req.Book); err != nil {
		return nil, err
	}
	p.carry(m)
	p.total(x, who)
	p.Rejects = x.rejectLines()
	x.conflicts.sort()
	if p.Unused, err = x.conflicts.check(); err != nil {
		return nil, err
	}
	p.Conflicts = orEmpty(x.conflicts.list)
	p.Totals.OpenBlocking = len(p.Open())
	if p.Map, err = req.Settings.Project(&p.After); err != nil {
		return nil, err
	}
	if _, err := mapping.New(p.Map); err != nil {
		return nil, fmt.Errorf("the link map of this plan cannot be served: %w", err)
	}
	p.identify(req.Settings.ConfigHash, req.Decisions)
	return p, nil
}

// asOf is the day whose customers are carried over.
func asOf(req *Request) string {
	return cmp.Or(req.AsOf, req.Settings.AsOf, time.Now().In(req.Settings.Zone).Format(time.DateOnly))
}

// inBackground begins fn at once; what it returns waits for it.
func inBackground[T any](fn func() (T, error)) func() (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := fn()
		done <- result{value, err}
	}()
	return sync.OnceValues(func() (T, error) {
		r := <-done
		return r.value, r.err
	})
}

func noPartners(p *Plan, found []*sheet.File) error {
	var b strings.Builder
	b.WriteString("no referral partner could be loaded, and without partners there is nothing to carry over:")
	for i, f := range found {
		n := &p.Files[i]
		if n.Kind == "" { // not read any more
			fmt.Fprintf(&b, "\n  %s: %s, %d rows", f.Path, f.Kind, f.Rows)
			continue
		}
		fmt.Fprintf(&b, "\n  %s: %s, %d rows, %d loaded, %d rejected, %d skipped", n.Path, n.Kind, n.Rows, n.Loaded, n.Rejected, n.Skipped)
	}
	for _, u := range p.Unread {
		fmt.Fprintf(&b, "\n  %s: %s", u.Path, u.Reason)
	}
	for i, r := range p.Rejects {
		if i == 5 {
			break
		}
		fmt.Fprintf(&b, "\n  %s, line %d, %s %q: %s, %s", r.File, r.Line, r.Column, r.Value, r.Reason, r.Hint)
	}
	return errors.New(b.String())
}

// identify computes the ids: over what was read and how it is read, and with the
// decisions that apply to it.
func (p *Plan) identify(configHash string, decisions Decisions) {
	type input struct{ Kind, SHA256 string }
	inputs := make([]input, 0, len(p.Files))
	for _, f := range p.Files {
		inputs = append(inputs, input{f.Kind, f.SHA256})
	}
	p.InputsID = digest("carryover plan 2", configHash, p.AsOf, inputs)
	values := map[string]string{}
	for _, c := range p.Conflicts {
		if c.Decision != "" {
			values[c.ID] = c.Decision
		}
	}
	p.PlanID = digest(p.InputsID, values)
}

func digest(parts ...any) string {
	text, _ := json.Marshal(parts) // strings, maps and plain structs: cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// Rejected gathers rejected rows for the book.
type Rejected struct {
	mu   sync.Mutex // several files may be read at once
	Rows []book.Reject
}

// Sink is a [RejectSink] that keeps every rejected row.
func (r *Rejected) Sink(f *sheet.File, _ int) func(*sheet.Reject) error {
	return func(x *sheet.Reject) error {
		if x != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.Rows = append(r.Rows, book.Reject{File: f.Path, Line: x.Line, Reason: x.Reason, Cells: x.Cells})
		}
		return nil
	}
}
