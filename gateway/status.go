package gateway

import (
	"context"
	"time"

	"carryover/gateway/admin"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// status collects what the admin page shows.
func (a *App) status(ctx context.Context) admin.Status {
	h := a.Health()
	s := admin.Status{
		Program: a.o.Program, Node: a.recorder.Node(), Ready: h.Ready, Reasons: h.Reasons, Warnings: h.Warnings, Errors: h.Errors,
		Epoch: h.Epoch, Source: h.Source, Rehearsal: a.o.Rehearsal,
	}
	zone := a.o.Zone
	if zone == nil {
		zone = time.UTC
	}
	s.Now = a.o.Now().In(zone)
	if l := a.maps.live.Load(); l != nil {
		s.PublishedAt, s.PlanID = l.epoch.PublishedAt, l.epoch.PlanID
		s.Links, s.Partners = l.epoch.Links, l.epoch.Partners
		s.Program = l.table.Policy().Program
	}
	s.Recorded, s.Dropped, _ = a.recorder.Counts()
	s.DrainLag, s.Backlog = a.drainer.Lag()
	if a.o.Book == nil {
		return s
	}
	y, m, d := s.Now.Date()
	today := book.ClickFilter{From: time.Date(y, m, d, 0, 0, 0, 0, zone)}
	var err error
	addError := func(e error) {
		if e != nil && err == nil {
			err = e
			s.Errors = append(s.Errors, e.Error())
		}
	}
	outcomes, e := a.o.Book.ClickCounts(ctx, today, book.ByOutcome, zone)
	addError(e)
	verdicts, e := a.o.Book.ClickCounts(ctx, today, book.ByVerdict, zone)
	addError(e)
	misses, e := a.o.Book.Misses(ctx, book.ClickFilter{From: s.Now.AddDate(0, 0, -7)}, 10)
	addError(e)
	for _, name := range mapping.Outcomes() {
		for _, c := range outcomes {
			if c.Key == name {
				s.Outcomes = append(s.Outcomes, admin.Count{Name: name, Human: c.Human, Total: c.Total})
			}
		}
	}
	for _, c := range verdicts {
		s.Verdicts = append(s.Verdicts, admin.Count{Name: c.Key, Human: c.Human, Total: c.Total})
	}
	for _, miss := range misses {
		s.Misses = append(s.Misses, admin.Miss{
			URL: miss.Host + miss.Path, Human: miss.Human, Total: miss.Total, Last: miss.Last, Referrer: miss.TopReferrer,
		})
	}
	s.HasBook = true
	tracked, waiting, e := a.o.Book.EventTotals(ctx, today.From)
	addError(e)
	if len(a.o.Tracking.Keys) > 0 || len(tracked) > 0 || waiting != (book.Backlog{}) {
		s.Tracking = &admin.Tracking{
			Reviews: waiting.Reviews, Applications: waiting.Applications, Outbox: waiting.Outbox, Refused: waiting.Refused,
		}
		for _, t := range tracked {
			earned := terms.FormatMinor(t.Earned, a.o.Tracking.Currency)
			s.Tracking.Events = append(s.Tracking.Events, admin.Event{Kind: t.Kind, Count: t.Events, Earned: earned})
		}
	}
	return s
}
