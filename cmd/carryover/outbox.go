package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/report"
)

type outboxCmd struct {
	List  outboxListCmd  `cmd:"" default:"withargs" help:"What waits, and what became of the rest."`
	Retry outboxRetryCmd `cmd:"" help:"Put refused events back."`
}

func (outboxCmd) Help() string {
	return `With [firstpromoter] forward = true every event that is booked also goes to FirstPromoter, through the
outbox. A gateway works it: in order for each customer, again and again until FirstPromoter has answered.
A refused event holds nobody up; a person must look at it.

Example: carryover outbox --state refused`
}

type outboxListCmd struct {
	tableFlags
	State string `placeholder:"STATE" help:"List the events in this state, one by one: waiting, refused, not_referred, already or sent."`
}

func (outboxListCmd) Help() string {
	return `How many events are in each state, since when, and what FirstPromoter said last of those that are not
through. With --state the events themselves. Changes nothing.

Example: carryover outbox --state refused --json`
}

// outboxState is a state of the outbox as --json tells it.
type outboxState struct {
	State  string `json:"state"`
	Count  int64  `json:"count"`
	Oldest string `json:"oldest"` // when the earliest of them came; empty: there is none
	Said   string `json:"last_said"`
	Means  string `json:"means"`
}

// outboxEvent is an event of the outbox as --json tells it.
type outboxEvent struct {
	ID       int64  `json:"id"` // what "outbox retry" takes
	Kind     string `json:"kind"`
	EventID  string `json:"event_id"`
	Customer int64  `json:"customer_id"`
	State    string `json:"state"`
	Came     string `json:"came_at"`
	Tries    int64  `json:"tries"`
	Next     string `json:"next_at"` // of what waits: not sent before
	Done     string `json:"done_at"`
	Status   int64  `json:"status"` // of the last answer; 0: none came
	Said     string `json:"said"`
}

// forwardMeans says what a state of the outbox is.
func forwardMeans(state string) string {
	switch state {
	case book.ForwardWaiting:
		return "on its way"
	case book.ForwardSent:
		return "FirstPromoter took it"
	case book.ForwardAlready:
		return "FirstPromoter had it"
	case book.ForwardNotReferred:
		return "the customer is nobody's there"
	}
	return "not taken: a person must look"
}

func (c *outboxListCmd) Run(a *app) error {
	if c.State != "" && forwardState(c.State) == "" {
		return console.UsageError("--state: %q is no state: write %s", c.State, strings.Join(book.ForwardStates(), ", "))
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		if c.State != "" {
			return c.events(a, cfg, b)
		}
		return c.states(a, cfg, b)
	})
}

// forwardState is a state as a person writes it; empty when there is none of that name.
func forwardState(text string) string {
	for _, s := range book.ForwardStates() {
		if strings.EqualFold(strings.ReplaceAll(text, "-", "_"), s) {
			return s
		}
	}
	return ""
}

func (c *outboxListCmd) states(a *app, cfg *config.Config, b *book.Book) error {
	counts, err := b.ForwardCounts(a.ctx)
	if err != nil {
		return err
	}
	by := map[string]book.ForwardCount{}
	for _, n := range counts {
		by[n.State] = n
	}
	var states []outboxState
	for _, name := range book.ForwardStates() {
		n := by[name]
		s := outboxState{State: name, Count: n.Count, Oldest: terms.FormatTime(n.Oldest, cfg.Zone), Means: forwardMeans(name)}
		if name == book.ForwardWaiting || name == book.ForwardRefused {
			if s.Said, err = b.ForwardSaid(a.ctx, name); err != nil {
				return err
			}
		}
		states = append(states, s)
	}
	err = console.Print(a.Console, &console.Table[outboxState]{
		Titles: []string{"state", "events", "oldest", "means", "said last"},
		Cells: func(s *outboxState) []string {
			return []string{s.State, report.Count(s.Count), s.Oldest, s.Means, s.Said}
		},
		Alert: func(s *outboxState, title string) bool {
			return title == "state" && s.State == book.ForwardRefused && s.Count > 0
		},
	}, states)
	if err == nil && a.Form == console.Text && !cfg.FirstPromoter.Forward {
		fmt.Fprintln(a.Err, "Forwarding is off: [firstpromoter] forward = true turns it on.")
	}
	return err
}

func (c *outboxListCmd) events(a *app, cfg *config.Config, b *book.Book) error {
	state, zone, when := forwardState(c.State), cfg.Zone, "done"
	if state == book.ForwardWaiting {
		when = "not before"
	}
	rows := console.NewRows(a.Console, &console.Table[outboxEvent]{
		Titles: []string{"id", "kind", "event id", "came", "tries", when, "status", "said"},
		Cells: func(e *outboxEvent) []string {
			return []string{
				strconv.FormatInt(e.ID, 10), e.Kind, e.EventID, e.Came, strconv.FormatInt(e.Tries, 10), cmp.Or(e.Next, e.Done),
				strconv.FormatInt(e.Status, 10), e.Said,
			}
		},
		Below: []string{"said"},
		Empty: fmt.Sprintf("No event is %s.", strings.ReplaceAll(state, "_", " ")),
	})
	err := b.Forwards(a.ctx, state, func(f book.Forward) error {
		e := outboxEvent{
			ID: f.EventID, Kind: f.Kind, EventID: f.ExternalID, Customer: f.CustomerID, State: f.State, Came: terms.FormatTime(f.ReceivedAt, zone),
			Tries: f.Tries, Done: terms.FormatTime(f.DoneAt, zone), Status: f.Status, Said: f.Answer,
		}
		if f.State == book.ForwardWaiting {
			e.Next = terms.FormatTime(f.NextAt, zone)
		}
		return rows.Add(&e)
	})
	return errors.Join(err, rows.End())
}

type outboxRetryCmd struct {
	IDs         []string `arg:"" optional:"" name:"id" help:"Ids as \"carryover outbox --state refused\" lists them."`
	Refused     bool     `help:"All that were refused."`
	NotReferred bool     `help:"All whose customers were nobody's there, such as after their promoters were added."`
}

func (outboxRetryCmd) Help() string {
	return `Puts events back that FirstPromoter refused or whose customers it did not know, once the reason is gone
there. They are sent as they were. Writes the outbox, nothing else.

Example: carryover outbox retry 118 119`
}

func (c *outboxRetryCmd) Run(a *app) error {
	var ids []int64
	for _, text := range c.IDs {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return console.UsageError("%q is no id of the outbox: \"carryover outbox --state refused\" lists them", text)
		}
		ids = append(ids, id)
	}
	var states []string
	if c.Refused {
		states = append(states, book.ForwardRefused)
	}
	if c.NotReferred {
		states = append(states, book.ForwardNotReferred)
	}
	if len(ids)+len(states) == 0 {
		return console.UsageError("say which events: ids, --refused or --not-referred")
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		found, err := b.ForwardsByID(a.ctx, ids)
		if err != nil {
			return err
		}
		by := map[int64]*book.Forward{}
		for i := range found {
			by[found[i].EventID] = &found[i]
		}
		for _, id := range ids {
			switch f := by[id]; {
			case f == nil:
				return fmt.Errorf("the outbox has no event %d: \"carryover outbox --state refused\" lists the ids", id)
			case f.State != book.ForwardRefused && f.State != book.ForwardNotReferred:
				return fmt.Errorf("event %d is %s (%s): there is nothing to send again", id, f.State, forwardMeans(f.State))
			}
		}
		n, err := b.RetryForwards(a.ctx, ids, states, time.Now().Unix())
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(map[string]int64{"put_back": n})
		}
		err = a.Say("%s put back; a gateway with [firstpromoter] forward = true sends what was put back.", counted(int(n), "event"))
		return err
	})
}
