package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/sheet"
)

// Folder is where a plan is written: plan.json, conflicts.csv, rejects/, links.csv and
// report.html. Everything is written beside its place and moved there at the end, so a
// plan that fails leaves the former one whole.
type Folder struct {
	dir     string
	staging string
	rejects map[string]string // name under rejects/ -> staged file
	names   map[int]string
	open    *rejectFile
}

type rejectFile struct {
	file *os.File
	w    *sheet.RejectWriter
}

// NewFolder makes dir, when it is missing, and checks that it can be written.
func NewFolder(dir string) (*Folder, error) {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var staging string
		if staging, err = os.MkdirTemp(dir, ".writing-"); err == nil {
			return &Folder{dir: dir, staging: staging, rejects: map[string]string{}, names: map[int]string{}}, nil
		}
	}
	return nil, fmt.Errorf("the plan cannot be written to %s: %w; choose another folder with --out", dir, err)
}

// Discard removes what was not moved to its place. Safe to call at any time.
func (d *Folder) Discard() {
	if d.open != nil {
		d.open.file.Close()
	}
	os.RemoveAll(d.staging)
}

// Sink writes the rejected rows of a file as a CSV that can be mended and read again.
func (d *Folder) Sink(f *sheet.File, index int) func(*sheet.Reject) error {
	return func(r *sheet.Reject) error {
		if r == nil {
			return d.closeRejects()
		}
		if d.open == nil {
			if err := d.openRejects(f); err != nil {
				return err
			}
		}
		return d.open.w.Write(r)
	}
}

func (d *Folder) openRejects(f *sheet.File) error {
	name := filepath.Base(f.Path)
	if !strings.EqualFold(filepath.Ext(name), ".csv") {
		name += ".csv"
	}
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	for n := 2; d.rejects[name] != "" || sameFile(filepath.Join(d.dir, "rejects", name), f.Path); n++ {
		name = fmt.Sprintf("%s-%d.csv", stem, n)
	}
	staged := filepath.Join(d.staging, fmt.Sprintf("rejects-%d", len(d.rejects)))
	file, err := os.OpenFile(staged, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	d.rejects[name] = staged
	d.open = &rejectFile{file: file}
	d.open.w, err = sheet.NewRejectWriter(file, f)
	return err
}

func (d *Folder) closeRejects() error {
	if d.open == nil {
		return nil
	}
	open := d.open
	d.open = nil
	return errors.Join(open.w.Flush(), open.file.Close())
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// Write puts the plan and its files in place. html writes the report page.
func (d *Folder) Write(p *Plan, html func(io.Writer) error) error {
	defer d.Discard()
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"conflicts.csv", func(w io.Writer) error { return WriteConflicts(w, p.Conflicts) }},
		{"links.csv", p.writeLinks},
		{"report.html", html},
		{"plan.json", func(w io.Writer) error { // last: it is what apply looks for
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(p)
		}},
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(d.staging, f.name), f.write); err != nil {
			return fmt.Errorf("writing %s: %w; the former plan is as it was", filepath.Join(d.dir, f.name), err)
		}
	}
	if err := d.moveRejects(p); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(d.dir, "rejects"), err)
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(d.staging, f.name), filepath.Join(d.dir, f.name)); err != nil {
			return err
		}
	}
	return nil
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

// moveRejects replaces the rejects of the former plan, but for files that are inputs of
// this one: a person may have mended them where they were.
func (d *Folder) moveRejects(p *Plan) error {
	dir := filepath.Join(d.dir, "rejects")
	old, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range old {
		path := filepath.Join(dir, e.Name())
		isInput := slices.ContainsFunc(p.Files, func(f FilePlan) bool { return sameFile(path, f.Path) })
		if !isInput && e.Type().IsRegular() && filepath.Ext(e.Name()) == ".csv" {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	if len(d.rejects) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, staged := range d.rejects {
		if err := os.Rename(staged, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// maxSheet is how many rows links.csv may have before it holds one pattern a code:
// nobody stores the product of links and partners, "carryover links" streams it.
const maxSheet = 200_000

// writeLinks writes the old-to-new sheet.
func (p *Plan) writeLinks(w io.Writer) error {
	out := sheet.NewWriter(w)
	if err := out.Write("old_link", "new_link", "ref_token", "email", "status"); err != nil {
		return err
	}
	links := p.After.Links
	if len(links)*p.Totals.Codes > maxSheet {
		links = []book.Link{{Code: "LINK-CODE"}}
	}
	err := SheetLinks(&p.Map.Policy, &p.After, links, "", func(l SheetLink) error {
		return out.Write(l.OldLink, l.NewLink, l.Token, l.Email, l.Status)
	})
	return errors.Join(err, out.Flush())
}

// SheetLink is one row of the old-to-new sheet.
type SheetLink struct {
	OldLink string `json:"old_link"`
	NewLink string `json:"new_link"`
	Link    string `json:"link"`
	Code    string `json:"code"`
	Token   string `json:"ref_token"`
	Email   string `json:"email"`
	Status  string `json:"status"`
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
	path := filepath.Join(dir, "plan.json")
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
