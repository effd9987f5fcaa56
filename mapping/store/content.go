package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"carryover/mapping"
)

// content is a map in the form in which stores keep it.
type content struct {
	policy   string             // JSON
	entries  []mapping.Entry    // sorted as a checksum reads them
	tables   [4][]mapping.Entry // the same by kind
	checksum func() string      // computed once, by the first caller
	program  string
	bytes    int64 // of keys and values
}

// newContent brings m into stored form. It fails on what no store could give back: a
// key that stands twice in one table, a policy or value that is not valid UTF-8 (JSON
// would replace the bytes silently; keys may hold any bytes).
func newContent(m *mapping.Map) (*content, error) {
	c := &content{program: m.Policy.Program}
	policy, err := json.Marshal(m.Policy)
	if err != nil {
		return nil, fmt.Errorf("the map's policy cannot be written down: %w", err)
	}
	c.policy = string(policy)
	var back mapping.Policy
	if err := json.Unmarshal(policy, &back); err != nil {
		return nil, fmt.Errorf("the map's policy cannot be read back: %w", err)
	}
	if again, _ := json.Marshal(back); string(again) != c.policy {
		return nil, fmt.Errorf("the map's policy holds text that is not valid UTF-8")
	}
	// Two goroutines, one big table each: sorting is most of the work.
	var wg sync.WaitGroup
	wg.Go(func() {
		c.tables[mapping.Links] = (&mapping.Map{Links: m.Links}).Entries()
		c.tables[mapping.Partners] = (&mapping.Map{Partners: m.Partners}).Entries()
	})
	c.tables[mapping.IDs] = (&mapping.Map{IDs: m.IDs}).Entries()
	c.tables[mapping.Paths] = (&mapping.Map{Paths: m.Paths}).Entries()
	wg.Wait()
	for kind, table := range c.tables {
		for i := 1; i < len(table); i++ {
			if table[i].Key == table[i-1].Key {
				return nil, fmt.Errorf("the map has %q twice among its %s", table[i].Key, mapping.Kind(kind))
			}
		}
		for i := range table {
			if !utf8.ValidString(table[i].Value) {
				return nil, fmt.Errorf("the map's %s hold text that is not valid UTF-8: %q is %q", mapping.Kind(kind), table[i].Key, table[i].Value)
			}
			n := len(table[i].Key) + len(table[i].Value)
			if n > maxEntry {
				return nil, fmt.Errorf("the map's %s hold an entry of %d bytes, and none may have more than %d: %.100q",
					mapping.Kind(kind), n, maxEntry, table[i].Key)
			}
			c.bytes += int64(n)
		}
	}
	c.entries = slices.Concat(c.tables[:]...)
	rest := c.entries
	for i, t := range c.tables {
		c.tables[i], rest = rest[:len(t)], rest[len(t):]
	}
	c.checksum = sync.OnceValue(func() string { return mapping.Checksum(back, c.entries) })
	return c, nil
}

// epoch is c as an epoch that has neither number nor checksum yet.
func (c *content) epoch(planID string, now time.Time) Epoch {
	return Epoch{
		PublishedAt: now.UTC().Truncate(time.Second), PlanID: planID,
		Links: len(c.tables[mapping.Links]), Partners: len(c.tables[mapping.Partners]),
		IDs: len(c.tables[mapping.IDs]), Paths: len(c.tables[mapping.Paths]),
	}
}

// maxEntry bounds a key and its value together, in bytes.
const maxEntry = 1 << 20

// rebuild turns stored entries, in the order of a checksum, into the map that they were.
// Checksum and map are made at the same time; the map counts only when both succeed, and when t
// allows what it does.
func rebuild(policyJSON string, entries []mapping.Entry, e Epoch, t *Trust) (*mapping.Map, error) {
	// Sizes are counted, not taken from e: that has not been verified yet.
	var sizes [4]int
	for i := range entries {
		if k := entries[i].Kind; int(k) < len(sizes) {
			sizes[k]++
		}
	}
	m := &mapping.Map{
		Links:    make([]mapping.Link, 0, sizes[mapping.Links]),
		Partners: make([]mapping.Partner, 0, sizes[mapping.Partners]),
		IDs:      make([]mapping.ID, 0, sizes[mapping.IDs]),
		Paths:    make([]mapping.Path, 0, sizes[mapping.Paths]),
	}
	if err := json.Unmarshal([]byte(policyJSON), &m.Policy); err != nil {
		return nil, fmt.Errorf("epoch %d: %w (policy: %w)", e.ID, ErrChecksum, err)
	}
	var sum string
	var wg sync.WaitGroup
	wg.Go(func() { sum = mapping.Checksum(m.Policy, entries) })
	var bad error
	for _, en := range entries {
		if bad = m.Add(en); bad != nil {
			break
		}
	}
	wg.Wait()
	if sum != e.Checksum || sizes != e.sizes() {
		return nil, fmt.Errorf("epoch %d: %w", e.ID, ErrChecksum)
	}
	if bad != nil {
		return nil, fmt.Errorf("epoch %d was written by another version of carryover: %w", e.ID, bad)
	}
	if err := t.allowMap(m); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", e.ID, err)
	}
	return m, nil
}
