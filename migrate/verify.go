package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate/sheet"
)

// Check is one comparison of a verification.
type Check struct {
	Name        string   `json:"check"`
	Compared    int      `json:"compared"`
	Differences int      `json:"differences"`
	Examples    []string `json:"examples,omitempty"` // the first few, as sentences
	Note        string   `json:"note,omitempty"`
	Money       bool     `json:"money,omitempty"`    // its differences are of money
	Decided     int      `json:"decided,omitempty"`  // differences that a person decided about, and that remain
	Links       bool     `json:"links,omitempty"`    // it is about old links, and not about money
	Unproven    int      `json:"unproven,omitempty"` // that there was nothing to compare with

	noLedger bool // there is money, and no ledger that it could be compared with
	entries  int  // of money among the rows that were compared with what was written
	money    int  // of the differences, where not all are of money
}

// How many sentences a check has of differences, which are often of one cause, and of what is
// known by name: decisions, and balances that nothing proves.
const (
	maxExamples = 20
	maxTold     = 1000
)

func (c *Check) mismatch(format string, args ...any) {
	c.Differences++
	c.tell(maxExamples, format, args...)
}

// decided tells of a difference that a person decided about.
func (c *Check) decided(format string, args ...any) {
	c.Decided++
	c.tell(maxTold, format, args...)
}

// unproven tells of what there was nothing to compare with.
func (c *Check) unproven(format string, args ...any) {
	c.Unproven++
	c.tell(maxTold, format, args...)
}

func (c *Check) tell(most int, format string, args ...any) {
	if len(c.Examples) < most {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// Untold is how many of what it has found are not among the examples.
func (c *Check) Untold() int { return max(0, c.Differences+c.Decided+c.Unproven-len(c.Examples)) }

// ErrUnproven says that all agrees but what a person has decided about.
var ErrUnproven = errors.New("not proven")

// unprovenError is an [ErrUnproven] in words.
type unprovenError struct{ text string }

func (e *unprovenError) Error() string        { return e.text }
func (e *unprovenError) Is(target error) bool { return target == ErrUnproven }

// Verdict says what checks come to: nil when all agrees, and an [ErrUnproven] when all that is
// left are differences that a person decided about, and balances that nothing proves.
func Verdict(checks []Check) error {
	v := sumChecks(checks, func(*Check) bool { return true })
	switch {
	case v.money > 0:
		return fmt.Errorf("%s, %d of them of money: the totals are not proven", quantity(v.differences, "difference", "differences"), v.money)
	case v.differences > 0:
		return errors.New(quantity(v.differences, "difference", "differences"))
	case v.decided+v.unproven > 0:
		return &unprovenError{"everything else agrees; " + v.remains()}
	}
	return nil
}

// verdict is what several checks come to.
type verdict struct {
	compared, differences, decided, unproven int
	money                                    int // of the differences
	moneyCompared                            int // of what was compared
	entries                                  int // that are as they were written
	noLedger                                 bool
}

func sumChecks(checks []Check, of func(*Check) bool) (v verdict) {
	for i := range checks {
		c := &checks[i]
		if !of(c) {
			continue
		}
		v.compared += c.Compared
		v.differences += c.Differences
		v.decided += c.Decided
		v.unproven += c.Unproven
		v.noLedger = v.noLedger || c.noLedger
		v.entries += c.entries
		v.money += c.money
		if c.Money {
			v.money += c.Differences
			v.moneyCompared += c.Compared
		}
	}
	return v
}

// remains says in words what is not proven.
func (v *verdict) remains() string {
	var list []string
	if v.decided > 0 {
		list = append(list, quantity(v.decided, "difference", "differences")+" that a person decided about "+verb(v.decided, "remains", "remain"))
	}
	if v.unproven > 0 {
		list = append(list, quantity(v.unproven, "balance is", "balances are")+" proven by nothing")
	}
	return strings.Join(list, "; ")
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Answers are the two things that whoever moves a program asks: whether the old links may be
// switched over, and whether the money is all there. Neither hides the other.
func Answers(checks []Check) (links, money string) {
	l := sumChecks(checks, func(c *Check) bool { return c.Links })
	m := sumChecks(checks, func(c *Check) bool { return !c.Links })
	links = fmt.Sprintf("links: GO, all %d agree", l.compared)
	if l.differences > 0 {
		links = fmt.Sprintf("links: NO GO, %s among %d", quantity(l.differences, "difference", "differences"), l.compared)
	}
	switch {
	case m.differences > 0:
		money = "money: not proven, " + quantity(m.differences, "difference", "differences")
		if rest := m.remains(); rest != "" {
			money += "; " + rest
		}
	case m.decided+m.unproven > 0 && m.noLedger:
		money = "money: not proven, the newest exports have no ledger, so no balance was compared with one; " + m.remains()
	case m.decided+m.unproven > 0:
		money = "money: all proven but for this: " + m.remains()
	case m.noLedger:
		money = "money: nothing differs; the newest exports have no ledger, so no balance was compared with one"
	case m.moneyCompared == 0 && m.entries == 0:
		money = "money: there is none"
	case m.moneyCompared == 0:
		money = fmt.Sprintf("money: nothing differs; %s as written, and no exports say what %s",
			quantity(m.entries, "entry is", "entries are"), verb(m.entries, "it should be", "they should be"))
	default:
		money = fmt.Sprintf("money: proven to the cent, all %d agree: sums and endings of the exports; %s as written",
			m.moneyCompared, quantity(m.entries, "entry is", "entries are"))
	}
	return links, money
}

// Verify compares every row of the book with what was written, the exports of the newest run
// with the book, and the book with the published map, row by row and value by value. An error
// means that something could not be compared, and the checks are those that could; differences
// are in the checks.
func Verify(ctx context.Context, s *Settings, b *book.Book, from store.Feed, progress Progress) ([]Check, *mapping.Map, error) {
	type chained struct {
		check Check
		err   error
	}
	chain := inBackground(func() (c chained) {
		c.check, c.err = verifyChain(ctx, b)
		return c
	})
	checks, published, err := verifyRun(ctx, s, b, from, progress)
	c := chain()
	if c.err != nil {
		return nil, nil, c.err
	}
	return append([]Check{c.check}, checks...), published, err
}

// verifyRun compares the exports of the newest run with the book, and the book with the map.
func verifyRun(
	ctx context.Context, s *Settings, b *book.Book, from store.Feed, progress Progress,
) (checks []Check, published *mapping.Map, err error) {
	content, err := b.Content(ctx)
	if err != nil {
		return nil, nil, err
	}
	run, err := b.LastImport(ctx)
	switch {
	case errors.Is(err, book.ErrNoImport) && len(content.Promoters) == 0:
		return nil, nil, errNothingApplied(ctx, b)
	case errors.Is(err, book.ErrNoImport): // a program that began here
	case err != nil:
		return nil, nil, err
	default:
		if checks, err = verifyImport(ctx, s, b, run, content, progress); err != nil {
			return nil, nil, err
		}
	}
	want, err := s.Project(content)
	if err != nil {
		return checks, nil, err
	}
	published, epoch, err := from.Load(ctx)
	if errors.Is(err, store.ErrNoMap) {
		return checks, nil, fmt.Errorf("%w: run \"carryover map publish\"", err)
	}
	if err != nil {
		return checks, nil, err
	}
	checks = append(checks, verifyMap(want, published, epoch))
	if checks[0].Note == configChanged && !slices.ContainsFunc(checks, func(c Check) bool { return c.Differences > 0 }) {
		checks[0].Note = "the configuration has changed since the run, and the book and the published map agree with it"
	}
	return checks, published, nil
}

// verifyImport compares the exports of the newest run with the book.
func verifyImport(
	ctx context.Context, s *Settings, b *book.Book, run book.Import, content *book.Content, progress Progress,
) ([]Check, error) {
	var in importInputs
	if err := json.Unmarshal(run.Inputs, &in); err != nil {
		return nil, fmt.Errorf("run %d does not say what it read: %w", run.ID, err)
	}
	files, p, e, err := verifyExports(ctx, s, b, run.PlanDir, in, progress)
	if err != nil {
		return nil, err
	}
	runs, err := b.Imports(ctx)
	if err != nil {
		return nil, err
	}
	standing := 0
	for _, r := range runs {
		if r.RolledBack.IsZero() {
			standing++
		}
	}
	return []Check{files, verifyRejected(p), verifyBook(p, content), verifyOwners(p, e), verifySums(p, e, standing > 1), verifyLedger(p, e)}, nil
}

const configChanged = "the configuration has changed since the run: plan and apply again, or put it back"

// errNothingApplied says why no run stands.
func errNothingApplied(ctx context.Context, b *book.Book) error {
	runs, err := b.Imports(ctx)
	switch {
	case err != nil:
		return err
	case len(runs) == 0:
		return errors.New("nothing was applied yet: there is nothing to verify")
	case len(runs) == 1:
		return fmt.Errorf("run %d was rolled back: nothing is applied now, and there is nothing to verify", runs[0].ID)
	}
	return fmt.Errorf("all %d runs were rolled back: nothing is applied now, and there is nothing to verify", len(runs))
}

// verifyExports reads the exports again and compares what they hold with what the run
// said it had read.
func verifyExports(
	ctx context.Context, s *Settings, b *book.Book, planDir string, in importInputs, progress Progress,
) (Check, *Plan, *evidence, error) {
	silent := func(*sheet.File, int) func(*sheet.Reject) error { return func(*sheet.Reject) error { return nil } }
	p, e, err := makePlan(ctx, &Request{
		Settings: s, Args: absolute(in.WorkDir, in.Args), WorkDir: in.WorkDir, AsOf: cmp.Or(in.AsOfGiven, in.AsOf),
		Decisions: decisionsOf(in.Decisions), Book: b,
		Progress: progress, Sink: silent, reviewed: newReviewedInputs(in.WorkDir, planDir, in.Files),
	})
	files := Check{Name: "exports as they were applied"}
	if err != nil {
		return files, nil, nil, fmt.Errorf("the exports of the newest run cannot be read again: %w", err)
	}
	for _, change := range changedFiles(in.WorkDir, in.Files, p.Files) {
		files.mismatch("%s since the run", change)
	}
	for _, f := range p.Files {
		files.Compared++
		if f.Rows != f.Loaded+f.Rejected+f.Skipped {
			files.mismatch("%s: %d rows were read, but %d loaded + %d rejected + %d skipped", f.Path, f.Rows, f.Loaded, f.Rejected, f.Skipped)
		}
	}
	if in.InputsID != p.InputsID && files.Differences == 0 {
		files.Note = configChanged
	}
	return files, p, e, nil
}

// verifyBook says where the book differs from what the exports mean.
func verifyBook(p *Plan, c *book.Content) Check {
	check := Check{Name: "book = exports", Compared: p.After.Len(), Links: true}
	promoters := map[int64]book.Promoter{}
	for _, q := range c.Promoters {
		promoters[q.ID] = q
	}
	for _, want := range p.Changes.Promoters {
		if got, ok := promoters[want.ID]; ok {
			check.mismatch("promoter %s: the book says %+v, the exports %+v", got.Token, got, want)
		} else {
			check.mismatch("promoter %s (Keap id %d) is missing in the book", want.Token, want.KeapID)
		}
	}
	for _, a := range p.Changes.Aliases {
		check.mismatch("%s %q: the book does not say what the exports say (promoter %d %s)",
			strings.ReplaceAll(a.Kind, "_", " "), a.Value, a.PromoterID, a.State)
	}
	for _, l := range p.Changes.Links {
		check.mismatch("link %q: the book does not say what the exports say (%s)", l.Code, l.Destination)
	}
	return check
}

// verifyMap compares the published map with the book's, entry by entry.
func verifyMap(want, got *mapping.Map, epoch store.Epoch) Check {
	a, b := want.Entries(), got.Entries()
	check := Check{Name: fmt.Sprintf("published map (epoch %d) = book", epoch.ID), Compared: len(a), Links: true}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch order := entryOrder(a, b, i, j); {
		case order < 0:
			check.mismatch("%s %q is not in the published map", a[i].Kind, a[i].Key)
			i++
		case order > 0:
			check.mismatch("%s %q is in the published map and not in the book", b[j].Kind, b[j].Key)
			j++
		default:
			if a[i].Value != b[j].Value {
				check.mismatch("%s %q: published is %s, the book has %s", a[i].Kind, a[i].Key, b[j].Value, a[i].Value)
			}
			i, j = i+1, j+1
		}
	}
	if mapping.Checksum(want.Policy, nil) != mapping.Checksum(got.Policy, nil) {
		check.mismatch("the published policy (hosts, cutoff, pages, parameters) is not the one of the configuration: " +
			"run \"carryover map publish\"")
	}
	return check
}

// entryOrder compares a[i] with b[j]; the end of a list comes after everything.
func entryOrder(a, b []mapping.Entry, i, j int) int {
	switch {
	case i == len(a):
		return 1
	case j == len(b):
		return -1
	case a[i].Kind != b[j].Kind:
		return int(a[i].Kind) - int(b[j].Kind)
	}
	return strings.Compare(a[i].Key, b[j].Key)
}
