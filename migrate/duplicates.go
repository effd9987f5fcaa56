package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"carryover/mapping/book"
)

// position is where a row stands.
type position struct {
	file int32 // index in the plan's files
	line int32
}

func positionOf(file, line int) position {
	return position{int32(file), int32(min(line, math.MaxInt32))}
}

func comparePositions(a, b position) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
}

// where is a position as the book writes it.
func (p position) where() book.Origin {
	return book.Origin{Source: int64(p.file) + 1, Line: int64(p.line)}
}

func positionIn(w book.Origin) position { return positionOf(int(w.Source)-1, int(w.Line)) }

// filePaths are the paths of the exports, as a person wrote them.
type filePaths []string

// line names a position for a person.
func (p filePaths) line(at position) string {
	return fmt.Sprintf("%s, line %d", p[at.file], at.line)
}

// rowList are rows of one kind, and where each of them stands.
type rowList[T any] struct {
	rows []T
	at   []position
}

func (l *rowList[T]) add(row T, at position) {
	l.rows, l.at = append(l.rows, row), append(l.at, at)
}

func (l *rowList[T]) grow(n int) {
	l.rows, l.at = slices.Grow(l.rows, n), slices.Grow(l.at, n)
}

// byID sorts rows by their ids, and those of one id as they stand.
type byID[T any] struct {
	*rowList[T]
	id func(*T) int64
}

func (s byID[T]) Len() int { return len(s.rows) }

func (s byID[T]) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s.id(&s.rows[i]), s.id(&s.rows[j])), comparePositions(s.at[i], s.at[j])) < 0
}

func (s byID[T]) Swap(i, j int) {
	s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	s.at[i], s.at[j] = s.at[j], s.at[i]
}

// versions are the rows of one kind by id. A copy of a row is not kept; rows of one id
// that say different things are, until it is settled which of them holds: only then
// does the order of files and rows not matter.
type versions[K cmp.Ordered, V any] struct {
	rows map[K]V
	more map[K][]V // the second and later different rows of an id, in the order read
}

// maxCompared bounds how many different rows of one id a copy is looked for among: an
// export with one id on every row must not take for ever.
const maxCompared = 64

// add keeps row unless it is a copy of one that is kept. same may complete the old row
// with what the new one adds.
func (v *versions[K, V]) add(id K, row V, same func(old, row V) bool) (kept bool) {
	first, again := v.rows[id]
	if !again {
		v.rows[id] = row
		return true
	}
	others := v.more[id]
	if same(first, row) || slices.ContainsFunc(others[:min(len(others), maxCompared)], func(old V) bool { return same(old, row) }) {
		return false
	}
	if v.more == nil {
		v.more = map[K][]V{}
	}
	v.more[id] = append(others, row)
	return true
}

// settle leaves one row of every id, the one that choose names. lost is told the others.
func (v *versions[K, V]) settle(choose func(id K, rows []V) int, lost func(winner, loser V)) map[K]V {
	for _, id := range slices.Sorted(maps.Keys(v.more)) {
		rows := append([]V{v.rows[id]}, v.more[id]...)
		i := choose(id, rows)
		v.rows[id] = rows[i]
		for j, row := range rows {
			if j != i {
				lost(rows[i], row)
			}
		}
	}
	v.more = nil
	return v.rows
}

// duplicates decides which of several rows of one id holds. It belongs to one stage.
type duplicates struct {
	paths     filePaths
	conflicts *conflictList
	skipped   skips // the rows that do not hold
}

// candidate is one of several different rows of one id.
type candidate struct {
	at   position
	date int64  // Unix seconds, 0: not known
	text string // what it says, for a person, and what it is known by
}

// choose says which of several different rows of one id holds: the one with the latest
// date. When dates do not tell, a person decides, and until then what is recommended;
// a negative recommended leaves that to choose. The rows are named in the order of what
// they say, wherever they were read: a decision means the same row in exports of any
// order, and counts only for the rows that it was made about.
func (d *duplicates) choose(kind, id string, rows []candidate, recommended int) int {
	newest, dated := slices.MaxFunc(rows, func(a, b candidate) int { return cmp.Compare(a.date, b.date) }).date, true
	holds, ties := 0, 0
	for i, r := range rows {
		dated = dated && r.date != 0
		if r.date == newest {
			holds = i
			ties++
		}
	}
	if dated && ties == 1 {
		return holds
	}
	order := d.inOrder(rows)
	names := make([]string, min(len(rows), 9))
	best := max(0, slices.Index(order, recommended))
	if last := len(names) - 1; best > last { // what is recommended can be named
		order[last], order[best] = order[best], order[last]
		best = last
	}
	var list strings.Builder
	for i := range names {
		switch i {
		case 0:
			names[i] = KeepFirst
		case len(names) - 1:
			names[i] = KeepLater
		default:
			names[i] = strconv.Itoa(i + 1)
		}
		r := rows[order[i]]
		fmt.Fprintf(&list, "; %q: %s", names[i], d.paths.line(r.at))
		if r.text != "" {
			list.WriteString(", " + clip(r.text))
		}
	}
	if more := len(rows) - len(names); more > 0 {
		fmt.Fprintf(&list, "; and %d more", more)
	}
	q := question(KindDuplicate, kind+":"+id,
		fmt.Sprintf("%d rows have the id %s and differ, and no date tells which is the newest%s", len(rows), id, list.String()),
		names[best], names...)
	q.about = fingerprint(rows, order)
	c := d.conflicts.add(q)
	return order[max(0, slices.Index(names, cmp.Or(c.Decision, c.Recommended)))]
}

// inOrder are the indices of rows by what they say, then date, then where they stand.
func (d *duplicates) inOrder(rows []candidate) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	dir := currentDir()
	path := func(r candidate) string { return absolutePath(dir, d.paths[r.at.file]) }
	slices.SortFunc(order, func(i, j int) int {
		a, b := rows[i], rows[j]
		if c := cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.date, b.date)); c != 0 || a.at.file == b.at.file {
			return cmp.Or(c, cmp.Compare(a.at.line, b.at.line))
		}
		return cmp.Compare(path(a), path(b))
	})
	return order
}

// fingerprint tells rows that a decision was made about from others: what they say and
// their dates, not where they stand.
func fingerprint(rows []candidate, order []int) string {
	h := sha256.New()
	for _, i := range order {
		fmt.Fprintf(h, "%q %d\n", rows[i].text, rows[i].date)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// rowKind is how rows of one kind with an id of their own are told apart.
type rowKind[T comparable] struct {
	name  string // the kind of export
	id    func(*T) int64
	date  func(*T) int64
	text  func(*T) string // what a row says, for a person
	known []T             // rows of the book, ascending by id
}

// settleRows leaves one row of every id: copies are skipped, and of rows that differ the
// one with the later date holds, or a person decides. The rows come out in ascending
// order of their ids.
func settleRows[T comparable](d *duplicates, l *rowList[T], k rowKind[T]) {
	if sorted := (byID[T]{l, k.id}); !sort.IsSorted(sorted) {
		sort.Sort(sorted)
	}
	kept := 0
	for i := 0; i < len(l.rows); {
		n := i + 1
		for n < len(l.rows) && k.id(&l.rows[n]) == k.id(&l.rows[i]) {
			n++
		}
		holds := i
		if n > i+1 {
			holds = i + chooseRow(d, l.rows[i:n], l.at[i:n], k)
		}
		l.rows[kept], l.at[kept] = l.rows[holds], l.at[holds]
		kept++
		i = n
	}
	clear(l.rows[kept:])
	l.rows, l.at = l.rows[:kept], l.at[:kept]
}

// chooseRow chooses one of several rows of an id; the others are skipped.
func chooseRow[T comparable](d *duplicates, rows []T, at []position, k rowKind[T]) int {
	different := []int{0}
	for i := 1; i < len(rows); i++ {
		if slices.ContainsFunc(different[:min(len(different), maxCompared)], func(j int) bool { return rows[i] == rows[j] }) {
			d.skipped.add(at[i], skippedDuplicate)
		} else {
			different = append(different, i)
		}
	}
	if len(different) == 1 {
		return 0
	}
	id := k.id(&rows[0])
	inBook, isKnown := findRow(k.known, id, k.id)
	candidates, recommended := make([]candidate, len(different)), 0
	for n, i := range different {
		candidates[n] = candidate{at[i], k.date(&rows[i]), k.text(&rows[i])}
		if isKnown && rows[i] == inBook {
			recommended = n
		}
	}
	holds := different[d.choose(k.name, strconv.FormatInt(id, 10), candidates, recommended)]
	for _, i := range different {
		if i != holds {
			d.skipped.add(at[i], skippedSuperseded)
		}
	}
	return holds
}

// findRow looks an id up in rows that ascend by it.
func findRow[T any](rows []T, id int64, idOf func(*T) int64) (row T, ok bool) {
	i, ok := slices.BinarySearchFunc(rows, id, func(r T, id int64) int { return cmp.Compare(idOf(&r), id) })
	if !ok {
		return row, false
	}
	return rows[i], true
}
