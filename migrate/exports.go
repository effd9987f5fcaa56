package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// FilePlan is what became of one export.
type FilePlan struct {
	Path          string            `json:"path"`
	Kind          string            `json:"kind"`
	Rows          int               `json:"rows"`
	Loaded        int               `json:"loaded"`
	Rejected      int               `json:"rejected"`
	Skipped       int               `json:"skipped"`
	SkippedBy     map[string]int    `json:"skipped_by,omitempty"`
	Encoding      string            `json:"encoding"`
	Delimiter     string            `json:"delimiter"`
	LineEnd       string            `json:"line_end"`
	HeaderLine    int               `json:"header_line"`
	DateLayout    map[string]string `json:"date_layout,omitempty"` // header -> month_first or day_first
	NotUnderstood []string          `json:"headers_not_understood,omitempty"`
	Dropped       []string          `json:"secret_columns_dropped,omitempty"`
	SHA256        string            `json:"sha256"`
	Bytes         int64             `json:"bytes"`

	Took time.Duration `json:"-"`
}

// Unread is a file that was found and not read, and why.
type Unread struct {
	Path   string `json:"path"`
	Kind   string `json:"kind,omitempty"`
	Reason string `json:"reason"`
}

// RejectLine says where a rejected row stands and why it was rejected.
type RejectLine struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// RejectSink receives the rejected rows of a file as they are found. The function it
// returns is called for each, and once with nil at the end of the file.
type RejectSink func(f *sheet.File, index int) func(*sheet.Reject) error

// carried are the kinds of export that are carried over, in the order they are read:
// contacts are only kept when a partner refers to them.
var carried = []string{keap.Partners, keap.Contacts, keap.Links}

// exports is everything that was read.
type exports struct {
	settings  *Settings
	conflicts *conflictList
	progress  Progress
	sink      RejectSink

	files   []FilePlan
	unread  []Unread
	rejects []RejectLine

	partners map[int64]*partner
	contacts map[int64]person
	seen     map[int64]seenContact
	wanted   map[int64]bool // contacts that a partner refers to
	seed     maphash.Seed
	links    map[string]*linkRow
	linkByID map[int64]*linkRow
}

// seenContact is what is remembered of every contact, to know its copies by.
type seenContact struct {
	hash uint64
	date int64 // last change, Unix seconds; 0: not known
	file int32
	line int32
}

type linkRow struct {
	book.Link
	at place
}

// readExports finds, recognises and reads every file that args name. Rows that cannot
// be loaded are rejected, never an error; a file that cannot be read is one.
func readExports(ctx context.Context, args []string, s *Settings, decisions Decisions, progress Progress, sink RejectSink) (*exports, error) {
	x := &exports{
		settings: s, conflicts: &conflictList{decisions: decisions}, progress: progress, sink: sink,
		partners: map[int64]*partner{}, contacts: map[int64]person{},
		wanted: map[int64]bool{}, seed: maphash.MakeSeed(), links: map[string]*linkRow{}, linkByID: map[int64]*linkRow{},
	}
	inputs, err := sheet.Find(args, keap.KindNames())
	if err != nil {
		return nil, err
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("%s holds no files: name the folder or zip with Keap's exports", strings.Join(args, ", "))
	}
	files, err := x.probe(ctx, inputs)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, x.nothingFound(args)
	}
	x.files = make([]FilePlan, len(files))
	for _, kind := range carried {
		for i, f := range files {
			if f.Kind != kind {
				continue
			}
			if err := x.read(ctx, i, f); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// probe reads every input once and keeps the files that are carried over.
func (x *exports) probe(ctx context.Context, inputs []sheet.Input) ([]*sheet.File, error) {
	opt := sheet.Options{
		Headers: x.settings.Headers, Dates: x.settings.Dates, Location: x.settings.Zone,
		DateDecision: func(path, field string) string {
			return x.conflicts.decisions[dateConflictID(path, field)].Value
		},
	}
	var total int64
	for _, in := range inputs {
		total += in.Size
	}
	bar := x.progress.Bar("recognising", total)
	defer bar.Done()
	var files []*sheet.File
	for _, in := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := sheet.Probe(counted(in, bar), keap.Kinds(), opt)
		var unknown *sheet.UnknownKind
		switch {
		case errors.As(err, &unknown) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: err.Error()})
			continue
		case errors.Is(err, sheet.ErrEmpty) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: "the file is empty"})
			continue
		case err != nil:
			return nil, err
		case !slices.Contains(carried, f.Kind):
			x.unread = append(x.unread, Unread{Path: f.Path, Kind: f.Kind, Reason: fmt.Sprintf("recognised as %s (%d rows), which this version does not carry over yet", f.Kind, f.Rows)})
			continue
		}
		files = append(files, f)
		for _, d := range f.Dates {
			if d.Question() || x.conflicts.decisions[dateConflictID(f.Path, d.Field)].Value != "" {
				x.conflicts.add(question(KindDateOrder, filepath.Base(f.Path)+":"+d.Field,
					fmt.Sprintf("%s, line %d, column %q: %q is a date only with the day first, and no value of the column needs the month first (%d fit only day first, %d fit both): is the column day first?", f.Path, d.DayOnlyLine, d.Header, d.DayOnlyValue, d.DayOnly, d.Both),
					DayFirst, DayFirst, MonFirst))
			}
		}
	}
	return files, nil
}

// dateConflictID leaves the folder out: apply may name it from another one.
func dateConflictID(path, field string) string {
	return KindDateOrder + ":" + filepath.Base(path) + ":" + field
}

// nothingFound explains why none of the files could be used.
func (x *exports) nothingFound(args []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "none of the %d files in %s is an export that can be carried over: needed are Keap's referral partner list, contacts and tracking links as CSV", len(x.unread), strings.Join(args, ", "))
	for i, u := range x.unread {
		if i == 5 {
			fmt.Fprintf(&b, "\n  … and %d more", len(x.unread)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s", u.Reason)
	}
	return errors.New(b.String())
}

// counted makes the bytes that are read of an input move the bar.
func counted(in sheet.Input, bar Bar) sheet.Input {
	open := in.Open
	in.Open = func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, err
		}
		return &countedReader{r, bar}, nil
	}
	return in
}

type countedReader struct {
	io.ReadCloser
	bar Bar
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.bar.Add(int64(n))
	return n, err
}

// read loads one file and notes what became of its rows.
func (x *exports) read(ctx context.Context, index int, f *sheet.File) error {
	start := time.Now()
	plan := &x.files[index]
	*plan = FilePlan{
		Path: f.Path, Kind: f.Kind, Encoding: f.Encoding, Delimiter: f.Delimiter, LineEnd: f.LineEnd, HeaderLine: f.HeaderLine,
		NotUnderstood: f.NotUnderstood, Dropped: f.Secrets, SHA256: f.SHA256, Bytes: f.Bytes,
	}
	for _, d := range f.Dates {
		if plan.DateLayout == nil {
			plan.DateLayout = map[string]string{}
		}
		plan.DateLayout[d.Header] = d.Layout()
	}
	sink := x.sink(f, index)
	onReject := func(r *sheet.Reject) error {
		x.rejects = append(x.rejects, RejectLine{f.Path, r.Line, r.Reason, r.Column, clip(r.Value), r.Hint})
		return sink(r)
	}
	bar := x.progress.Bar("reading "+filepath.Base(f.Path), int64(f.Rows))
	defer bar.Done()
	n := 0
	step := func() error {
		if n++; n&4095 == 0 {
			bar.Add(4096)
			return ctx.Err()
		}
		return nil
	}
	var count sheet.Count
	var err error
	switch f.Kind {
	case keap.Partners:
		count, err = keap.ReadPartners(f, func(line int, p *keap.Partner) error {
			return cmp.Or(step(), x.partner(p, place{index, line}))
		}, onReject)
	case keap.Contacts:
		if len(x.seen) == 0 {
			x.seen = make(map[int64]seenContact, f.Rows) // a million of them: no growing
		}
		count, err = keap.ReadContacts(f, func(line int, c *keap.Contact) error {
			return cmp.Or(step(), x.contact(c, place{index, line}))
		}, onReject)
	case keap.Links:
		count, err = keap.ReadLinks(f, func(line int, l *keap.Link) error {
			return cmp.Or(step(), x.link(l, place{index, line}))
		}, onReject)
	}
	if err != nil {
		return err
	}
	bar.Add(int64(n & 4095))
	// A row of this file may already have been superseded by a later one of it.
	plan.Rows, plan.Rejected = count.Rows, count.Rejected
	plan.Loaded += count.Loaded
	plan.Skipped += count.Skipped
	plan.addSkips(count.SkippedBy)
	plan.Took = time.Since(start)
	return sink(nil)
}

func (p *FilePlan) addSkips(by map[string]int) {
	for reason, n := range by {
		if n == 0 {
			continue
		}
		if p.SkippedBy == nil {
			p.SkippedBy = map[string]int{}
		}
		p.SkippedBy[reason] += n
	}
}

// clip bounds what is repeated of a cell: enough to find it, no whole documents.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Reasons for which a row is skipped, beside those of package sheet.
const (
	skippedDuplicate  = "duplicate"
	skippedSuperseded = "superseded" // another row of its id says something newer
)

// supersede turns a row that was loaded into one that is skipped.
func (x *exports) supersede(at place) {
	f := &x.files[at.file]
	f.Loaded--
	f.Skipped++
	f.addSkips(map[string]int{skippedSuperseded: 1})
}

// newer says which of two different rows of one id holds: the one with the later date;
// without two different dates a person decides, and until then what is recommended.
// It returns true for the later row.
func (x *exports) newer(kind string, id any, first, later place, firstDate, laterDate int64, recommended, what string) bool {
	if firstDate != 0 && laterDate != 0 && firstDate != laterDate {
		return laterDate > firstDate
	}
	c := x.conflicts.add(question(KindDuplicate, fmt.Sprintf("%s:%v", kind, id),
		fmt.Sprintf("%v stands in %s, line %d, and in %s, line %d, and the two differ in %s, without dates that tell which is newer: \"first\" keeps the one named first, \"later\" the other", id,
			x.files[first.file].Path, first.line, x.files[later.file].Path, later.line, what), recommended, KeepOne, KeepNew))
	return cmp.Or(c.Decision, c.Recommended) == KeepNew
}

// partner loads a row of the partner list.
func (x *exports) partner(row *keap.Partner, at place) error {
	p := &partner{
		id: row.ID.Number, contactID: row.ContactID.Number, parentID: row.ParentID.Number, parentCode: row.ParentCode,
		code: row.Code, name: cmp.Or(row.Name, fullName(row.FirstName, row.LastName), row.Company), ownEmail: row.Email,
		active: row.Status == sheet.Active, joined: unix(row.CreatedAt), at: at,
	}
	old := x.partners[p.id]
	if old == nil {
		x.partners[p.id] = p
		x.want(p)
		return nil
	}
	differ := p.differences(old)
	if len(differ) == 0 {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	recommended := KeepNew
	if p.code != old.code || p.contactID != old.contactID || p.ownEmail != old.ownEmail {
		recommended = KeepOne // taking the other would change a token or a person
	}
	win, lose := old, p
	if x.newer(keap.Partners, p.id, old.at, at, old.joined, p.joined, recommended, strings.Join(differ, ", ")) {
		win, lose = p, old
		x.supersede(old.at)
	}
	win.formerCodes = slices.Compact(append(win.formerCodes, lose.formerCodes...))
	if lose.code != win.code && !slices.Contains(win.formerCodes, lose.code) {
		win.formerCodes = append(win.formerCodes, lose.code)
	}
	x.partners[p.id] = win
	x.want(win)
	if win == p {
		return nil
	}
	return &sheet.Skip{Reason: skippedSuperseded}
}

func (x *exports) want(p *partner) {
	if p.contactID != 0 {
		x.wanted[p.contactID] = true
	}
}

func (p *partner) differences(q *partner) []string {
	var d []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"code", p.code == q.code}, {"contact", p.contactID == q.contactID}, {"status", p.active == q.active},
		{"parent", p.parentID == q.parentID && p.parentCode == q.parentCode}, {"name", p.name == q.name},
		{"e-mail", p.ownEmail == q.ownEmail}, {"date", p.joined == q.joined},
	} {
		if !f.same {
			d = append(d, f.name)
		}
	}
	return d
}

func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// contact loads a row of the contact list: what a partner needs of it is kept, of the
// others only that they were there.
func (x *exports) contact(row *keap.Contact, at place) error {
	id := row.ID.Number
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, s := range [...]string{row.Email, row.FirstName, row.LastName, row.FullName, row.Company} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	now := seenContact{hash: h.Sum64(), date: cmp.Or(unix(row.UpdatedAt), unix(row.CreatedAt)), file: int32(at.file), line: int32(min(at.line, math.MaxInt32))}
	old, again := x.seen[id]
	if again && old.hash == now.hash {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	if again {
		first := place{int(old.file), int(old.line)}
		dated := old.date != 0 && now.date != 0 && old.date != now.date
		switch {
		case !dated && !x.wanted[id]: // nobody's: nothing to decide
			return &sheet.Skip{Reason: skippedSuperseded}
		case !x.newer(keap.Contacts, id, first, at, old.date, now.date, KeepOne, "e-mail address or name"):
			return &sheet.Skip{Reason: skippedSuperseded}
		}
		x.supersede(first)
	}
	x.seen[id] = now
	if x.wanted[id] {
		x.contacts[id] = person{strings.Clone(row.Email), strings.Clone(cmp.Or(fullName(row.FirstName, row.LastName), row.FullName, row.Company))}
	}
	return nil
}

// link loads a row of the tracking link list, unless its destination is unsafe.
func (x *exports) link(row *keap.Link, at place) error {
	if err := x.settings.Policy.CheckDestination(row.Destination); err != nil {
		kind := KindUnsafeLink
		if errors.Is(err, mapping.ErrLoop) {
			kind = KindLoopingLink
		}
		x.conflicts.add(newConflict(kind, row.Code, fmt.Sprintf("%s, line %d: %q is rejected, %v; the code is unknown to the gateway", x.files[at.file].Path, at.line, clip(row.Destination), err)))
		return &sheet.Reject{Reason: sheet.UnsafeDestination, Field: "destination", Hint: err.Error() + "; correct the address, or add its host to allowed_hosts when it is yours"}
	}
	l := &linkRow{book.Link{Code: row.Code, KeapID: row.ID.Number, Name: row.Name, Destination: row.Destination, CreatedAt: unix(row.CreatedAt)}, at}
	old := x.links[l.Code]
	if byID := x.linkByID[l.KeapID]; byID != nil && l.KeapID != 0 {
		if byID.Code == l.Code && byID.Destination == l.Destination && byID.Name == l.Name {
			return &sheet.Skip{Reason: skippedDuplicate}
		}
		if byID.Code != l.Code && old == nil { // renamed in Keap: both codes were given out
			x.links[l.Code] = l
			return nil
		}
		old = cmp.Or(old, byID)
	}
	if old != nil && old.Destination != l.Destination {
		if !x.newer(keap.Links, l.Code, old.at, at, old.CreatedAt, l.CreatedAt, KeepOne, "destination") {
			return &sheet.Skip{Reason: skippedSuperseded}
		}
		x.supersede(old.at)
	} else if old != nil && old.KeapID == l.KeapID {
		x.supersede(old.at) // only its name differs
	}
	x.links[l.Code] = l
	if l.KeapID != 0 {
		x.linkByID[l.KeapID] = l
	}
	return nil
}

// unix is the date in seconds, 0 when it is not known.
func unix(d sheet.Date) int64 {
	if !d.Valid {
		return 0
	}
	return d.Time.Unix()
}
