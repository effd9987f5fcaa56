package migrate

import (
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Settings are what the operator's configuration says about a migration.
type Settings struct {
	Policy   mapping.Policy
	Paths    []mapping.Path
	Grace    book.Grace
	Exclude  []string                     // codes of the program's own (house) partners
	Zone     *time.Location               // of dates that name none
	Dates    string                       // "auto", "month_first" or "day_first"
	Numbers  string                       // "auto" (also when empty), "decimal_point" or "decimal_comma"
	Headers  map[string]map[string]string // the operator's own: kind, header, field
	Currency string                       // the program's: of amounts that name none
	AsOf     string                       // the day whose customers are carried over, as 2023-03-31; empty: the day of the plan
	Owner    string                       // terms.OwnerLatest (also when empty) or terms.OwnerFirst
	// TolerateRejects is the share of the rows of a file without money that may be rejected
	// without a question; nil: [DefaultTolerance], and none of the referrals.
	TolerateRejects *float64
	Products        terms.Products
	Terms           terms.Config
	ConfigHash      string // over everything above that a plan depends on
}

// Project makes the link map that these settings publish of the book's content.
func (s *Settings) Project(c *book.Content) (*mapping.Map, error) {
	return c.Project(s.Policy, s.Paths, s.Grace)
}

// Progress shows how far a long step is. Bar is called once a step; total is in the
// unit of the bar (bytes or rows), 0 when not known.
type Progress interface {
	Bar(label string, total int64) Bar
}

// Bar is one step under way. Add may be called from several goroutines.
type Bar interface {
	Add(n int64)
	Done()
}

// NoProgress shows nothing.
type NoProgress struct{}

// Bar returns a bar that shows nothing.
func (NoProgress) Bar(string, int64) Bar { return noBar{} }

type noBar struct{}

func (noBar) Add(int64) {}
func (noBar) Done()     {}
