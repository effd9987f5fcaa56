package migrate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
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
	"strings"
	"unicode"
	"unicode/utf8"

	"carryover/migrate/sheet"
)

// rejectsFile is the file of one export's rejected rows, before it has its name.
type rejectsFile struct {
	index        int // of the export
	path, export string
	file         *os.File
	w            *sheet.RejectWriter
	lines        []int // of the export, of each row
}

// Sink writes the rejected rows of a file as a CSV that can be mended and read again.
// Several files may be read at once.
func (d *Folder) Sink(f *sheet.File, index int) func(*sheet.Reject) error {
	var open *rejectsFile
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
		open.lines = append(open.lines, r.Line)
		return open.w.Write(r)
	}
}

func (d *Folder) openRejects(f *sheet.File, index int) (*rejectsFile, error) {
	staged := &rejectsFile{index: index, path: filepath.Join(d.staging, fmt.Sprintf("rejects-%d", index)), export: f.Path}
	var err error
	if staged.file, err = os.OpenFile(staged.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.rejects = append(d.rejects, staged)
	slices.SortFunc(d.rejects, func(a, b *rejectsFile) int { return a.index - b.index })
	d.mu.Unlock()
	staged.w, err = sheet.NewRejectWriter(staged.file, f)
	return staged, err
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// rejectMoves say what becomes of the folder of rejects.
type rejectMoves struct {
	remove []string          // paths of the former plan's rejects
	move   map[string]string // staged file -> path that it gets
}

// placeRejects decides where the rejected rows go and notes it in p. The rejects of the
// former plan make room, as long as they are what carryover wrote: a file that a person
// has mended stays, and so does an export of this plan. Rows that stand in one of those
// already are not written again.
func (d *Folder) placeRejects(p *Plan) (rejectMoves, error) {
	dir := filepath.Join(d.dir, rejectsDir)
	there, err := d.readRejects(dir, p)
	if err != nil {
		return rejectMoves{}, err
	}
	out := rejectMoves{remove: there.asWritten, move: map[string]string{}}
	for _, staged := range d.rejects {
		if sameFile(dir, filepath.Dir(staged.export)) {
			continue
		}
		if left, err := staged.dropRows(p.unwritten, dir); err != nil {
			return rejectMoves{}, err
		} else if left == 0 {
			continue
		}
		sum, err := checksum(staged.path)
		if err != nil {
			return rejectMoves{}, err
		}
		name, stays := there.stays[sum]
		if !stays {
			stem := rejectsStem(staged.export)
			name = stem + ".csv"
			for n := 2; there.taken[strings.ToLower(name)]; n++ {
				name = fmt.Sprintf("%s-%d.csv", stem, n)
			}
			there.taken[strings.ToLower(name)] = true
			out.move[staged.path] = filepath.Join(dir, name)
		}
		p.Written[name] = sum
		delete(there.mended, name)
	}
	for _, name := range slices.Sorted(maps.Keys(there.mended)) {
		d.notes = append(d.notes, filepath.Join(dir, name)+" is not as carryover wrote it and no export of this plan: it is left alone. "+
			"Name it beside the exports to load its rows.")
	}
	return out, nil
}

// unwrittenRow is a rejected row that a plan does not write among its rejects.
type unwrittenRow struct {
	file string
	line int
	in   string // the file of rejects that it stands in; empty: a mended copy was loaded
}

// dropRows takes rows out of a staged file: those of which a mended copy was loaded, and those
// that stand in a file of rejects in dir. It returns how many rows are left.
func (s *rejectsFile) dropRows(unwritten []unwrittenRow, dir string) (left int, err error) {
	drop := map[int]bool{}
	for _, u := range unwritten {
		if u.file == s.export && (u.in == "" || sameFile(dir, filepath.Dir(u.in))) {
			drop[u.line] = true
		}
	}
	if len(drop) == 0 {
		return len(s.lines), nil
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return 0, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	if _, err := r.Read(); err != nil {
		return 0, err
	}
	kept := slices.Clone(text[:r.InputOffset()])
	for _, line := range s.lines {
		from := r.InputOffset()
		if _, err := r.Read(); err != nil {
			return 0, err
		}
		if !drop[line] {
			left++
			kept = append(kept, text[from:r.InputOffset()]...)
		}
	}
	return left, os.WriteFile(s.path, kept, 0o600)
}

// longestStem leaves room, in the 255 bytes of a file name, for a number and what programs append.
const longestStem = 200

// rejectsStem is the name, without its extension, of the rejects of an export. Entries of zips
// may be called what no file can be.
func rejectsStem(export string) string {
	base := filepath.Base(export)
	stem := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' || r == utf8.RuneError {
			return '_'
		}
		return r
	}, strings.TrimSuffix(base, filepath.Ext(base)))
	if len(stem) > longestStem {
		stem = strings.ToValidUTF8(stem[:longestStem], "")
	}
	return cmp.Or(stem, "rejects")
}

// formerRejects are what the folder of rejects holds before a plan is written.
type formerRejects struct {
	asWritten []string          // paths of the former plan's
	stays     map[string]string // checksum of a file that stays -> name
	taken     map[string]bool   // names in lower case: not every disk tells them apart
	mended    map[string]bool   // names of files that are neither ours any more nor exports
}

// readRejects looks at the folder, and notes in p which of its exports the former plan wrote
// there.
func (d *Folder) readRejects(dir string, p *Plan) (formerRejects, error) {
	there := formerRejects{stays: map[string]string{}, taken: map[string]bool{}, mended: map[string]bool{}}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return there, err
	}
	written, planned := rejectsWritten(d.dir)
	inputs := p.inputFiles()
	p.Written = map[string]string{}
	for _, e := range entries {
		name, path, sum := e.Name(), filepath.Join(dir, e.Name()), ""
		if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(name), ".csv") {
			if sum, err = checksum(path); err != nil {
				return there, err
			}
		}
		asWritten := sum != "" && written[name] == sum
		switch {
		case inputs.has(path):
			if asWritten {
				p.Written[name] = sum
			}
		case asWritten:
			there.asWritten = append(there.asWritten, path)
			continue
		case planned && sum != "":
			there.mended[name] = true
		}
		there.taken[strings.ToLower(name)] = true
		there.stays[sum] = name
	}
	return there, nil
}

// put carries out what was decided, or nothing. What is removed goes to the staging folder first,
// with which it is deleted.
func (r rejectMoves) put(dir, staging string) (err error) {
	type move struct{ from, to string }
	moves := make([]move, 0, len(r.remove)+len(r.move))
	for i, path := range r.remove {
		moves = append(moves, move{path, filepath.Join(staging, fmt.Sprintf("former-%d", i))})
	}
	for from, to := range r.move {
		moves = append(moves, move{from, to})
	}
	if len(r.move) > 0 {
		if err := os.MkdirAll(filepath.Join(dir, rejectsDir), 0o755); err != nil {
			return err
		}
	}
	for i, m := range moves {
		if err = os.Rename(m.from, m.to); err == nil {
			continue
		}
		for _, done := range slices.Backward(moves[:i]) {
			err = errors.Join(err, os.Rename(done.to, done.from))
		}
		return err
	}
	return nil
}

// inputFiles are the exports of a plan that are files of their own, and no entries of a zip.
type inputFiles []os.FileInfo

func (p *Plan) inputFiles() (files inputFiles) {
	add := func(path string) {
		if at, err := os.Stat(path); err == nil {
			files = append(files, at)
		}
	}
	for i := range p.Files {
		add(p.Files[i].Path)
	}
	for _, u := range p.Unread {
		if u.Kind != "" {
			add(u.Path)
		}
	}
	return files
}

// has reports whether the file at path is one of them.
func (f inputFiles) has(path string) bool {
	at, err := os.Stat(path)
	return err == nil && slices.ContainsFunc(f, func(x os.FileInfo) bool { return os.SameFile(at, x) })
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
