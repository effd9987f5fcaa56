package view

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// RefusedEvent is a call of the tracking API that was refused.
type RefusedEvent struct {
	ID     int64  `json:"id"`
	At     string `json:"at"` // when it was told first, in the program's zone
	LastAt string `json:"last_at"`
	Times  int64  `json:"times"`
	Status int64  `json:"status"`
	Reason string `json:"reason"`
	Caller string `json:"key"` // fingerprint
	Path   string `json:"path"`
	Kind   string `json:"kind"`
	Event  string `json:"event_id"`
	Email  string `json:"email"`
	UID    string `json:"uid"`
	Body   any    `json:"body"`
	Whole  bool   `json:"complete"` // it can be told again
	State  string `json:"state"`    // open, booked, done or past
}

// ListRefusedEvents lists what is shown of refused events: of those that are open, or of all.
func ListRefusedEvents(ctx context.Context, b *book.Book, all bool, zone *time.Location) ([]RefusedEvent, error) {
	list, err := b.RefusedEvents(ctx, all)
	shown := make([]RefusedEvent, len(list))
	for i := range list {
		e := &list[i]
		shown[i] = RefusedEvent{
			e.ID, terms.FormatTime(e.At, zone), terms.FormatTime(e.LastAt, zone), e.Times, e.Status, e.Reason, e.Caller, e.Path, e.Kind,
			e.ExternalID, e.Email, e.UID, e.Body, e.Whole, e.State,
		}
		if json.Valid([]byte(e.Body)) {
			shown[i].Body = json.RawMessage(e.Body)
		}
	}
	return shown, err
}

// RefusedEvents is events that the tracking API refused.
func RefusedEvents() *console.Table[RefusedEvent] {
	return &console.Table[RefusedEvent]{
		Titles: []string{"id", "told", "times", "status", "what", "event", "customer", "key", "why"},
		Cells: func(e *RefusedEvent) []string {
			customer := e.Email
			if customer == "" && e.UID != "" {
				customer = "uid:" + e.UID
			}
			told := strings.Replace(e.At[:min(len("2006-01-02T15:04"), len(e.At))], "T", " ", 1)
			return []string{
				Number(e.ID), told, Number(e.Times), Number(e.Status), cmp.Or(e.Kind, e.Path), e.Event, customer, e.Caller, e.Reason,
			}
		},
		Below: []string{"why"},
		Empty: "No refused events.",
	}
}

// Retold is what became of refused events that were told again.
func Retold() *console.Table[track.Retold] {
	return &console.Table[track.Retold]{
		Titles: []string{"id", "became", "why"},
		Cells:  func(r *track.Retold) []string { return []string{fmt.Sprint(r.ID), r.Outcome, r.Reason} },
		Empty:  "No refused events.",
	}
}
