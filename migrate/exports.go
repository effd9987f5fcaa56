package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

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

// modelKinds are the exports that say who the promoters are and what the links. What one
// list names is read one after the other, beside the next list.
var modelKinds = [][]string{{keap.Partners, keap.Links}, {keap.Contacts}}

// exports is everything that was read.
type exports struct {
	settings  *Settings
	conflicts *conflictList
	progress  Progress
	sink      RejectSink

	found   []*sheet.File // as they were found
	files   []FilePlan    // what became of them
	unread  []Unread
	rejects [][]RejectLine // by file

	known      map[int64]*book.Alias // what the book says of partners, by Keap id
	knownLinks map[string]string     // and of links: code to destination

	partners versions[int64, *partner]
	contacts versions[int64, seenContact]
	texts    []byte                     // addresses and names of contacts
	links    versions[string, *linkRow] // by their own id, or by code where they have none
	byCode   map[string]book.Link       // what they come to
	unsafe   map[string]bool            // rejected links: code and destination
}

// readExports finds, recognises and reads every file that the request names. Rows that
// cannot be loaded are rejected, never an error; a file that cannot be read is one.
func readExports(ctx context.Context, req *Request, before *book.Content) (*exports, error) {
	x := &exports{
		settings: req.Settings, conflicts: &conflictList{decisions: req.Decisions}, progress: req.Progress, sink: req.Sink,
		known: map[int64]*book.Alias{}, knownLinks: map[string]string{}, unsafe: map[string]bool{},
	}
	x.partners.rows, x.contacts.rows, x.links.rows = map[int64]*partner{}, map[int64]seenContact{}, map[string]*linkRow{}
	for i := range before.Aliases {
		a := &before.Aliases[i]
		if id, ok := a.KeapID(); ok {
			x.known[id] = a
		}
	}
	for _, l := range before.Links {
		x.knownLinks[l.Code] = l.Destination
	}
	inputs, err := sheet.Find(req.Args, keap.KindNames())
	if err != nil {
		return nil, err
	}
	inputs = slices.DeleteFunc(inputs, func(in sheet.Input) bool { return !in.Explicit && req.leavesOut(in.Path) })
	unmended := unmended{}
	inputs = slices.DeleteFunc(inputs, func(in sheet.Input) bool {
		if in.Explicit || !unmended.has(in.Path) {
			return false
		}
		x.unread = append(x.unread, Unread{Path: in.Path, Reason: "no row of it was mended: it is as carryover wrote it"})
		return true
	})
	if len(inputs) == 0 && len(x.unread) == 0 {
		return nil, fmt.Errorf("%s holds no files: name the folder or zip with Keap's exports", strings.Join(req.Args, ", "))
	}
	files, err := x.probe(ctx, inputs)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, x.nothingFound(req.Args)
	}
	x.found, x.files, x.rejects = files, make([]FilePlan, len(files)), make([][]RejectLine, len(files))
	if err := x.readKinds(ctx, "reading partners, contacts and links", modelKinds, x.rows); err != nil {
		return nil, err
	}
	x.settlePartners()
	x.settleContacts()
	x.settleLinks()
	return x, nil
}

// rowsOf reads the rows of one file; each is to be called for every row.
type rowsOf func(f *sheet.File, index int, each func() error, onReject func(*sheet.Reject) error) (sheet.Count, error)

// readKinds reads the files of some kinds, each list of them beside the others.
func (x *exports) readKinds(ctx context.Context, label string, kinds [][]string, rows rowsOf) error {
	total := 0
	for _, f := range x.found {
		if slices.ContainsFunc(kinds, func(list []string) bool { return slices.Contains(list, f.Kind) }) {
			total += f.Rows
		}
	}
	if total == 0 && len(x.found) == 0 {
		return nil
	}
	bar := x.progress.Bar(label, int64(total))
	defer bar.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, len(kinds))
	var wg sync.WaitGroup
	for n, list := range kinds {
		wg.Go(func() {
			for _, kind := range list {
				for i, f := range x.found {
					if f.Kind != kind || failed[n] != nil {
						continue
					}
					if failed[n] = x.read(ctx, i, f, bar, rows); failed[n] != nil {
						cancel()
					}
				}
			}
		})
	}
	wg.Wait()
	for _, err := range failed { // what ended the others, not that they were ended
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return cmp.Or(failed...)
}

// rejectLines lists what could not be loaded, kind by kind.
func (x *exports) rejectLines() []RejectLine {
	all := []RejectLine{}
	for _, kind := range keap.KindNames() {
		for i, f := range x.found {
			if f.Kind == kind {
				all = append(all, x.rejects[i]...)
			}
		}
	}
	return all
}

// probe reads every input once and keeps the files that are carried over.
func (x *exports) probe(ctx context.Context, inputs []sheet.Input) ([]*sheet.File, error) {
	names := dateNames(inputs)
	opt := sheet.Options{
		Headers: x.settings.Headers, Dates: x.settings.Dates, Location: x.settings.Zone,
		DateDecision: func(path, field string) string {
			return x.conflicts.decisions[KindDateOrder+":"+names[path]+":"+field].Value
		},
	}
	var total int64
	for _, in := range inputs {
		total += in.Size
	}
	bar := x.progress.Bar("recognising", total)
	defer bar.Done()
	type probed struct {
		file *sheet.File
		err  error
	}
	results := make([]probed, len(inputs))
	next := make(chan int, len(inputs))
	for i := range inputs {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		wg.Go(func() {
			for i := range next {
				if results[i].err = ctx.Err(); results[i].err == nil {
					results[i].file, results[i].err = sheet.Probe(counted(inputs[i], bar), keap.Kinds(), opt)
				}
			}
		})
	}
	wg.Wait()
	var files []*sheet.File
	for i, in := range inputs {
		f, err := results[i].file, results[i].err
		var unknown *sheet.UnknownKindError
		var long *sheet.LongRecordError
		switch {
		case errors.As(err, &long) && long.Headless && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: err.Error()})
			continue
		case errors.As(err, &unknown) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: err.Error()})
			continue
		case errors.Is(err, sheet.ErrEmpty) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: "the file is empty"})
			continue
		case err != nil:
			return nil, err
		}
		files = append(files, f)
		for _, d := range f.Dates {
			subject := names[f.Path] + ":" + d.Field
			if d.NeedsDecision() || x.conflicts.decisions[KindDateOrder+":"+subject].Value != "" {
				x.conflicts.add(question(KindDateOrder, subject,
					fmt.Sprintf("%s, line %d, column %q: %q is a date only with the day first, and no value of the column needs the month first (%d fit only day first, %d fit both): is the column day first?", f.Path, d.DayOnlyLine, d.Header, d.DayOnlyValue, d.DayOnly, d.Ambiguous),
					DayFirst, DayFirst, MonFirst))
			}
		}
	}
	return files, nil
}

// dateNames gives every input the name that questions about its dates use. It leaves the
// folder out, which apply may name from another one.
func dateNames(inputs []sheet.Input) map[string]string {
	names, seen := make(map[string]string, len(inputs)), map[string]int{}
	for _, in := range inputs {
		name := filepath.Base(in.Path)
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s#%d", name, seen[name])
		}
		names[in.Path] = name
	}
	return names
}

// nothingFound explains why none of the files could be used.
func (x *exports) nothingFound(args []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "none of the %d files in %s is an export that can be carried over: needed are Keap's referral partner list, contacts and tracking links as CSV, and its referrals, orders, subscriptions, commissions, clawbacks, payments and ledger", len(x.unread), strings.Join(args, ", "))
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
func (x *exports) read(ctx context.Context, index int, f *sheet.File, bar Bar, rows rowsOf) error {
	start := time.Now()
	plan := &x.files[index]
	*plan = FilePlan{
		Path: f.Path, Kind: f.Kind, Encoding: f.Encoding, Delimiter: f.Delimiter, LineEnd: f.LineEnd, HeaderLine: f.HeaderLine,
		NotUnderstood: f.UnknownHeaders, Dropped: f.SecretHeaders, SHA256: f.SHA256, Bytes: f.Bytes,
	}
	for _, d := range f.Dates {
		if plan.DateLayout == nil {
			plan.DateLayout = map[string]string{}
		}
		plan.DateLayout[d.Header] = d.Layout()
	}
	sink := x.sink(f, index)
	onReject := func(r *sheet.Reject) error {
		x.rejects[index] = append(x.rejects[index], RejectLine{f.Path, r.Line, r.Reason, r.Column, clip(r.Value), r.Hint})
		return sink(r)
	}
	n := 0
	each := func() error {
		if n++; n&4095 == 0 {
			bar.Add(4096)
			return ctx.Err()
		}
		return nil
	}
	count, err := rows(f, index, each, onReject)
	if err != nil {
		return err
	}
	bar.Add(int64(n & 4095))
	plan.Rows, plan.Loaded, plan.Rejected, plan.Skipped = count.Rows, count.Loaded, count.Rejected, count.Skipped
	plan.addSkips(count.SkippedBy)
	plan.Took = time.Since(start)
	return sink(nil)
}

// rows loads a file that says who the promoters are.
func (x *exports) rows(f *sheet.File, index int, each func() error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	switch f.Kind {
	case keap.Partners:
		has := partnerColumns(f)
		return keap.ReadPartners(f, func(line int, p *keap.Partner) error {
			return cmp.Or(each(), x.partner(p, has, placeOf(index, line)))
		}, onReject)
	case keap.Contacts:
		named := contactNames(f)
		if len(x.contacts.rows) == 0 {
			x.contacts.rows = make(map[int64]seenContact, f.Rows) // a million of them: no growing
		}
		return keap.ReadContacts(f, func(line int, c *keap.Contact) error {
			return cmp.Or(each(), x.contact(c, named, placeOf(index, line)))
		}, onReject)
	default:
		return keap.ReadLinks(f, func(line int, l *keap.Link) error {
			return cmp.Or(each(), x.link(l, placeOf(index, line)))
		}, onReject)
	}
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
