// Package manual finds the pages of the manual and writes them for a terminal. The pages
// themselves are plain Markdown in cmd/carryover/manual, for whoever shows them.
package manual

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"carryover/cmd/carryover/internal/suggest"
)

// Index is the page that lists the others, in the order in which they are read.
const Index = "README.md"

// Page is one page of the manual.
type Page struct {
	Subject string `json:"subject"` // what it is asked for by: its file without .md
	Summary string `json:"summary"` // its title and what is in it
	Text    string `json:"text,omitempty"`
}

// Manual is all pages.
type Manual struct{ pages []Page }

// entry is a line of the index: | [subject](file.md) | summary |.
var entry = regexp.MustCompile(`(?m)^\| \[([^\]]+)\]\(([^)]+\.md)\) \| (.+) \|$`)

// Read reads the manual from a folder of pages.
func Read(files fs.FS) (*Manual, error) {
	index, err := fs.ReadFile(files, Index)
	if err != nil {
		return nil, fmt.Errorf("reading the manual: %w", err)
	}
	m := &Manual{}
	for _, e := range entry.FindAllStringSubmatch(string(index), -1) {
		text, err := fs.ReadFile(files, e[2])
		if err != nil {
			return nil, fmt.Errorf("reading the manual: %w", err)
		}
		m.pages = append(m.pages, Page{Subject: strings.TrimSuffix(path.Base(e[2]), ".md"), Summary: e[3], Text: string(text)})
	}
	return m, nil
}

// Pages are all pages, in the order of the index.
func (m *Manual) Pages() []Page { return m.pages }

// Page finds a page by its subject, in any case.
func (m *Manual) Page(subject string) (Page, bool) {
	for _, p := range m.pages {
		if strings.EqualFold(p.Subject, subject) {
			return p, true
		}
	}
	return Page{}, false
}

// Offers are the subjects that begin with a prefix, each with what is in it behind a tab.
func (m *Manual) Offers(prefix string) (offers []string) {
	for _, p := range m.pages {
		if strings.HasPrefix(p.Subject, prefix) {
			offers = append(offers, p.Subject+"\t"+p.Summary)
		}
	}
	return offers
}

// Nearest is the subject, or one of the other names, that somebody may have meant; empty:
// nothing is like it.
func (m *Manual) Nearest(subject string, others []string) string {
	var known []string
	for _, p := range m.pages {
		known = append(known, p.Subject)
	}
	return suggest.Nearest(subject, append(known, others...))
}
