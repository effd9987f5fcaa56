package book

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"
)

func clickBook(t *testing.T) *Book {
	t.Helper()
	b, err := Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// A day's clicks: hour, path, token, link, outcome, verdict, miss, referrer.
func someClicks(day time.Time) []Click {
	click := func(hour int, path, token, link, outcome, verdict string, miss bool, referrer string) Click {
		return Click{
			Node: "web1", At: day.Add(time.Duration(hour) * time.Hour), Host: "go.carrot.test", Path: path, Outcome: outcome,
			Token: token, Link: link, Miss: miss, Referrer: referrer, UserAgent: "x", Verdict: verdict, Reason: "because", Rules: 1,
		}
	}
	clicks := []Click{
		click(1, "/go/demo/ANNA", "anna", "demo", "forward", "human", false, ""),
		click(1, "/go/demo/ANNA", "anna", "demo", "forward", "bot", false, ""),
		click(5, "/go/demo/BEN", "ben", "demo", "forward", "human", false, ""),
		click(23, "/go/trial/ANNA", "anna", "trial", "forward", "human", false, ""),
		click(2, "/go/gone/X", "", "", "not_found", "human", true, "https://a.example"),
		click(3, "/go/gone/X", "", "", "not_found", "human", true, "https://b.example"),
		click(4, "/go/gone/X", "", "", "not_found", "bot", true, "https://b.example"),
		click(2, "/wp-login.php", "", "", "not_found", "bot", true, ""),
		click(3, "/wp-login.php", "", "", "not_found", "bot", true, ""),
		click(4, "/wp-login.php", "", "", "not_found", "bot", true, ""),
		click(4, "/wp-login.php", "", "", "not_found", "bot", true, ""),
	}
	clicks[7].Params, clicks[8].Params = "aff", "aff"
	for i := range clicks {
		clicks[i].Seq = int64(i + 1)
	}
	return clicks
}

var clickDay = time.Date(2023, 3, 30, 0, 0, 0, 0, time.UTC)

func TestAddClicksOnce(t *testing.T) {
	ctx, b := context.Background(), clickBook(t)
	clicks := someClicks(clickDay)
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for range 4 { // four deliveries at once, of overlapping parts
		wg.Go(func() {
			for from := range clicks {
				n, err := b.AddClicks(ctx, clicks[from:])
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				sum += n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	counts, err := b.ClickCounts(ctx, ClickFilter{}, ByDay, nil)
	if err != nil || sum != len(clicks) || len(counts) != 1 || counts[0] != (ClickCount{"2023-03-30", 11, 5}) {
		t.Errorf("%d added, counted %v (%v)", sum, counts, err)
	}
	if n, err := b.AddClicks(ctx, nil); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestClicksInOrderOfTime(t *testing.T) {
	ctx, b := context.Background(), clickBook(t)
	want := someClicks(clickDay)
	if _, err := b.AddClicks(ctx, want); err != nil {
		t.Fatal(err)
	}
	var got []Click
	read := func(f ClickFilter) []Click {
		got = nil
		if err := b.Clicks(ctx, f, func(c Click) error { got = append(got, c); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i, c := range read(ClickFilter{}) {
		if i > 0 && c.At.Before(got[i-1].At) {
			t.Errorf("%v after %v", c.At, got[i-1].At)
		}
		if !reflect.DeepEqual(c, want[c.Seq-1]) {
			t.Errorf("got  %+v\nwant %+v", c, want[c.Seq-1])
		}
	}
	if len(got) != len(want) {
		t.Error(len(got))
	}
	if n := len(read(ClickFilter{From: clickDay.Add(2 * time.Hour), To: clickDay.Add(4 * time.Hour)})); n != 4 {
		t.Errorf("%d from 2 to 4", n)
	}
	if n := len(read(ClickFilter{Token: "anna", Verdict: "human"})); n != 2 {
		t.Errorf("%d of anna", n)
	}
	enough := errors.New("enough")
	if err := b.Clicks(ctx, ClickFilter{}, func(Click) error { return enough }); err != enough {
		t.Error(err)
	}
	if c, ok, err := b.ClickByID(ctx, "web1", 3); !ok || err != nil || c.Token != "ben" {
		t.Error(c, ok, err)
	}
	if _, ok, err := b.ClickByID(ctx, "web2", 3); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestClickCounts(t *testing.T) {
	ctx, b := context.Background(), clickBook(t)
	if _, err := b.AddClicks(ctx, someClicks(clickDay)); err != nil {
		t.Fatal(err)
	}
	f := func(filter ClickFilter, by string, zone *time.Location, want ...ClickCount) {
		t.Helper()
		got, err := b.ClickCounts(ctx, filter, by, zone)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("by %s: %v (%v), want %v", by, got, err, want)
		}
	}
	f(ClickFilter{}, ByPromoter, nil, ClickCount{"", 7, 2}, ClickCount{"anna", 3, 2}, ClickCount{"ben", 1, 1})
	f(ClickFilter{Outcome: "forward"}, ByLink, nil, ClickCount{"demo", 3, 2}, ClickCount{"trial", 1, 1})
	f(ClickFilter{}, ByVerdict, nil, ClickCount{"human", 5, 5}, ClickCount{"bot", 6, 0})
	f(ClickFilter{Token: "anna"}, ByOutcome, nil, ClickCount{"forward", 3, 2})
	f(ClickFilter{From: clickDay.Add(90 * time.Minute), To: clickDay.Add(150 * time.Minute)}, ByOutcome, nil,
		ClickCount{"forward", 2, 1}, ClickCount{"not_found", 2, 1})
	west := time.FixedZone("west", -7*3600)
	f(ClickFilter{}, ByDay, west, ClickCount{"2023-03-29", 10, 4}, ClickCount{"2023-03-30", 1, 1})
	if _, err := b.ClickCounts(ctx, ClickFilter{}, "colour", nil); err == nil {
		t.Error("counted by colour")
	}
}

func TestMissesMostWantedFirst(t *testing.T) {
	ctx, b := context.Background(), clickBook(t)
	if _, err := b.AddClicks(ctx, someClicks(clickDay)); err != nil {
		t.Fatal(err)
	}
	want := []Miss{
		{"go.carrot.test", "/go/gone/X", "not_found", 2, 3, clickDay.Add(2 * time.Hour), clickDay.Add(4 * time.Hour), "https://b.example"},
		{"go.carrot.test", "/wp-login.php", "not_found", 0, 2, clickDay.Add(4 * time.Hour), clickDay.Add(4 * time.Hour), ""},
		{"go.carrot.test", "/wp-login.php?aff=", "not_found", 0, 2, clickDay.Add(2 * time.Hour), clickDay.Add(3 * time.Hour), ""},
	}
	for limit, n := range map[int]int{0: 3, 1: 1, 9: 3} {
		if got, err := b.Misses(ctx, ClickFilter{}, limit); err != nil || fmt.Sprint(got) != fmt.Sprint(want[:n]) {
			t.Errorf("got  %v (%v)\nwant %v", got, err, want[:n])
		}
	}
}

func TestForgetClicksKeepsCounts(t *testing.T) {
	ctx, b := context.Background(), clickBook(t)
	if _, err := b.AddClicks(ctx, someClicks(clickDay)); err != nil {
		t.Fatal(err)
	}
	if n, err := b.ForgetClicks(ctx, clickDay.Add(4*time.Hour)); n != 6 || err != nil {
		t.Error(n, err)
	}
	left := 0
	if err := b.Clicks(ctx, ClickFilter{}, func(Click) error { left++; return nil }); err != nil || left != 5 {
		t.Error(left, err)
	}
	if counts, err := b.ClickCounts(ctx, ClickFilter{}, ByDay, nil); err != nil || counts[0].Total != 11 {
		t.Error(counts, err)
	}
}
