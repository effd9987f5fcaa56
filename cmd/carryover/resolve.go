package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

type resolveCmd struct {
	At  string `placeholder:"TIME" help:"The moment of the click, as RFC 3339 or a date; now when left out."`
	URL string `arg:"" help:"An old link, or - to read AT<tab>URL lines."`
}

func (resolveCmd) Help() string {
	return `Asks the published link map, with the same function that the gateway answers with. Changes nothing and
counts no click. With - it reads lines of "TIME<tab>URL" (TIME may be empty) and answers each, in order.

Example: carryover resolve https://go.carrot.com/go/course/coachdesk --at 2023-04-01T00:00:00-07:00`
}

// answer is a decision as --json tells it.
type answer struct {
	URL      string   `json:"url"`
	At       string   `json:"at"`
	Outcome  string   `json:"outcome"`
	Status   int      `json:"status"`
	Location string   `json:"location"`
	RefToken string   `json:"ref_token"`
	Link     string   `json:"link"`
	Reasons  []string `json:"reasons"`
}

func (c *resolveCmd) Run(a *app) error {
	p, err := a.program()
	if err != nil {
		return err
	}
	now := time.Now()
	if c.At != "" {
		if now, err = parseInstant(c.At, p.settings.Zone); err != nil {
			return usage("--at: %v", err)
		}
	}
	table, err := a.publishedTable(p)
	if err != nil {
		return err
	}
	if c.URL == "-" {
		return c.stream(a, table, p.settings.Zone, now)
	}
	ans := resolve(table, c.URL, now)
	if a.JSON {
		return a.line(ans)
	}
	where := ans.Location
	if where == "" {
		where = "a page of the gateway's own"
	}
	fmt.Fprintf(a.out, "%s %d\n  %s\n", ans.Outcome, ans.Status, where)
	for _, r := range ans.Reasons {
		fmt.Fprintln(a.out, "  -", r)
	}
	return nil
}

// publishedTable loads the live map from where the gateway gets it.
func (a *app) publishedTable(p *program) (*mapping.Table, error) {
	var b *book.Book
	if a.redisURL(p) == "" {
		var err error
		if b, err = a.readBook(p); err != nil {
			return nil, err
		}
		defer b.Close()
	}
	s, err := a.openStore(p, b)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, _, err := s.Load(a.ctx)
	if errors.Is(err, store.ErrNoMap) {
		return nil, fmt.Errorf("%w in %s: run \"carryover apply\" first", err, s)
	}
	if err != nil {
		return nil, err
	}
	return mapping.New(m)
}

func resolve(table *mapping.Table, url string, at time.Time) answer {
	d, why := table.Explain(mapping.ParseURL(url), at)
	return answer{url, at.Format(time.RFC3339Nano), d.Outcome.String(), d.Status(), d.Location, d.Token, d.Link, why}
}

// stream answers a line for each line of the input, in order.
func (c *resolveCmd) stream(a *app, table *mapping.Table, zone *time.Location, now time.Time) error {
	var in io.Reader = a.in
	if f, ok := in.(*os.File); ok && f == nil {
		return usage("there is no input to read")
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
	out := bufio.NewWriterSize(a.out, 1<<18)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	n, wrong := 0, 0
	for lines.Scan() {
		n++
		at, url, ok := strings.Cut(strings.TrimSuffix(lines.Text(), "\r"), "\t")
		if !ok {
			at, url = "", at
		}
		when := now
		if at != "" {
			var err error
			if when, err = parseInstant(at, zone); err != nil {
				wrong++
				fmt.Fprintf(a.errOut, "carryover: line %d: %v\n", n, err)
				if err := enc.Encode(map[string]string{"url": url, "at": at, "error": err.Error()}); err != nil {
					return err
				}
				continue
			}
		}
		ans := resolve(table, url, when)
		if at != "" {
			ans.At = at
		}
		var err error
		if a.JSON {
			err = enc.Encode(ans)
		} else {
			_, err = fmt.Fprintf(out, "%s\t%d\t%s\t%s\n", ans.Outcome, ans.Status, ans.Location, url)
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d of the input: %w", n+1, err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return &errExit{exitFailed, fmt.Errorf("%d of %d lines have a time that cannot be read", wrong, n)}
	}
	return nil
}

// parseInstant reads a moment, or a date as its beginning in the program's zone.
func parseInstant(s string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write it like 2023-03-31T23:59:59-07:00, or a date", s)
}
