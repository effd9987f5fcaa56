package history

import (
	"context"
	"fmt"
	"time"

	"carryover/mapping/book"
)

// Click is a click.
type Click struct {
	At        time.Time `json:"at"`
	Node      string    `json:"node"`
	Seq       int64     `json:"seq"`
	Host      string    `json:"host"`
	Path      string    `json:"path"`
	Outcome   string    `json:"outcome"`
	RefToken  string    `json:"ref_token"`
	Link      string    `json:"link"`
	Ad        string    `json:"ad"`
	Verdict   string    `json:"verdict"`
	Reason    string    `json:"reason"`
	Referrer  string    `json:"referrer"`
	UserAgent string    `json:"user_agent"`
}

// EachClick gives fn the clicks that a filter chooses. An error of fn ends it.
func EachClick(ctx context.Context, b *book.Book, f book.ClickFilter, fn func(*Click) error) error {
	return b.Clicks(ctx, f, func(c book.Click) error {
		return fn(&Click{c.At, c.Node, c.Seq, c.Host, c.Path, c.Outcome, c.Token, c.Link, c.Ad, c.Verdict, c.Reason, c.Referrer, c.UserAgent})
	})
}

// ClickCount is how many clicks have something in common.
type ClickCount struct {
	Key   string `json:"key"`
	Human int64  `json:"human"`
	Total int64  `json:"total"`
}

// ClickCounts counts clicks by a day, promoter, link, verdict or outcome; days are of zone.
func ClickCounts(ctx context.Context, b *book.Book, f book.ClickFilter, by string, zone *time.Location) ([]ClickCount, error) {
	rows, err := b.ClickCounts(ctx, f, by, zone)
	list := make([]ClickCount, len(rows))
	for i, n := range rows {
		list[i] = ClickCount{n.Key, n.Human, n.Total}
	}
	return list, err
}

// Miss is a miss.
type Miss struct {
	Host     string    `json:"host"`
	Path     string    `json:"path"`
	Outcome  string    `json:"outcome"`
	Human    int64     `json:"human"`
	Total    int64     `json:"total"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Referrer string    `json:"top_referrer"`
}

// Misses lists addresses that did not resolve, those that most people want first; limit 0:
// all.
func Misses(ctx context.Context, b *book.Book, f book.ClickFilter, limit int) ([]Miss, error) {
	rows, err := b.Misses(ctx, f, limit)
	list := make([]Miss, len(rows))
	for i, m := range rows {
		list[i] = Miss{m.Host, m.Path, m.Outcome, m.Human, m.Total, m.First, m.Last, m.TopReferrer}
	}
	return list, err
}

// CheckClickToken fails when nobody has the ref token and no click ever named it: it is mistyped.
func CheckClickToken(ctx context.Context, b *book.Book, token string) error {
	if token == "" {
		return nil
	}
	clicks, err := b.ClickCounts(ctx, book.ClickFilter{Token: token}, book.ByPromoter, nil)
	if err != nil || len(clicks) > 0 {
		return err
	}
	directory, err := b.Directory(ctx)
	if err != nil {
		return err
	}
	if !directory.HasToken(token) {
		return fmt.Errorf("no promoter has the ref token %q: \"carryover promoters\" lists them", token)
	}
	return nil
}
