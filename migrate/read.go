package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	DateLayout    map[string]string `json:"date_layout,omitempty"`   // header -> month_first, day_first or excel_serial
	NumberFormat  map[string]string `json:"number_format,omitempty"` // header -> decimal_comma; others have a decimal point
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
// returns is called for each, and once with nil at the end of the file. Several files may
// be read at once.
type RejectSink func(f *sheet.File, index int) func(*sheet.Reject) error

// exports are the files that were found, and what became of their rows.
type exports struct {
	found   []*sheet.File   // in the order found
	files   []FilePlan      // what became of each; zero until it is read
	rejects [][]rejectedRow // of each
	settled []position      // of rejected rows that do not count as such: they were mended, or are told twice
	twice   []mendedTwice
	mended  []string           // rejected rows of which a mended copy was loaded
	copies  map[rowOrigin]bool // rows of files of rejects that were loaded, by what they were
	// rows that were rejected, and that the plan's own rejects need not hold
	unwritten []unwrittenRow
	unread    []Unread
	unmended  []string          // paths of files of rejects that are as carryover wrote them
	names     map[string]string // by path: what questions call a file
	currency  string            // of amounts that name none
	progress  Progress
	sink      RejectSink
}

// modelInput is what the rows of partners, contacts and links are read with.
type modelInput struct {
	settings *Settings
	partners map[int64]*book.Alias // those of the book, by Keap id
	links    []book.Link           // those of the book
}

// modelRows are partners, contacts and links: of several rows with one id the one that holds.
type modelRows struct {
	partners map[int64]*partner // by Keap id
	contacts contacts
	links    map[string]book.Link // by code
	foreign  []string             // hosts of rejected links that allowed_hosts lacks
}

// readModel reads who the partners are, and what the links lead to. Rows that cannot be
// loaded are rejected, never an error; a file that cannot be read is one.
func readModel(ctx context.Context, x *exports, in modelInput, conflicts *conflictList) (*modelRows, error) {
	destinations := make(map[string]string, len(in.links))
	for _, l := range in.links {
		destinations[l.Code] = l.Destination
	}
	partners := partnerReader{rows: versions[int64, *partner]{rows: map[int64]*partner{}}}
	contacts := contactReader{rows: versions[int64, contactRow]{rows: map[int64]contactRow{}}}
	links := linkReader{
		policy: &in.settings.Policy, paths: x.paths(), rows: versions[string, *linkRow]{rows: map[string]*linkRow{}},
	}
	if err := x.read(ctx, "reading partners, contacts and links",
		lane{[]string{keap.Partners, keap.Links}, func(f *exportFile) (sheet.Count, error) {
			if f.Kind == keap.Partners {
				return partners.load(f)
			}
			return links.load(f)
		}},
		lane{[]string{keap.Contacts}, contacts.load}); err != nil {
		return nil, err
	}
	d := &duplicates{paths: x.paths(), conflicts: conflicts}
	m := &modelRows{partners.settle(d, in.partners), contacts.settle(d, in.partners), links.settle(d, destinations), links.foreignHosts()}
	links.reportUnsafe(m.links, destinations, conflicts)
	x.skip(d.skipped)
	return m, nil
}

// lane reads the files of some kinds, one after the other and beside other lanes. What it
// loads them into is its own.
type lane struct {
	kinds []string
	load  func(*exportFile) (sheet.Count, error)
}

// exportFile is a file while its rows are read.
type exportFile struct {
	*sheet.File
	index    int                       // in the plan's files
	count    func() error              // to be called for every row; fails when reading is to end
	onReject func(*sheet.Reject) error // to be told of every row that is rejected
}

func (f *exportFile) at(line int) position { return positionOf(f.index, line) }

// fileResult is what became of a file once it was read.
type fileResult struct {
	index   int
	plan    FilePlan
	rejects []rejectedRow
}

// read reads the files that the lanes name.
func (x *exports) read(ctx context.Context, label string, lanes ...lane) error {
	total := 0
	for _, f := range x.found {
		if slices.ContainsFunc(lanes, func(l lane) bool { return slices.Contains(l.kinds, f.Kind) }) {
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
	results, failed := make([][]fileResult, len(lanes)), make([]error, len(lanes))
	var wg sync.WaitGroup
	for n, l := range lanes {
		wg.Go(func() {
			if results[n], failed[n] = l.read(ctx, x, bar); failed[n] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	for _, r := range slices.Concat(results...) {
		x.files[r.index], x.rejects[r.index] = r.plan, r.rejects
	}
	for _, err := range failed { // what ended the others, not that they were ended
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return cmp.Or(failed...)
}

func (l lane) read(ctx context.Context, x *exports, bar Bar) (results []fileResult, err error) {
	for _, kind := range l.kinds {
		for i, f := range x.found {
			if f.Kind != kind {
				continue
			}
			r, err := l.readFile(ctx, x, i, bar)
			if err != nil {
				return results, err
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// maxRejects bounds what is kept of one file's rejected rows, for each of which a person has to
// do something.
const maxRejects = 1_000_000

// readFile loads one file and notes what became of its rows.
func (l lane) readFile(ctx context.Context, in *exports, index int, bar Bar) (fileResult, error) {
	start, f := time.Now(), in.found[index]
	sink := in.sink(f, index)
	r := fileResult{index: index, plan: FilePlan{
		Path: f.Path, Kind: f.Kind, Encoding: f.Encoding, Delimiter: f.Delimiter, LineEnd: f.LineEnd, HeaderLine: f.HeaderLine,
		NotUnderstood: f.UnknownHeaders, Dropped: f.SecretHeaders, SHA256: f.SHA256, Bytes: f.Bytes,
	}}
	for _, d := range f.Dates {
		if r.plan.DateLayout == nil {
			r.plan.DateLayout = map[string]string{}
		}
		r.plan.DateLayout[d.Header] = d.Layout()
	}
	for _, c := range f.Numbers {
		if c.Format == sheet.DecimalComma {
			if r.plan.NumberFormat == nil {
				r.plan.NumberFormat = map[string]string{}
			}
			r.plan.NumberFormat[c.Header] = c.Format.String()
		}
	}
	n := 0
	count, err := l.load(&exportFile{
		File: f, index: index,
		count: func() error {
			if n++; n&4095 == 0 {
				bar.Add(4096)
				return ctx.Err()
			}
			return nil
		},
		onReject: func(x *sheet.Reject) error {
			if len(r.rejects) == maxRejects {
				return fmt.Errorf("%s, line %d: more than %d rows cannot be read (this one: %s, %s): it is not the export that it was taken for, "+
					"so leave it out, or say what it is with kind=FILE", f.Path, x.Line, maxRejects, x.Reason, x.Hint)
			}
			row := rejectedRow{RejectLine: RejectLine{f.Path, x.Line, x.Reason, x.Column, clip(x.Value), x.Hint}, left: newLeftOutRow(f, x)}
			if x.Column == "" {
				row.cells = clip(strings.Join(x.Cells, ","))
			}
			if amount, ok := rejectedAmount(f, x, in.currency); ok {
				row.left.Amount, row.left.Currency, row.left.Read = amount.Minor, amount.Currency, true
			}
			r.rejects = append(r.rejects, row)
			return sink(x)
		},
	})
	if err != nil {
		return r, err
	}
	bar.Add(int64(n & 4095))
	r.plan.Rows, r.plan.Loaded, r.plan.Rejected, r.plan.Skipped = count.Rows, count.Loaded, count.Rejected, count.Skipped
	r.plan.addSkips(count.SkippedBy)
	r.plan.Took = time.Since(start)
	return r, sink(nil)
}

// Reasons for which a row is skipped, beside those of package sheet.
const (
	skippedDuplicate  = "duplicate"
	skippedSuperseded = "superseded" // another row of its id holds
	skippedExcluded   = "excluded"   // a person left it, or its partner's money, out
)

// skips are rows that were loaded and turned out to be left out, by file and reason.
type skips []map[string]int

func (s *skips) add(at position, reason string) {
	for int(at.file) >= len(*s) {
		*s = append(*s, nil)
	}
	if (*s)[at.file] == nil {
		(*s)[at.file] = map[string]int{}
	}
	(*s)[at.file][reason]++
}

// skip turns rows that were loaded into rows that are skipped.
func (x *exports) skip(s skips) {
	for i, by := range s {
		for _, n := range by {
			x.files[i].Loaded -= n
			x.files[i].Skipped += n
		}
		x.files[i].addSkips(by)
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

// kinds are the kinds of export that there is a file of. One of which every row was rejected
// is as good as missing. To be asked once the files of the kind are read.
func (x *exports) kinds() map[string]bool {
	has := map[string]bool{}
	for i, f := range x.found {
		has[f.Kind] = has[f.Kind] || !x.files[i].nothingLoaded()
	}
	return has
}

// paths are those of the files; a [position] is an index into them.
func (x *exports) paths() filePaths {
	paths := make(filePaths, len(x.found))
	for i, f := range x.found {
		paths[i] = f.Path
	}
	return paths
}

// rejectLines lists what could not be loaded, kind by kind.
func (x *exports) rejectLines() []RejectLine {
	all := []RejectLine{}
	for _, kind := range keap.KindNames() {
		for i, f := range x.found {
			if f.Kind == kind {
				for _, r := range x.rejects[i] {
					all = append(all, r.RejectLine)
				}
			}
		}
	}
	return all
}

// clip bounds what is repeated of a cell: enough to find it, no whole documents.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// errNoPartners says what was read where no partner could be loaded.
func (x *exports) errNoPartners() error {
	var b strings.Builder
	b.WriteString("no referral partner could be loaded, and without partners there is nothing to carry over:")
	for i, f := range x.found {
		n := &x.files[i]
		if n.Kind == "" { // not read any more
			fmt.Fprintf(&b, "\n  %s: %s, %d rows", f.Path, f.Kind, f.Rows)
			continue
		}
		fmt.Fprintf(&b, "\n  %s: %s, %d rows, %d loaded, %d rejected, %d skipped", n.Path, n.Kind, n.Rows, n.Loaded, n.Rejected, n.Skipped)
	}
	for _, u := range x.unread {
		fmt.Fprintf(&b, "\n  %s: %s", u.Path, u.Reason)
	}
	for _, path := range x.unmended {
		fmt.Fprintf(&b, "\n  %s: %s", path, unmendedText)
	}
	for i, r := range x.rejectLines() {
		if i == 5 {
			break
		}
		fmt.Fprintf(&b, "\n  %s, line %d, %s %q: %s, %s", r.File, r.Line, r.Column, r.Value, r.Reason, r.Hint)
	}
	return errors.New(b.String())
}
