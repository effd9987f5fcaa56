package migrate

import (
	"bufio"
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

	"carryover/mapping/book"
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
	rejects []*rejectsFile // in the order of the exports
	notes   []string
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
		removeStaleStaging(dir)
		if d.staging, err = os.MkdirTemp(dir, fmt.Sprintf("%s%d-", stagingPrefix, os.Getpid())); err == nil {
			return d, nil
		}
	}
	d.Discard()
	return nil, fmt.Errorf("the plan cannot be written to %s: %w; choose another folder with --out", dir, err)
}

// removeStaleStaging removes staging folders whose process is gone: they hold people's rows.
func removeStaleStaging(dir string) {
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
	inputs := p.inputFiles()
	for _, f := range files {
		if path := filepath.Join(d.dir, f.name); inputs.has(path) {
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
	if err := rejects.put(d.dir, d.staging); err != nil {
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
	d.notes = append(d.notes, fmt.Sprintf("The former %s holds decisions that do not count in this plan (%s): it is kept as %s.",
		path, summarize(slices.Sorted(maps.Keys(filled))), aside))
	return os.Rename(path, aside)
}

// summarize lists the first few of many names.
func summarize(names []string) string {
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
