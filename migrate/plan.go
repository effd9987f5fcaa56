package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/keap"
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
	Rejected  []RejectedRows        `json:"rejected_rows"` // the same by file
	Missing   []RejectedRows        `json:"missing_rows"`  // that earlier runs rejected, a person accepted, and nothing has brought since
	Conflicts []Conflict            `json:"conflicts"`
	Unused    []string              `json:"decisions_not_used,omitempty"` // on conflicts that there are not, or no longer
	Tables    map[string]TableCount `json:"tables"`
	Totals    Totals                `json:"totals"`

	Currency    string           `json:"currency"`              // the program's
	AsOf        string           `json:"as_of"`                 // the day whose customers are carried over
	AsOfGiven   string           `json:"as_of_given,omitempty"` // the day that was asked for, when the book's is later and holds
	Customers   CustomerTotals   `json:"customers"`
	Money       []Reconciliation `json:"reconciliation"` // by currency
	Differences []Difference     `json:"differences"`
	Standing    []Standing       `json:"standing_differences,omitempty"` // of earlier runs
	Unlisted    []Unlisted       `json:"unlisted_balances,omitempty"`    // that the ledger does not list
	Earlier     []string         `json:"earlier_decisions,omitempty"`    // about money, which nothing has settled since; sentences
	Months      []MonthTotals    `json:"months"`
	FindingsBy  map[string]int   `json:"findings"`          // how many of each kind; findings.csv has them
	Compared    int              `json:"orders_compared"`   // with commissions; the others have products that no rate is known of
	Uncompared  int              `json:"orders_uncompared"` // sales of partners that could not be

	unwritten []unwrittenRow
	missing   []leftOutFile // of earlier imports
	earlier   []earlierDecision

	Findings []Finding    `json:"-"`
	Balances []Balance    `json:"-"` // by currency, the largest first
	Changes  book.Changes `json:"-"` // rows to create or overwrite in the book
	After    book.Content `json:"-"` // the book's content once they are
	Map      *mapping.Map `json:"-"` // what would be published

	Owners     []book.Referral   `json:"-"` // all customers, as they will be in the book
	LiveOwners map[string]string `json:"-"` // ref tokens of those to whom the live program has bound customers, by e-mail key
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

// countTotals counts what the report shows of the model.
func countTotals(who *people, files []FilePlan, after *book.Content) (t Totals) {
	t.Partners, t.House = len(who.partners)+len(who.house), len(who.house)
	t.Merged = len(who.partners) - len(who.groups)
	t.Promoters = len(who.groups)
	for _, g := range who.groups {
		if g.promoter.Status == book.StatusActive {
			t.Active++
		} else {
			t.Inactive++
		}
		if g.promoter.Email == "" {
			t.NeedEmail++
		}
	}
	for _, f := range files {
		t.Rejected += f.Rejected
		t.Skipped += f.Skipped
		if f.Kind == keap.Contacts {
			t.Contacts += f.Loaded
		}
	}
	t.Links = len(after.Links)
	for _, a := range after.Aliases {
		if a.Kind == book.AliasCode {
			t.Codes++
		} else {
			t.KeapIDs++
		}
	}
	return t
}

// orEmpty makes a list that JSON writes as [] when there is nothing in it.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// HasExport reports whether there is an export of a kind. One of which every row was rejected
// is as good as none.
func (p *Plan) HasExport(kind string) bool {
	return slices.ContainsFunc(p.Files, func(f FilePlan) bool { return f.Kind == kind && !f.nothingLoaded() })
}

// Open lists the conflicts that block and have no decision.
func (p *Plan) Open() []Conflict {
	var open []Conflict
	for _, c := range p.Conflicts {
		if c.Undecided() {
			open = append(open, c)
		}
	}
	return open
}

// setChanges takes over what must be written.
func (p *Plan) setChanges(in *inputs, c *changes) {
	p.Changes, p.Tables, p.Owners = c.rows, c.tables, c.customers
	p.LiveOwners = in.live.tokens(in.people.directory)
}

// setTotals takes over the sums that the report shows, and counts what it shows of the model.
func (p *Plan) setTotals(in *inputs, t moneyTotals) {
	p.Money, p.Months, p.Balances = t.reconciliations, t.months, t.balances
	p.Totals = countTotals(in.people, p.Files, &p.After)
}

func (p *Plan) setFindings(f findings) {
	p.Findings, p.Compared, p.Uncompared = f.list, f.compared, f.uncompared
	p.FindingsBy = map[string]int{}
	for i := range f.list {
		p.FindingsBy[f.list[i].Kind]++
	}
}

// setConflicts takes over the conflicts that all stages found. It fails for decisions that
// none of them knows.
func (p *Plan) setConflicts(conflicts *conflictList) (err error) {
	conflicts.sort()
	p.Conflicts = orEmpty(conflicts.list)
	p.Unused, err = conflicts.check()
	p.Totals.OpenBlocking = len(p.Open())
	return err
}

// identify computes the ids: over what was read and how it is read, and with the
// decisions that apply to it.
func (p *Plan) identify(configHash string) {
	type input struct{ Kind, SHA256 string }
	inputs := make([]input, 0, len(p.Files))
	for _, f := range p.Files {
		inputs = append(inputs, input{f.Kind, f.SHA256})
	}
	p.InputsID = digest("carryover plan 2", configHash, cmp.Or(p.AsOfGiven, p.AsOf), inputs)
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
