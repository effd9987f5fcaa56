package history

import (
	"context"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// OutboxState is a state of the outbox.
type OutboxState struct {
	State  string `json:"state"`
	Count  int64  `json:"count"`
	Oldest string `json:"oldest"` // when the earliest of them came; empty: there is none
	Said   string `json:"last_said"`
	Means  string `json:"means"`
}

// OutboxEvent is an event of the outbox.
type OutboxEvent struct {
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

// OutboxMeaning says what a state of the outbox is.
func OutboxMeaning(state string) string {
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

// OutboxStates counts the events in each state, and says what FirstPromoter said last of those
// that are not through.
func OutboxStates(ctx context.Context, b *book.Book, zone *time.Location) ([]OutboxState, error) {
	counts, err := b.ForwardCounts(ctx)
	if err != nil {
		return nil, err
	}
	by := map[string]book.ForwardCount{}
	for _, n := range counts {
		by[n.State] = n
	}
	var states []OutboxState
	for _, name := range book.ForwardStates() {
		n := by[name]
		s := OutboxState{State: name, Count: n.Count, Oldest: terms.FormatTime(n.Oldest, zone), Means: OutboxMeaning(name)}
		if name == book.ForwardWaiting || name == book.ForwardRefused {
			if s.Said, err = b.LastForwardAnswer(ctx, name); err != nil {
				return nil, err
			}
		}
		states = append(states, s)
	}
	return states, nil
}

// NewOutboxEvent is an event of the outbox with times in a zone.
func NewOutboxEvent(f *book.Forward, zone *time.Location) OutboxEvent {
	e := OutboxEvent{
		ID: f.EventID, Kind: f.Kind, EventID: f.ExternalID, Customer: f.CustomerID, State: f.State, Came: terms.FormatTime(f.ReceivedAt, zone),
		Tries: f.Tries, Done: terms.FormatTime(f.DoneAt, zone), Status: f.Status, Said: f.Answer,
	}
	if f.State == book.ForwardWaiting {
		e.Next = terms.FormatTime(f.NextAt, zone)
	}
	return e
}
