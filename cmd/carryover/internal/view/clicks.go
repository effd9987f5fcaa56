package view

import (
	"cmp"
	"strconv"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/history"
)

// ClickCounts is clicks counted by something.
func ClickCounts(by string) *console.Table[history.ClickCount] {
	return &console.Table[history.ClickCount]{
		Titles: []string{by, "human", "all"},
		Cells: func(n *history.ClickCount) []string {
			return []string{cmp.Or(n.Key, "(none)"), strconv.FormatInt(n.Human, 10), strconv.FormatInt(n.Total, 10)}
		},
		Names: map[string]string{"key": by},
		Empty: "No clicks so far.",
	}
}

// Clicks is each click, with times of a zone.
func Clicks(zone *time.Location) *console.Table[history.Click] {
	return &console.Table[history.Click]{
		Titles: []string{"at", "answered", "verdict", "address", "reason"},
		Cells: func(c *history.Click) []string {
			return []string{c.At.In(zone).Format("2006-01-02 15:04:05.000 MST"), c.Outcome, c.Verdict, c.Host + c.Path, c.Reason}
		},
		Empty: "No clicks so far.",
	}
}

// Misses is addresses that did not resolve, with times of a zone.
func Misses(zone *time.Location) *console.Table[history.Miss] {
	return &console.Table[history.Miss]{
		Titles: []string{"address", "answered", "human", "all", "last", "mostly from"},
		Cells: func(m *history.Miss) []string {
			return []string{
				m.Host + m.Path, m.Outcome, strconv.FormatInt(m.Human, 10), strconv.FormatInt(m.Total, 10),
				m.Last.In(zone).Format("2006-01-02 15:04 MST"), m.Referrer,
			}
		},
		Below: []string{"last", "mostly from"},
		Empty: "No misses so far: every address that was asked for is known.",
	}
}
