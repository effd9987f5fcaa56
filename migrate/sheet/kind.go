package sheet

import (
	"slices"
	"strings"
)

// Field is something that a kind of export can tell about a row.
type Field struct {
	Name    string   // the csv tag of the structs that hold it
	Aliases []string // header keys that mean it, the most distinctive first
	// Fallbacks are header keys that mean it only when no alias is there and no other field
	// has the column. In an ID field the cells must agree: most of them are digits.
	Fallbacks []string
	Required  bool // without it a file is not of this kind
	Shared    bool // other kinds have it too: it says nothing about the kind
	// Distinctive are the aliases that hardly any other file has: one of them says as much
	// as several other columns. Every kind that may have the column names them.
	Distinctive []string
	// What its cells are, which the whole column decides how to read. At most one of them.
	ID, Date, Money, Status bool
	Subject                 bool // the id of what a row is about, which a row of totals never has
}

// Kind is one kind of export.
type Kind struct {
	Name   string
	Fields []Field
	OneOf  [][]string // groups of fields of which at least one must be there
	// Markers are fields of which one must be there, by more than a fallback, for a file to
	// be taken for this kind; ForeignHeaders are sets of header keys that no file of this
	// kind has all of. Neither counts when a person says what the file is.
	Markers        []string
	ForeignHeaders [][]string
	// SecretHeaders name columns that are dropped when read. They are secret whatever else they are
	// called. May be nil.
	SecretHeaders *SecretHeaders
	// FileHints are parts of a file's name, lower case; they break ties only.
	FileHints []string
}

func (k *Kind) field(name string) int {
	return slices.IndexFunc(k.Fields, func(f Field) bool { return f.Name == name })
}

// isRejectColumn says whether a column is one that [RejectWriter] adds.
func isRejectColumn(key string) bool { return strings.HasPrefix(key, "carryover") }

// match says which column of a header each field of a kind has.
type match struct {
	kind     *Kind
	columns  []int  // by field; -1 for none
	fallback []bool // by field: the column was found by a fallback
	used     []bool // by column
	keys     []string
}

// matchKind gives each field of a kind its column of a header, of which some are secret. operatorHeaders are those of
// the configuration, key to field; they come before every alias.
func matchKind(kind *Kind, keys []string, secret []bool, operatorHeaders map[string]string) *match {
	m := &match{
		kind:     kind,
		columns:  make([]int, len(kind.Fields)),
		fallback: make([]bool, len(kind.Fields)),
		used:     make([]bool, len(keys)),
		keys:     keys,
	}
	for i := range m.columns {
		m.columns[i] = -1
	}
	first := make(map[string]int, len(keys))
	for i, key := range keys {
		if _, seen := first[key]; !seen && key != "" && !isRejectColumn(key) && !secret[i] {
			first[key] = i
		}
	}
	for i, key := range keys {
		if at, ok := first[key]; !ok || at != i {
			continue
		}
		if f := kind.field(operatorHeaders[key]); f >= 0 && m.columns[f] < 0 {
			m.assign(f, i)
		}
	}
	for f, field := range kind.Fields {
		m.find(f, field.Aliases, first)
	}
	for f, field := range kind.Fields {
		if m.columns[f] < 0 && !m.groupFilled(field.Name) {
			m.find(f, field.Fallbacks, first)
			m.fallback[f] = m.columns[f] >= 0
		}
	}
	return m
}

func (m *match) assign(f, column int) {
	m.columns[f] = column
	m.used[column] = true
}

func (m *match) find(f int, aliases []string, first map[string]int) {
	for _, key := range aliases {
		if m.columns[f] >= 0 {
			return
		}
		if i, ok := first[key]; ok && !m.used[i] {
			m.assign(f, i)
		}
	}
}

// groupFilled says whether another field of a group that name is in has a column.
func (m *match) groupFilled(name string) bool {
	for _, group := range m.kind.OneOf {
		if slices.Contains(group, name) && slices.ContainsFunc(group, m.has) {
			return true
		}
	}
	return false
}

func (m *match) has(name string) bool {
	f := m.kind.field(name)
	return f >= 0 && m.columns[f] >= 0
}

// complete says whether everything is there that a file of this kind has. said means that
// a person has called it one.
func (m *match) complete(said bool) bool {
	for f, field := range m.kind.Fields {
		if field.Required && m.columns[f] < 0 {
			return false
		}
	}
	for _, group := range m.kind.OneOf {
		if !slices.ContainsFunc(group, m.has) {
			return false
		}
	}
	return said || m.hasMarker() && !m.hasForeignHeaders()
}

// hasMarker says whether there is a marker of the kind, where it has any.
func (m *match) hasMarker() bool {
	return len(m.kind.Markers) == 0 || slices.ContainsFunc(m.kind.Markers, func(name string) bool {
		return m.has(name) && !m.fallback[m.kind.field(name)]
	})
}

// hasForeignHeaders says whether the header has what no file of the kind has. A column that the
// kind understands is its own.
func (m *match) hasForeignHeaders() bool {
	return slices.ContainsFunc(m.kind.ForeignHeaders, func(set []string) bool {
		for _, key := range set {
			if i := slices.Index(m.keys, key); i < 0 || m.used[i] {
				return false
			}
		}
		return true
	})
}

// missing names the fields that make the match incomplete.
func (m *match) missing() []string {
	var out []string
	for f, field := range m.kind.Fields {
		if field.Required && m.columns[f] < 0 {
			out = append(out, field.Name)
		}
	}
	for _, group := range m.kind.OneOf {
		if !slices.ContainsFunc(group, m.has) {
			out = append(out, strings.Join(group, " or "))
		}
	}
	return out
}

// distinctiveWeight is how many more columns a distinctive alias counts for.
const distinctiveWeight = 4

// score orders matches: more columns with a field, then fewer required fields that only a
// fallback found, then a hint in the file's name.
func (m *match) score(fileName string) [3]int {
	var s [3]int
	for f, field := range m.kind.Fields {
		if m.columns[f] < 0 {
			continue
		}
		if !field.Shared {
			s[0]++
		}
		if slices.Contains(field.Distinctive, m.keys[m.columns[f]]) {
			s[0] += distinctiveWeight
		}
		if m.fallback[f] && field.Required {
			s[1]--
		}
	}
	if slices.ContainsFunc(m.kind.FileHints, func(h string) bool { return strings.Contains(fileName, h) }) {
		s[2] = 1
	}
	return s
}
