package retry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseAfter(t *testing.T) {
	now := time.Date(2023, 3, 31, 12, 0, 0, 0, time.UTC)
	f := func(value string, want time.Duration) {
		t.Helper()
		if got := ParseAfter(value, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	f("", 0)
	f("0", 0)
	f("30", 30*time.Second)
	f("86400", 24*time.Hour)
	f("2147483647", 2147483647*time.Second)
	f("99999999999", 0)
	f("-5", 0)
	f("1.5", 0)
	f("soon", 0)
	f("Fri, 31 Mar 2023 12:01:00 GMT", time.Minute)
	f("Fri, 31 Mar 2023 11:00:00 GMT", 0)
	f("Sat, 01 Apr 2023 12:00:00 GMT", 24*time.Hour)
	f("Friday, 31-Mar-23 12:01:00 GMT", time.Minute)
	f("Fri Mar 31 12:01:00 2023", time.Minute)
	f("Fri, 31 Mar 2023 12:01:00 PDT", 0)
	f("2023-03-31T12:01:00Z", 0)
}

// A date is read as net/http reads it, and comes to the same wait as the seconds until then.
func TestDatesAndSecondsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "now"), 0).UTC()
		n := rapid.IntRange(0, 1e6).Draw(t, "seconds")
		date := now.Add(time.Duration(n) * time.Second).Format(http.TimeFormat)
		if at, err := http.ParseTime(date); err != nil || ParseAfter(date, now) != at.Sub(now) {
			t.Fatalf("%s at %s: %s, net/http %s, %v", date, now, ParseAfter(date, now), at, err)
		}
		if got, want := ParseAfter(date, now), ParseAfter(fmt.Sprint(n), now); got != want {
			t.Fatalf("%s: %s, %d s: %s", date, got, n, want)
		}
	})
}

func TestDelay(t *testing.T) {
	b := Backoff{First: time.Second, Max: time.Minute}
	longest := func(n int64) int64 { return n - 1 }
	shortest := func(int64) int64 { return 0 }
	f := func(failures int64, after time.Duration, random func(int64) int64, want time.Duration) {
		t.Helper()
		if got := b.Delay(failures, after, random); got != want {
			t.Errorf("%d failures, after %s: %s, want %s", failures, after, got, want)
		}
	}
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		f(int64(n), 0, longest, want*time.Second)
	}
	f(1<<40, 0, longest, time.Minute)
	f(-1, 0, longest, time.Second)
	f(0, 0, shortest, 1)
	f(0, 10*time.Second, shortest, 10*time.Second)
	f(5, 10*time.Second, longest, 32*time.Second)
	f(0, time.Hour, shortest, time.Minute)
	f(0, -time.Hour, shortest, 1)
}

// Whatever the numbers: a delay is more than nothing, at most Max, at least what the server asks
// for (within Max), and without that at most the double of First for each failure.
func TestDelayStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{First: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "first"))}
		b.Max = b.First + time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "more"))
		failures := rapid.Int64Range(0, 1<<40).Draw(t, "failures")
		after := time.Duration(rapid.Int64Range(0, int64(2000*time.Hour)).Draw(t, "after"))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Int64N
		got := b.Delay(failures, after, random)
		if got <= 0 || got > b.Max || got < min(after, b.Max) {
			t.Fatalf("%+v, %d failures, after %s: %s", b, failures, after, got)
		}
		longest := b.First // by doubling, step by step
		for n := int64(0); n < failures && longest < b.Max; n++ {
			longest = min(2*longest, b.Max)
		}
		if got := b.Delay(failures, 0, random); got > longest {
			t.Fatalf("%+v, %d failures: %s, more than %s", b, failures, got, longest)
		}
	})
}

func TestTransient(t *testing.T) {
	for status := range 600 {
		want := status == 408 || status == 425 || status == 429 || status >= 500
		if IsTransientStatus(status) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
	cause := errors.New("busy")
	err := fmt.Errorf("reading: %w", &TransientError{Err: cause, After: time.Second})
	again, ok := errors.AsType[*TransientError](err)
	if !ok || again.After != time.Second || !errors.Is(err, cause) || err.Error() != "reading: busy" {
		t.Errorf("%v", err)
	}
}
