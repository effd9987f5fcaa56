package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/history"
)

type outboxCmd struct {
	List  outboxListCmd  `cmd:"" default:"withargs" help:"Show what waits, and what became of the rest."`
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
	states, err := history.OutboxStates(a.ctx, b, cfg.Zone)
	if err != nil {
		return err
	}
	err = console.Print(a.Console, view.OutboxStates(), states)
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
	rows := console.NewRows(a.Console, view.OutboxEvents(state, when))
	err := b.Forwards(a.ctx, state, func(f book.Forward) error {
		e := history.NewOutboxEvent(&f, zone)
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
				return fmt.Errorf("event %d is %s (%s): there is nothing to send again", id, f.State, history.OutboxMeaning(f.State))
			}
		}
		n, err := b.RetryForwards(a.ctx, ids, states, time.Now().Unix())
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(map[string]int64{"put_back": n})
		}
		return a.Say("%s put back; a gateway with [firstpromoter] forward = true sends what was put back.", view.Count(int(n), "event"))
	})
}
