package migrate

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// planFile is by what a folder is known as a plan's; conflictsFile and what is in
// rejectsDir is for a person to edit.
const (
	planFile      = "plan.json"
	conflictsFile = "conflicts.csv"
	rejectsDir    = "rejects"
)

// Folder is where a plan is written: plan.json, conflicts.csv, rejects/, links.csv,
// owners.csv, findings.csv and report.html. Everything is written beside its place and
// moved there at the end, so a plan that fails leaves the former one whole.
type Folder struct {
	dir     string
	made    []string // folders that were not there, the innermost first
	staging string
	mu      sync.Mutex
	rejects []*stagedRejects // in the order of the exports
	notes   []string
}

// stagedRejects are the rejected rows of one export, before their file has its name.
type stagedRejects struct {
	index        int // of the export
	path, export string
	file         *os.File
	w            *sheet.RejectWriter
}

// stagingPrefix begins the name of a folder that a plan is written in; the id of the
// process that writes it follows.
const stagingPrefix = ".writing-"

// NewFolder makes dir, when it is missing, and checks that it can be written. What a
// process that was killed has left there is removed.
func NewFolder(dir string) (*Folder, error) {
	d := &Folder{dir: dir}
	for up := filepath.Clean(dir); ; up = filepath.Dir(up) {
		if _, err := os.Lstat(up); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		d.made = append(d.made, up)
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		sweepStaging(dir)
		if d.staging, err = os.MkdirTemp(dir, fmt.Sprintf("%s%d-", stagingPrefix, os.Getpid())); err == nil {
			return d, nil
		}
	}
	d.Discard()
	return nil, fmt.Errorf("the plan cannot be written to %s: %w; choose another folder with --out", dir, err)
}

// sweepStaging removes staging folders whose process is gone: they hold people's rows.
func sweepStaging(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), stagingPrefix)
		id, _, _ := strings.Cut(name, "-")
		pid, err := strconv.Atoi(id)
		if !ok || err != nil || !e.IsDir() {
			continue
		}
		if p, err := os.FindProcess(pid); pid == os.Getpid() || err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// Discard removes what was not moved to its place, and folders that were made and hold
// nothing. Safe to call at any time.
func (d *Folder) Discard() {
	for _, staged := range d.rejects {
		staged.file.Close() // those that were not written to their end
	}
	if d.staging != "" {
		os.RemoveAll(d.staging)
	}
	for _, dir := range d.made {
		os.Remove(dir) // fails on those that hold something
	}
}

// Sink writes the rejected rows of a file as a CSV that can be mended and read again.
// Several files may be read at once.
func (d *Folder) Sink(f *sheet.File, index int) func(*sheet.Reject) error {
	var open *stagedRejects
	return func(r *sheet.Reject) (err error) {
		switch {
		case r != nil && open == nil:
			if open, err = d.openRejects(f, index); err != nil {
				return err
			}
		case r == nil && open != nil:
			return errors.Join(open.w.Flush(), open.file.Close())
		case r == nil:
			return nil
		}
		return open.w.Write(r)
	}
}

func (d *Folder) openRejects(f *sheet.File, index int) (*stagedRejects, error) {
	staged := &stagedRejects{index: index, path: filepath.Join(d.staging, fmt.Sprintf("rejects-%d", index)), export: f.Path}
	var err error
	if staged.file, err = os.OpenFile(staged.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.rejects = append(d.rejects, staged)
	slices.SortFunc(d.rejects, func(a, b *stagedRejects) int { return a.index - b.index })
	d.mu.Unlock()
	staged.w, err = sheet.NewRejectWriter(staged.file, f)
	return staged, err
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// Write puts the plan and its files in place. html writes the report page.
func (d *Folder) Write(p *Plan, html func(io.Writer) error) error {
	defer d.Discard()
	directory := book.NewDirectory(&p.After)
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{conflictsFile, func(w io.Writer) error { return WriteConflicts(w, p.Conflicts) }},
		{"links.csv", p.writeLinks},
		{"owners.csv", func(w io.Writer) error { return p.writeOwners(w, directory) }},
		{"findings.csv", func(w io.Writer) error { return p.writeFindings(w, directory) }},
		{"report.html", html},
		{planFile, func(w io.Writer) error { // last: it is what apply looks for
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(p)
		}},
	}
	for _, f := range files {
		if path := filepath.Join(d.dir, f.name); p.reads(path) {
			return fmt.Errorf("writing the plan to %s would overwrite %s, which it was made from: choose another folder with --out", d.dir, path)
		}
	}
	rejects, err := d.placeRejects(p)
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(d.dir, rejectsDir), err)
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(d.staging, f.name), f.write); err != nil {
			return fmt.Errorf("writing %s: %w; the former plan is as it was", filepath.Join(d.dir, f.name), err)
		}
	}
	if err := rejects.put(d.dir); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(d.dir, rejectsDir), err)
	}
	if err := d.setAside(p); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(d.dir, conflictsFile), err)
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(d.staging, f.name), filepath.Join(d.dir, f.name)); err != nil {
			return err
		}
	}
	return nil
}

// Notes are sentences on what a person had done to files that were in the folder. They
// are there after [Folder.Write].
func (d *Folder) Notes() []string { return d.notes }

// setAside gives the former conflicts.csv another name when a person has filled in
// something that the new one does not repeat.
func (d *Folder) setAside(p *Plan) error {
	path := filepath.Join(d.dir, conflictsFile)
	filled, err := ReadDecisions(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, c := range p.Conflicts {
		if filled[c.ID].Value == c.Decision {
			delete(filled, c.ID)
		}
	}
	if err == nil && len(filled) == 0 {
		return nil
	}
	aside := filepath.Join(d.dir, "conflicts-before.csv")
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = filepath.Join(d.dir, fmt.Sprintf("conflicts-before-%d.csv", n))
	}
	d.notes = append(d.notes, fmt.Sprintf("The former %s holds decisions that do not count in this plan (%s): it is kept as %s.", path, brief(slices.Sorted(maps.Keys(filled))), aside))
	return os.Rename(path, aside)
}

// brief lists the first few of many names.
func brief(names []string) string {
	const few = 3
	if len(names) == 0 {
		return "it cannot be read"
	}
	if more := len(names) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), more)
	}
	return strings.Join(names, ", ")
}

func writeFile(path string, write func(io.Writer) error) error {
	// The sheets hold addresses of people: for their owner only.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<18)
	return errors.Join(write(w), w.Flush(), f.Close())
}

// placed says what becomes of the folder of rejects.
type placed struct {
	remove []string          // paths of the former plan's rejects
	move   map[string]string // staged file -> path that it gets
}

// placeRejects decides where the rejected rows go and notes it in p. The rejects of the
// former plan make room, as long as they are what carryover wrote: a file that a person
// has mended stays, and so does an export of this plan. Rows that stand in one of those
// already are not written again.
func (d *Folder) placeRejects(p *Plan) (placed, error) {
	dir := filepath.Join(d.dir, rejectsDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return placed{}, err
	}
	written, planned := rejectsWritten(d.dir)
	out := placed{move: map[string]string{}}
	p.Written = map[string]string{}
	taken := map[string]bool{}   // names in lower case: not every disk tells them apart
	stays := map[string]string{} // checksum -> name
	mended := map[string]bool{}  // names of files that are neither ours any more nor exports
	for _, e := range entries {
		name, path, sum := e.Name(), filepath.Join(dir, e.Name()), ""
		if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(name), ".csv") {
			if sum, err = checksum(path); err != nil {
				return placed{}, err
			}
		}
		asWritten := sum != "" && written[name] == sum
		switch {
		case p.reads(path):
			if asWritten {
				p.Written[name] = sum
			}
		case asWritten:
			out.remove = append(out.remove, path)
			continue
		case planned && sum != "":
			mended[name] = true
		}
		taken[strings.ToLower(name)] = true
		stays[sum] = name
	}
	for _, staged := range d.rejects {
		if sameFile(dir, filepath.Dir(staged.export)) {
			continue
		}
		sum, err := checksum(staged.path)
		if err != nil {
			return placed{}, err
		}
		name, there := stays[sum]
		if !there {
			stem := strings.TrimSuffix(filepath.Base(staged.export), filepath.Ext(staged.export))
			name = stem + ".csv"
			for n := 2; taken[strings.ToLower(name)]; n++ {
				name = fmt.Sprintf("%s-%d.csv", stem, n)
			}
			taken[strings.ToLower(name)] = true
			out.move[staged.path] = filepath.Join(dir, name)
		}
		p.Written[name] = sum
		delete(mended, name)
	}
	for _, name := range slices.Sorted(maps.Keys(mended)) {
		d.notes = append(d.notes, fmt.Sprintf("%s is not as carryover wrote it and no export of this plan: it is left alone. Name it beside the exports to load its rows.", filepath.Join(dir, name)))
	}
	return out, nil
}

// put carries out what was decided.
func (r placed) put(dir string) error {
	for _, path := range r.remove {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if len(r.move) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, rejectsDir), 0o755); err != nil {
		return err
	}
	for from, to := range r.move {
		if err := os.Rename(from, to); err != nil {
			return err
		}
	}
	return nil
}

// reads reports whether the file at path was found among the exports.
func (p *Plan) reads(path string) bool {
	return slices.ContainsFunc(p.Files, func(f FilePlan) bool { return sameFile(path, f.Path) }) ||
		slices.ContainsFunc(p.Unread, func(u Unread) bool { return u.Kind != "" && sameFile(path, u.Path) })
}

// rejectsWritten are the checksums of the rejects that the plan in dir wrote, by name.
// planned is false when there is no plan.
func rejectsWritten(dir string) (written map[string]string, planned bool) {
	text, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return nil, false
	}
	var p struct {
		Written map[string]string `json:"reject_files"`
	}
	if json.Unmarshal(text, &p) != nil {
		return nil, true
	}
	return p.Written, true
}

// unmendedRejects finds, among files, rejects that are as a plan wrote them: reading them again
// would only reject every row once more.
type unmendedRejects map[string]map[string]string // by folder of a plan

func (u unmendedRejects) has(path string) bool {
	dir, name := filepath.Split(path)
	if dir = filepath.Clean(dir); filepath.Base(dir) != rejectsDir {
		return false
	}
	plan := filepath.Dir(dir)
	written, known := u[plan]
	if !known {
		written, _ = rejectsWritten(plan)
		u[plan] = written
	}
	if written[name] == "" {
		return false
	}
	sum, err := checksum(path)
	return err == nil && sum == written[name]
}

// checksum is the SHA-256 of a file, in hex.
func checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// maxSheet is how many rows links.csv may have before it holds one pattern a code:
// nobody stores the product of links and partners, "carryover links" streams it.
const maxSheet = 200_000

// linksRow is one row of links.csv.
type linksRow struct {
	OldLink string `csv:"old_link"`
	NewLink string `csv:"new_link"`
	Token   string `csv:"ref_token"`
	Email   string `csv:"email"`
	Status  string `csv:"status"`
}

// writeLinks writes the old-to-new sheet.
func (p *Plan) writeLinks(w io.Writer) error {
	out := sheet.NewEncoder[linksRow](sheet.NewWriter(w))
	links := p.After.Links
	if len(links)*p.Totals.Codes > maxSheet {
		links = []book.Link{{Code: "LINK-CODE"}}
	}
	err := SheetLinks(&p.Map.Policy, &p.After, links, "", func(l SheetLink) error {
		return out.Encode(linksRow{l.OldLink, l.NewLink, l.Token, l.Email, l.Status})
	})
	return errors.Join(err, out.Flush())
}

// ownersRow is one row of owners.csv.
type ownersRow struct {
	Customer     string `csv:"customer"`
	PartnerID    string `csv:"keap_partner"` // blank for nobody
	PartnerCode  string `csv:"keap_partner_code"`
	Promoter     string `csv:"promoter"`
	Why          string `csv:"why"`
	ContactID    int64  `csv:"keap_contact_id"`
	ReferralID   string `csv:"keap_referral_id"` // blank where the file gave none
	ReferredAt   string `csv:"referred_at"`
	LiveRefToken string `csv:"live_ref_token"`
}

// writeOwners writes every customer, whose it was in Keap, and whose it is now: who was
// bound by the live program is whose the last column says.
func (p *Plan) writeOwners(w io.Writer, d *book.Directory) error {
	out := sheet.NewEncoder[ownersRow](sheet.NewWriter(w))
	for i := range p.Owners {
		r := &p.Owners[i]
		row := ownersRow{Customer: r.Customer, Why: r.Rule, ContactID: r.ContactID, LiveRefToken: p.LiveOwners[r.Email]}
		if r.PartnerID != 0 {
			row.PartnerID = strconv.FormatInt(r.PartnerID, 10)
		}
		if partner := d.Partner(r.PartnerID); partner != nil {
			row.PartnerCode, row.Promoter = partner.Code, partner.Owner.Token()
		}
		if r.ReferralID != 0 {
			row.ReferralID = strconv.FormatInt(r.ReferralID, 10)
		}
		if r.ReferredAt != 0 {
			row.ReferredAt = time.Unix(r.ReferredAt, 0).UTC().Format(time.RFC3339)
		}
		if err := out.Encode(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

// findingsRow is one row of findings.csv.
type findingsRow struct {
	Kind        string `csv:"kind"`
	Day         string `csv:"day"`
	ContactID   int64  `csv:"keap_contact_id"`
	PartnerID   int64  `csv:"keap_partner_id"`
	RefToken    string `csv:"ref_token"`
	Orders      string `csv:"orders"`
	Invoices    string `csv:"invoices"`
	Products    string `csv:"products"`
	Total       string `csv:"total"`
	Expected    string `csv:"expected"`
	Found       string `csv:"found"`
	Currency    string `csv:"currency"`
	Explanation string `csv:"explanation"`
}

// writeFindings writes the orders and commissions that do not agree with the terms.
func (p *Plan) writeFindings(w io.Writer, d *book.Directory) error {
	out := sheet.NewEncoder[findingsRow](sheet.NewWriter(w))
	for i := range p.Findings {
		f := &p.Findings[i]
		amount := func(n int64) string { return terms.FormatMinor(n, f.Currency) }
		if err := out.Encode(findingsRow{
			Kind: f.Kind, Day: f.Day, ContactID: f.ContactID, PartnerID: f.PartnerID, RefToken: d.ByPartner(f.PartnerID).Token(),
			Orders: f.Orders, Invoices: f.Invoices, Products: f.Products,
			Total: amount(f.Total), Expected: amount(f.Expected), Found: amount(f.Found), Currency: f.Currency, Explanation: f.Explanation,
		}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// SheetLink is one row of the old-to-new sheet.
type SheetLink struct {
	OldLink string `json:"old_link" csv:"old_link"`
	NewLink string `json:"new_link" csv:"new_link"`
	Link    string `json:"link" csv:"link"`
	Code    string `json:"code" csv:"code"`
	Token   string `json:"ref_token" csv:"ref_token"`
	Email   string `json:"email" csv:"email"`
	Status  string `json:"status" csv:"status"`
}

// SheetLinks streams every old link of every promoter with the new one that takes its
// place: one row a link and code, in the order of tokens, codes and links. token
// narrows it to one promoter.
func SheetLinks(policy interface {
	OldLink(link, code string) string
	NewLink(token, link string) string
}, c *book.Content, links []book.Link, token string, fn func(SheetLink) error) error {
	type owner struct {
		p     *book.Promoter
		codes []string
	}
	byID := make(map[int64]*owner, len(c.Promoters))
	owners := make([]*owner, 0, len(c.Promoters))
	for i := range c.Promoters {
		if p := &c.Promoters[i]; p.MergedInto == 0 && (token == "" || p.Token == token) {
			o := &owner{p: p}
			byID[p.ID] = o
			owners = append(owners, o)
		}
	}
	for _, a := range c.Aliases {
		if o := byID[a.PromoterID]; o != nil && a.Kind == book.AliasCode && a.State == "" {
			o.codes = append(o.codes, a.Value)
		}
	}
	slices.SortFunc(owners, func(a, b *owner) int { return strings.Compare(a.p.Token, b.p.Token) })
	for _, o := range owners {
		for _, code := range o.codes {
			for _, l := range links {
				if err := fn(SheetLink{policy.OldLink(l.Code, code), policy.NewLink(o.p.Token, l.Code), l.Code, code, o.p.Token, o.p.Email, o.p.Status}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ReadPlan reads the plan that was reviewed.
func ReadPlan(dir string) (*Plan, error) {
	path := filepath.Join(dir, planFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no plan in %s: run \"carryover plan EXPORTS\" first, or name the folder it was written to", dir)
	}
	if err != nil {
		return nil, err
	}
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil || p.PlanID == "" {
		return nil, fmt.Errorf("%s is not a plan that carryover wrote: plan again", path)
	}
	return &p, nil
}
