package console

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"carryover/migrate/report"
)

type who struct {
	Token string `json:"ref_token"`
}

type part struct {
	Name string `json:"name"`
}

type line struct {
	who
	*part
	Amount  int64     `json:"amount_cents"`
	Paid    bool      `json:"paid"`
	IDs     []int64   `json:"keap_ids"`
	Codes   []string  `json:"codes,omitempty"`
	Others  []who     `json:"others,omitempty"`
	At      time.Time `json:"at"`
	Share   *int64    `json:"share"`
	Note    string    `json:"note"`
	private string
	Hidden  string `json:"-"`
}

func lines() []line {
	share := int64(3)
	return []line{
		{
			who{"ann"}, &part{"Ann"}, -1250, true, []int64{1, 12}, []string{"ANN", "A2"}, []who{{"a<b"}},
			time.Date(2023, 3, 31, 12, 0, 0, 5e6, time.UTC), &share, "=1+1", "x", "y",
		},
		{who: who{"ben"}, IDs: []int64{}, Note: "two\nlines, \"quoted\""},
	}
}

var table = Table[line]{
	Titles: []string{"ref token", "amount", "note"},
	Cells:  func(l *line) []string { return []string{l.Token, fmt.Sprint(l.Amount), l.Note} },
	Alert:  func(l *line, title string) bool { return title == "amount" && l.Amount < 0 },
	Empty:  "Nobody is here.",
}

// A table is described once; its rows are the same in every form.
func TestForms(t *testing.T) {
	f := func(c Console, rows []line, want string) {
		t.Helper()
		var out bytes.Buffer
		c.Out = &out
		if err := Print(&c, &table, rows); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	f(Console{}, lines(), `ref token  amount  note
ann         -1250  =1+1
ben             0  two\nlines, "quoted"
`)
	f(Console{Terminal: report.Terminal{Colour: true}}, lines()[:1], "ref token  amount  note\nann         \x1b[1;31m-1250\x1b[0m  =1+1\n")
	f(Console{Form: JSON}, lines(), `{"ref_token":"ann","name":"Ann","amount_cents":-1250,"paid":true,"keap_ids":[1,12],"codes":["ANN","A2"],"others":[{"ref_token":"a<b"}],"at":"2023-03-31T12:00:00.005Z","share":3,"note":"=1+1"}
{"ref_token":"ben","amount_cents":0,"paid":false,"keap_ids":[],"at":"0001-01-01T00:00:00Z","share":null,"note":"two\nlines, \"quoted\""}
`)
	f(Console{Form: CSV}, lines(), "\ufeff"+`ref_token,name,amount_cents,paid,keap_ids,codes,others,at,share,note
ann,Ann,-1250,true,1 12,ANN A2,"[{""ref_token"":""a<b""}]",2023-03-31T12:00:00.005Z,3,'=1+1
ben,,0,false,,,,0001-01-01T00:00:00Z,,"two
lines, ""quoted"""
`)
	f(Console{}, nil, "Nobody is here.\n")
	f(Console{Terminal: report.Terminal{Width: 12}}, nil, "Nobody is\nhere.\n")
	f(Console{Form: JSON}, nil, "")
	f(Console{Form: CSV}, nil, "\ufeffref_token,name,amount_cents,paid,keap_ids,codes,others,at,share,note\n")
}

// What a table counts by gives its column the name.
func TestNames(t *testing.T) {
	counts := Table[part]{Titles: []string{"verdict"}, Cells: func(p *part) []string { return []string{p.Name} }, Names: map[string]string{"name": "verdict"}}
	for form, want := range map[Form]string{JSON: `{"verdict":"<bot>"}`, CSV: "\ufeffverdict\n<bot>"} {
		var out bytes.Buffer
		if err := Print(&Console{Out: &out, Form: form}, &counts, []part{{"<bot>"}}); err != nil || out.String() != want+"\n" {
			t.Errorf("form %d: %q, %v", form, out.String(), err)
		}
	}
}

// A long table comes in pages; what sums it up is for a person only.
func TestLongTable(t *testing.T) {
	f := func(form Form, wantLines, wantTitles int) {
		t.Helper()
		var out bytes.Buffer
		w := NewRows(&Console{Out: &out, Form: form}, &table)
		for range pageRows + 1 {
			if err := w.Add(&line{Amount: 5}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Extra("together", "5005"), w.End()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "\n"); got != wantLines {
			t.Errorf("form %d: %d lines, want %d", form, got, wantLines)
		}
		if got := strings.Count(out.String(), "ref token  amount"); got != wantTitles {
			t.Errorf("form %d: %d titles, want %d", form, got, wantTitles)
		}
	}
	f(Text, pageRows+4, 2)
	f(JSON, pageRows+1, 0)
	f(CSV, pageRows+2, 0)
}

// What cannot be written is an error in every form.
func TestFullDisk(t *testing.T) {
	for _, form := range []Form{Text, JSON, CSV} {
		if err := Print(&Console{Out: full{}, Form: form}, &table, lines()); !errors.Is(err, errFull) {
			t.Errorf("form %d: %v", form, err)
		}
	}
}

type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// Off a terminal there is no colour, and as much room as COLUMNS says.
func TestTerminalOf(t *testing.T) {
	f := func(columns string, want report.Terminal) {
		t.Helper()
		env := map[string]string{"COLUMNS": columns}
		if got := terminal(&bytes.Buffer{}, func(name string) string { return env[name] }); got != want {
			t.Errorf("COLUMNS=%q: %+v, want %+v", columns, got, want)
		}
	}
	f("", report.Terminal{})
	f("80", report.Terminal{Width: 80})
	f("0", report.Terminal{})
	f("-4", report.Terminal{})
	f("wide", report.Terminal{})
}

// The log holds what is at least of its level.
func TestLogLevel(t *testing.T) {
	var said bytes.Buffer
	c := New(nil, &bytes.Buffer{}, &said)
	for _, log := range []*slog.Logger{c.Log, c.ServiceLog()} {
		said.Reset()
		c.Level.Set(slog.LevelWarn)
		log.Info("quiet")
		log.Warn("loud")
		c.Level.Set(slog.LevelDebug)
		log.Debug("fine")
		if got := said.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") || !strings.Contains(got, "fine") {
			t.Error(got)
		}
	}
}
