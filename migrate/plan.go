package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/keap"
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
	Files     []FilePlan            `json:"files"`
	Unread    []Unread              `json:"unread"`
	Rejects   []RejectLine          `json:"rejects"`
	Conflicts []Conflict            `json:"conflicts"`
	Tables    map[string]TableCount `json:"tables"`
	Totals    Totals                `json:"totals"`

	Changes book.Content `json:"-"` // rows to create or overwrite in the book
	After   book.Content `json:"-"` // the book's content once they are
	Map     *mapping.Map `json:"-"` // what would be published
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
	Progress  Progress
	Sink      RejectSink
}

// Make reads the exports and works out what would be done. It changes nothing.
func Make(ctx context.Context, req Request) (*Plan, error) {
	x, err := readExports(ctx, req.Args, req.Settings, req.Decisions, req.Progress, req.Sink)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		WorkDir: req.WorkDir, Args: req.Args, Files: x.files, Rejects: x.rejects, Unread: x.unread,
		Tables: map[string]TableCount{},
	}
	before := &book.Content{}
	if req.Book != nil {
		if before, err = req.Book.Content(ctx); err != nil {
			return nil, err
		}
		switch last, err := req.Book.LastRun(ctx); {
		case err == nil:
			p.BaseRun = last.ID
		case !errors.Is(err, book.ErrNoRun):
			return nil, err
		}
	}
	if len(before.Promoters) == 0 && len(x.partners) == 0 {
		return nil, noPartners(p)
	}
	p.build(req.Settings, x, before)
	if err := x.conflicts.check(); err != nil {
		return nil, err
	}
	p.Conflicts = x.conflicts.list
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

func noPartners(p *Plan) error {
	var b strings.Builder
	b.WriteString("no referral partner could be loaded, and without partners there is nothing to carry over:")
	for _, f := range p.Files {
		fmt.Fprintf(&b, "\n  %s: %s, %d rows, %d loaded, %d rejected, %d skipped", f.Path, f.Kind, f.Rows, f.Loaded, f.Rejected, f.Skipped)
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

// build works out the model after the plan and what must be written for it.
func (p *Plan) build(s *Settings, x *exports, before *book.Content) {
	all := slices.SortedFunc(maps.Values(x.partners), func(a, b *partner) int { return cmp.Compare(a.id, b.id) })
	house := excluded(all, s.Exclude, x.conflicts)
	who := &people{house: house, contacts: x.contacts, before: before, conflicts: x.conflicts}
	for _, m := range all {
		if house[m.id] == nil {
			who.partners = append(who.partners, m)
		}
	}
	who.resolve()

	after := newOverlay(before)
	for _, g := range who.groups {
		after.promoter(g.promoter)
		for _, a := range g.absorbed {
			taken := *a
			taken.MergedInto, taken.ParentID = g.promoter.ID, 0
			after.promoter(taken)
		}
	}
	p.codes(after, who, before)
	for _, code := range slices.Sorted(maps.Keys(x.links)) {
		l := x.links[code]
		after.link(l.Link)
		if names := s.Policy.ReservedIn(l.Destination); len(names) > 0 {
			x.conflicts.add(newConflict(KindReservedName, code, fmt.Sprintf("its destination holds %s, which the new platform would read as a promoter: removed when visitors are forwarded", strings.Join(names, ", "))))
		}
	}
	p.After = after.content()
	p.Changes = after.changes
	p.Tables = after.counts
	foldedCodes(&p.After, x.conflicts)
	p.checkGrace(s, x.conflicts)
	p.total(x, house, who)
}

// excluded finds the program's own partners: by exact code, else by its lower case
// when that means one partner only.
func excluded(all []*partner, codes []string, conflicts *conflictList) map[int64]*partner {
	house := map[int64]*partner{}
	for _, code := range codes {
		var folded []*partner
		found := false
		for _, m := range all {
			if m.code == code {
				house[m.id] = m
				found = true
			} else if strings.EqualFold(m.code, code) {
				folded = append(folded, m)
			}
		}
		if !found && len(folded) == 1 {
			house[folded[0].id] = folded[0]
			found = true
		}
		if !found {
			conflicts.add(newConflict(KindNoHouse, code, "[partners] exclude names it, and no partner of these exports has that code"))
		}
	}
	return house
}

// codes enters every code and Keap id. A code that several promoters claim names none
// of them.
func (p *Plan) codes(after *overlay, who *people, before *book.Content) {
	taken := map[int64]int64{} // promoter of the book -> the one that took it over
	for _, g := range who.groups {
		for _, a := range g.absorbed {
			taken[a.ID] = g.promoter.ID
		}
	}
	for _, a := range before.Aliases {
		if to, ok := taken[a.PromoterID]; ok && a.PromoterID != 0 {
			a.PromoterID = to
			after.alias(a)
		}
	}
	houseCodes := map[string]bool{}
	for _, h := range who.house {
		for _, code := range append([]string{h.code}, h.formerCodes...) {
			houseCodes[code] = true
		}
	}
	for _, code := range slices.Sorted(maps.Keys(who.byCode)) {
		groups := who.byCode[code]
		a := book.Alias{Kind: book.AliasCode, Value: code, PromoterID: groups[0].promoter.ID}
		old := who.aliases[aliasKey(book.AliasCode, code)]
		moved := old.PromoterID != 0 && old.PromoterID != a.PromoterID && taken[old.PromoterID] != a.PromoterID
		switch {
		case len(groups) > 1 || houseCodes[code] || old.State == book.StateAmbiguous:
			a.PromoterID, a.State = 0, book.StateAmbiguous
			who.conflicts.add(newConflict(KindAmbiguousCode, code, fmt.Sprintf("%d promoters claim this very code: nobody is credited through it, only through their ids and other codes", max(2, len(groups)))))
		case moved:
			who.conflicts.add(newConflict(KindMovedCode, code, fmt.Sprintf("the book has it as another promoter's (%d); these exports give it to %s, and so does the plan", old.PromoterID, groups[0].promoter.Token)))
		}
		after.alias(a)
	}
	for code := range houseCodes {
		if who.byCode[code] == nil {
			after.alias(book.Alias{Kind: book.AliasCode, Value: code, State: book.StateHouse})
		}
	}
	for _, m := range who.partners {
		after.alias(book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(m.id), PromoterID: who.byID[m.id].promoter.ID, Code: m.code})
	}
	for _, h := range who.house {
		after.alias(book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(h.id), State: book.StateHouse, Code: h.code})
	}
}

// foldedCodes reports codes that differ only by case and mean different promoters or
// links: only their exact spelling is honoured.
func foldedCodes(c *book.Content, conflicts *conflictList) {
	type meaning struct {
		code     string
		promoter int64
		state    string
	}
	partners := map[string][]meaning{}
	for _, a := range c.Aliases {
		if a.Kind == book.AliasCode {
			f := strings.ToLower(a.Value)
			partners[f] = append(partners[f], meaning{a.Value, a.PromoterID, a.State})
		}
	}
	for _, f := range slices.Sorted(maps.Keys(partners)) {
		all := partners[f]
		differs := func(m meaning) bool { return m.promoter != all[0].promoter || m.state != all[0].state }
		if slices.ContainsFunc(all, differs) {
			var codes []string
			for _, m := range all {
				codes = append(codes, m.code)
			}
			conflicts.add(newConflict(KindAmbiguousCode, codes[0], fmt.Sprintf("%s differ only by case and are different promoters: each is honoured as it is spelled, any other spelling credits nobody", strings.Join(codes, ", "))))
		}
	}
	links := map[string][]string{}
	for _, l := range c.Links {
		f := strings.ToLower(l.Code)
		links[f] = append(links[f], l.Code)
	}
	for _, f := range slices.Sorted(maps.Keys(links)) {
		if codes := links[f]; len(codes) > 1 {
			conflicts.add(newConflict(KindAmbiguousLink, codes[0], fmt.Sprintf("%s differ only by case: each is honoured as it is spelled, any other spelling is an unknown link", strings.Join(codes, ", "))))
		}
	}
}

// checkGrace reports grace dates for codes that nobody has.
func (p *Plan) checkGrace(s *Settings, conflicts *conflictList) {
	known := map[string]bool{}
	for _, a := range p.After.Aliases {
		if a.Kind == book.AliasCode && a.State == "" {
			known[a.Value], known[strings.ToLower(a.Value)] = true, true
		}
	}
	for _, code := range slices.Sorted(maps.Keys(s.Grace.Partners)) {
		if !known[code] {
			conflicts.add(newConflict(KindNoGrace, code, "[partners.grace] names it, and no promoter has that code"))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(s.Grace.Links)) {
		if !slices.ContainsFunc(p.After.Links, func(l book.Link) bool { return l.Code == code || strings.ToLower(l.Code) == code }) {
			conflicts.add(newConflict(KindNoGrace, code, "[links.grace] names it, and no link has that code"))
		}
	}
}

func (p *Plan) total(x *exports, house map[int64]*partner, who *people) {
	t := &p.Totals
	t.Partners, t.House = len(x.partners), len(house)
	t.Merged = len(who.partners)
	for _, g := range who.groups {
		if g.primary != nil {
			t.Merged--
		}
		t.Promoters++
		if g.promoter.Status == book.StatusActive {
			t.Active++
		} else {
			t.Inactive++
		}
		if g.promoter.Email == "" {
			t.NeedEmail++
		}
	}
	for _, f := range p.Files {
		t.Rejected += f.Rejected
		t.Skipped += f.Skipped
		if f.Kind == keap.Contacts {
			t.Contacts += f.Loaded
		}
	}
	t.Links = len(p.After.Links)
	for _, a := range p.After.Aliases {
		if a.Kind == book.AliasCode {
			t.Codes++
		} else {
			t.KeapIDs++
		}
	}
}

// identify computes the ids: over what was read and how it is read, and with the
// decisions that apply to it.
func (p *Plan) identify(configHash string, decisions Decisions) {
	type input struct{ Kind, SHA256 string }
	inputs := make([]input, 0, len(p.Files))
	for _, f := range p.Files {
		inputs = append(inputs, input{f.Kind, f.SHA256})
	}
	p.InputsID = digest("carryover plan 1", configHash, inputs)
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

// overlay is the book's content with changes on top.
type overlay struct {
	before  *book.Content
	changes book.Content
	counts  map[string]TableCount

	promoters map[int64]book.Promoter
	aliases   map[string]book.Alias
	links     map[string]book.Link
	oldP      map[int64]book.Promoter
	oldA      map[string]book.Alias
	oldL      map[string]book.Link
}

func newOverlay(before *book.Content) *overlay {
	o := &overlay{
		before:    before,
		promoters: make(map[int64]book.Promoter, len(before.Promoters)), aliases: make(map[string]book.Alias, len(before.Aliases)), links: make(map[string]book.Link, len(before.Links)),
	}
	for _, p := range before.Promoters {
		o.promoters[p.ID] = p
	}
	for _, a := range before.Aliases {
		o.aliases[aliasKey(a.Kind, a.Value)] = a
	}
	for _, l := range before.Links {
		o.links[l.Code] = l
	}
	o.oldP, o.oldA, o.oldL = maps.Clone(o.promoters), maps.Clone(o.aliases), maps.Clone(o.links)
	return o
}

func (o *overlay) promoter(p book.Promoter) { o.promoters[p.ID] = p }
func (o *overlay) alias(a book.Alias)       { o.aliases[aliasKey(a.Kind, a.Value)] = a }
func (o *overlay) link(l book.Link)         { o.links[l.Code] = l }

// content returns everything, in the order in which the book reads it, and works out
// the changes and their counts.
func (o *overlay) content() book.Content {
	o.counts = map[string]TableCount{}
	var after book.Content
	after.Promoters, o.changes.Promoters = settle(o, "promoter", o.promoters, o.oldP)
	after.Aliases, o.changes.Aliases = settle(o, "promoter_alias", o.aliases, o.oldA)
	after.Links, o.changes.Links = settle(o, "link", o.links, o.oldL)
	return after
}

func settle[K cmp.Ordered, V comparable](o *overlay, table string, now, before map[K]V) (all, changed []V) {
	var n TableCount
	for _, key := range slices.Sorted(maps.Keys(now)) {
		v := now[key]
		all = append(all, v)
		switch old, ok := before[key]; {
		case !ok:
			n.Create++
			changed = append(changed, v)
		case old != v:
			n.Update++
			changed = append(changed, v)
		default:
			n.Unchanged++
		}
	}
	o.counts[table] = n
	return all, changed
}

// Rejected gathers rejected rows for the book.
type Rejected struct{ Rows []book.Reject }

// Sink is a [RejectSink] that keeps every rejected row.
func (r *Rejected) Sink(f *sheet.File, _ int) func(*sheet.Reject) error {
	return func(x *sheet.Reject) error {
		if x != nil {
			r.Rows = append(r.Rows, book.Reject{File: f.Path, Line: x.Line, Reason: x.Reason, Cells: x.Cells})
		}
		return nil
	}
}
