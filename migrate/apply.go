package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate/keap"
)

// ErrUndecided says that a person must decide first.
var ErrUndecided = errors.New("a conflict that blocks has no decision")

// Result is what an apply did.
type Result struct {
	PlanID  string                `json:"plan_id"`
	Run     int64                 `json:"run"`     // 0: the book already held everything
	Changed int                   `json:"changed"` // rows written to the book
	Tables  map[string]TableCount `json:"tables"`
	Epoch   store.Epoch           `json:"epoch"`
	Flipped bool                  `json:"published"` // a new epoch went live
}

// importInputs is what a run remembers of where it came from, so that verify can read the
// same exports again.
type importInputs struct {
	WorkDir   string            `json:"work_dir"`
	Args      []string          `json:"exports"`
	InputsID  string            `json:"inputs_id"`
	AsOf      string            `json:"as_of"` // the day whose customers were carried over
	AsOfGiven string            `json:"as_of_given,omitempty"`
	Decisions map[string]string `json:"decisions"`
	DecidedBy map[string]string `json:"decided_by,omitempty"`
	Files     []FilePlan        `json:"files"`
	LeftOut   []leftOutFile     `json:"left_out,omitempty"` // rejected rows that nothing has brought yet, of earlier runs too
	Unproven  []earlierDecision `json:"unproven,omitempty"` // of earlier runs
}

// Apply carries out the plan that was reviewed and no other: it is made again from the
// same exports, and refused when an export, the configuration or a decision is not what
// was planned. Killed anywhere and started again, it ends in the same state.
//
// extra decisions may complete those of the plan; nil adds none. It fails with
// [ErrUndecided] while a blocking conflict has none, before anything is changed.
func Apply(
	ctx context.Context, reviewed *Plan, dir string, extra Decisions,
	s *Settings, b *book.Book, to store.Publisher, progress Progress, now time.Time,
) (*Result, error) {
	decisions, err := reviewed.decisions(extra)
	if err != nil {
		return nil, err
	}
	dir = absolutePath(currentDir(), dir)
	var rejected rejectList
	p, err := Make(ctx, Request{
		Settings: s, Args: absolute(reviewed.WorkDir, reviewed.Args), WorkDir: reviewed.WorkDir, AsOf: cmp.Or(reviewed.AsOfGiven, reviewed.AsOf),
		Decisions: decisions, Book: b, Progress: progress, Sink: rejected.sink,
		reviewed: newReviewedInputs(reviewed.WorkDir, dir, reviewed.Files),
	})
	if err != nil {
		return nil, err
	}
	if err := reviewed.checkInputs(p); err != nil {
		return nil, err
	}
	if open := p.Open(); len(open) > 0 {
		mend := ""
		if slices.ContainsFunc(open, func(c Conflict) bool { return c.Decision == Mend }) {
			mend = fmt.Sprintf("; what was decided as %q waits until its rows are mended and planned", Mend)
		}
		return nil, fmt.Errorf("%w: %s (%s); %d in all%s. Fill the decision column of %s and name it with --decisions. Nothing was changed",
			ErrUndecided, open[0].ID, open[0].Detail, len(open), mend, filepath.Join(dir, "conflicts.csv"))
	}
	res := &Result{PlanID: p.PlanID, Tables: p.Tables, Changed: p.Changes.Len()}
	record := res.Changed > 0
	if !record {
		if record, err = p.readOtherExports(ctx, b, reviewed.BaseRun); err != nil {
			return nil, err
		}
	}
	if record {
		if res.Run, err = p.write(ctx, dir, reviewed, decisions, b, p.stillRejected(rejected.rows), progress, now); err != nil {
			return nil, err
		}
	}
	if res.Epoch, res.Flipped, err = Publish(ctx, s, b, to, p.PlanID, progress); err != nil {
		return nil, fmt.Errorf("the book is complete, but the link map was not published: %w; run apply again", err)
	}
	return res, nil
}

// stillRejected are, of rows that were rejected as they were read, those that no mended copy
// stands for.
func (p *Plan) stillRejected(rows []book.Reject) []book.Reject {
	type line struct {
		file string
		line int
	}
	rejected := make(map[line]bool, len(p.Rejects))
	for _, r := range p.Rejects {
		rejected[line{r.File, r.Line}] = true
	}
	return slices.DeleteFunc(rows, func(r book.Reject) bool { return !rejected[line{r.File, r.Line}] })
}

// readOtherExports reports whether a plan that changes nothing was made of other exports
// than the newest run. It is a run all the same: verify reads the exports of the newest,
// and these are what the program looks like now.
func (p *Plan) readOtherExports(ctx context.Context, b *book.Book, base int64) (bool, error) {
	last, err := b.LastImport(ctx)
	if errors.Is(err, book.ErrNoImport) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var in importInputs
	if err := json.Unmarshal(last.Inputs, &in); err != nil {
		return false, fmt.Errorf("run %d does not say what it read: %w", last.ID, err)
	}
	return last.ID == base && in.InputsID != p.InputsID, nil
}

// decisions are those of the plan, completed by extra. A plan's decision cannot be
// changed any more.
func (p *Plan) decisions(extra Decisions) (Decisions, error) {
	all := Decisions{}
	for _, c := range p.Conflicts {
		if c.Decision != "" {
			all[c.ID] = Decision{Value: c.Decision, By: c.DecidedBy}
		}
	}
	if extra == nil && p.Decisions != "" {
		var err error
		if extra, err = ReadDecisions(absolute(p.WorkDir, []string{p.Decisions})[0]); err != nil {
			return nil, fmt.Errorf("the decisions that the plan was made with cannot be read again: %w", err)
		}
		for id, d := range all {
			if now := extra[id].Value; now != d.Value && (now != "" || !slices.Contains(p.Kept, id)) {
				return nil, fmt.Errorf("the decision on %s was %q when the plan was made and is %q in %s now: plan again, or put it back",
					id, d.Value, extra[id].Value, p.Decisions)
			}
		}
	}
	for id, d := range extra {
		if old, ok := all[id]; ok && old.Value != d.Value {
			return nil, fmt.Errorf("%s: %s was decided as %q when the plan was made, not %q: plan again with the new decision",
				d.where(), id, old.Value, d.Value)
		}
		all[id] = d
	}
	return all, nil
}

// absolute makes paths what they were where the plan was made. "kind=FILE" keeps its kind.
func absolute(workDir string, args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		kind, path := cutKind(arg)
		if !filepath.IsAbs(path) {
			if rel, err := filepath.Rel(currentDir(), filepath.Join(workDir, path)); err == nil {
				path = rel
			}
		}
		out[i] = kind + path
	}
	return out
}

func absolutePath(workDir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(workDir, path)
}

func cutKind(arg string) (kind, path string) {
	if k, p, ok := strings.Cut(arg, "="); ok && slices.Contains(keap.KindNames(), k) {
		return k + "=", p
	}
	return "", arg
}

func currentDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// checkInputs refuses a plan that is not the one that was reviewed.
func (reviewed *Plan) checkInputs(p *Plan) error {
	if reviewed.InputsID == p.InputsID {
		return nil
	}
	if changes := changedFiles(reviewed.WorkDir, reviewed.Files, p.Files); len(changes) > 0 {
		return fmt.Errorf("%s since the plan was made: plan again and review it", changes[0])
	}
	return errors.New("the configuration has changed since the plan was made: plan again and review it")
}

// changedFiles says which of the exports are not what they were; paths of those that
// were read before are relative to workDir.
func changedFiles(workDir string, before, now []FilePlan) (changes []string) {
	left := make(map[string]FilePlan, len(before))
	for _, f := range before {
		left[absolutePath(workDir, f.Path)] = f
	}
	for _, f := range now {
		path := absolutePath(currentDir(), f.Path)
		switch old, ok := left[path]; {
		case !ok:
			changes = append(changes, f.Path+" is new")
		case old.SHA256 != f.SHA256:
			changes = append(changes, f.Path+" has changed")
		case old.Kind != f.Kind:
			changes = append(changes, fmt.Sprintf("%s is read as %s now, and was as %s,", f.Path, f.Kind, old.Kind))
		}
		delete(left, path)
	}
	for _, path := range slices.Sorted(maps.Keys(left)) {
		changes = append(changes, left[path].Path+" is gone")
	}
	return changes
}

// write applies the plan's changes as an import, and returns its id.
func (p *Plan) write(
	ctx context.Context, dir string, reviewed *Plan, decisions Decisions,
	b *book.Book, rejects []book.Reject, progress Progress, now time.Time,
) (int64, error) {
	values, by := map[string]string{}, map[string]string{}
	for _, c := range p.Conflicts {
		if d := decisions[c.ID]; d.Value != "" {
			values[c.ID] = d.Value
			if d.By != "" {
				by[c.ID] = d.By
			}
		}
	}
	inputs, err := json.Marshal(importInputs{reviewed.WorkDir, reviewed.Args, p.InputsID, p.AsOf, p.AsOfGiven, values, by, reviewed.Files,
		p.leftOut(), p.earlier})
	if err != nil {
		return 0, err
	}
	tables, err := json.Marshal(p.Tables)
	if err != nil {
		return 0, err
	}
	bar := progress.Bar("writing the book", int64(p.Changes.Len()))
	defer bar.Done()
	done := 0
	run := book.Import{PlanID: p.PlanID, AppliedAt: now, PlanDir: dir, Inputs: inputs, Tables: tables}
	return b.Apply(ctx, run, reviewed.BaseRun, &p.Changes, rejects, func(n int) {
		bar.Add(int64(n - done))
		done = n
	})
}

// decisionsOf makes decisions of what a run remembers.
func decisionsOf(values map[string]string) Decisions {
	d := Decisions{}
	for id, v := range maps.All(values) {
		d[id] = Decision{Value: v}
	}
	return d
}
