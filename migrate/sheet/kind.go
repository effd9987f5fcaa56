package sheet

import (
	"slices"
	"strings"
)

// Field is something that a kind of export can tell about a row.
type Field struct {
	Name    string   // the csv tag of the structs that hold it
	Aliases []string // header keys that mean it, most telling first
	// Weak are header keys that mean it only when no alias is there and the column is
	// not taken. In an ID field the cells must agree: most of them are digits.
	Weak     []string
	Required bool // without it a file is not of this kind
	Borrowed bool // says nothing about the kind: others have it too
	// Telling are the aliases that hardly any other file has: one of them says as much
	// as several other columns. Every kind that may have the column names them.
	Telling  []string
	ID, Date bool
}

// Kind is one kind of export.
type Kind struct {
	Name   string
	Fields []Field
	OneOf  [][]string // groups of fields of which at least one must be there
	// Marks are fields of which one must be there, by more than a weak alias, for a file
	// to be taken for this kind; Foreign are sets of header keys that no file of this
	// kind has all of. Neither counts when a person says what the file is.
	Marks   []string
	Foreign [][]string
	// Secret are keys of columns that are dropped when read; *word* means any key with
	// the word in it. They are secret whatever else they are called.
	Secret []string
	// FileHints are parts of a file's name, lower case; they break ties only.
	FileHints []string
}

func (k *Kind) field(name string) int {
	return slices.IndexFunc(k.Fields, func(f Field) bool { return f.Name == name })
}

func (k *Kind) isSecret(key string) bool {
	return slices.ContainsFunc(k.Secret, func(s string) bool {
		if word, ok := strings.CutPrefix(s, "*"); ok {
			return strings.Contains(key, strings.TrimSuffix(word, "*"))
		}
		return key == s
	})
}

// own says whether a column is one that [RejectWriter] adds.
func own(key string) bool { return strings.HasPrefix(key, "carryover") }

// match says which column of a header each field of a kind has.
type match struct {
	kind    *Kind
	columns []int  // by field; -1 for none
	weak    []bool // by field: the column was found by a weak alias
	taken   []bool // by column
	keys    []string
}

// matchKind lays a kind over a header. named are the operator's own headers: key to
// field; they come before every alias.
func matchKind(kind *Kind, keys []string, named map[string]string) *match {
	m := &match{
		kind:    kind,
		columns: make([]int, len(kind.Fields)),
		weak:    make([]bool, len(kind.Fields)),
		taken:   make([]bool, len(keys)),
		keys:    keys,
	}
	for i := range m.columns {
		m.columns[i] = -1
	}
	first := make(map[string]int, len(keys))
	for i, key := range keys {
		if _, seen := first[key]; !seen && key != "" && !own(key) && !kind.isSecret(key) {
			first[key] = i
		}
	}
	for i, key := range keys {
		if at, ok := first[key]; !ok || at != i {
			continue
		}
		if f := kind.field(named[key]); f >= 0 && m.columns[f] < 0 {
			m.take(f, i)
		}
	}
	for f, field := range kind.Fields {
		m.find(f, field.Aliases, first)
	}
	for f, field := range kind.Fields {
		if m.columns[f] < 0 && !m.grouped(field.Name) {
			m.find(f, field.Weak, first)
			m.weak[f] = m.columns[f] >= 0
		}
	}
	return m
}

func (m *match) take(f, column int) {
	m.columns[f] = column
	m.taken[column] = true
}

func (m *match) find(f int, aliases []string, first map[string]int) {
	for _, key := range aliases {
		if m.columns[f] >= 0 {
			return
		}
		if i, ok := first[key]; ok && !m.taken[i] {
			m.take(f, i)
		}
	}
}

// grouped says whether another field of a group that name is in has a column.
func (m *match) grouped(name string) bool {
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

// complete says whether everything is there that makes a file be of this kind. said
// means that a person has called it one.
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
	return said || m.marked() && !m.foreign()
}

// marked says whether there is a mark of the kind, where it has any.
func (m *match) marked() bool {
	return len(m.kind.Marks) == 0 || slices.ContainsFunc(m.kind.Marks, func(name string) bool {
		return m.has(name) && !m.weak[m.kind.field(name)]
	})
}

// foreign says whether the header has what no file of the kind has. A column that the
// kind understands is its own.
func (m *match) foreign() bool {
	return slices.ContainsFunc(m.kind.Foreign, func(set []string) bool {
		for _, key := range set {
			if i := slices.Index(m.keys, key); i < 0 || m.taken[i] {
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

// telling is how many more columns a telling alias counts for.
const telling = 4

// score orders matches: more understood columns, then fewer that are needed but
// only weakly there, then a hint in the file's name.
func (m *match) score(fileName string) [3]int {
	var s [3]int
	for f, field := range m.kind.Fields {
		if m.columns[f] < 0 {
			continue
		}
		if !field.Borrowed {
			s[0]++
		}
		if slices.Contains(field.Telling, m.keys[m.columns[f]]) {
			s[0] += telling
		}
		if m.weak[f] && field.Required {
			s[1]--
		}
	}
	if slices.ContainsFunc(m.kind.FileHints, func(h string) bool { return strings.Contains(fileName, h) }) {
		s[2] = 1
	}
	return s
}
