package terms

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// As the program's page tells it: earned in January, held through February, when customers
// may ask for their money back, paid between the 10th and the 15th of March.
func TestCalendarOfThePage(t *testing.T) {
	terms := DefaultConfig()
	if got := terms.LastEarningMonth(202303); got != 202301 {
		t.Errorf("paid in March: %s", got)
	}
	if got := terms.PayoutMonth(202301); got != 202303 {
		t.Errorf("earned in January: paid in %s", got)
	}
	for m, held := range map[Month]bool{202301: true, 202302: true, 202303: false} {
		if terms.OnHold(202301, m) != held {
			t.Errorf("in %s: held %v", m, !held)
		}
	}
	from, to := terms.PayoutWindow(202303, zoneOf(t, "America/Los_Angeles"))
	// Clocks go on between them.
	if from.UTC().Format(time.RFC3339) != "2023-03-10T08:00:00Z" || to.UTC().Format(time.RFC3339) != "2023-03-16T07:00:00Z" {
		t.Errorf("from %s to %s", from.UTC(), to.UTC())
	}
}

func TestOnHold(t *testing.T) {
	f := func(hold int, earned, on Month, want bool) {
		t.Helper()
		terms := DefaultConfig()
		terms.HoldMonths = hold
		if got := terms.OnHold(earned, on); got != want {
			t.Errorf("earned in %s, held for %d, in %s: %v", earned, hold, on, got)
		}
	}
	f(1, 202211, 202211, true)
	f(1, 202211, 202212, true)
	f(1, 202211, 202301, false)
	f(1, 202212, 202301, true)
	f(0, 202212, 202212, true)
	f(0, 202212, 202301, false)
	f(2, 202212, 202302, true)
	f(1, 202212, 202211, true) // not earned yet
}

func TestLastEarningMonth(t *testing.T) {
	f := func(hold int, payout, want Month) {
		t.Helper()
		terms := Config{HoldMonths: hold}
		if got := terms.LastEarningMonth(payout); got != want || terms.PayoutMonth(got) != payout {
			t.Errorf("paid in %s with a hold of %d: %s, want %s", payout, hold, got, want)
		}
	}
	f(1, 202301, 202211)
	f(1, 202302, 202212)
	f(1, 202402, 202312)
	f(0, 202301, 202212)
	f(3, 202303, 202211)
	f(24, 202303, 202102)
	rapid.Check(t, func(t *rapid.T) { // what is paid in a month is held in the month before, and not in it
		terms := Config{HoldMonths: rapid.IntRange(0, 24).Draw(t, "hold")}
		m := Month(rapid.IntRange(1990, 2090).Draw(t, "year")*100 + rapid.IntRange(1, 12).Draw(t, "month"))
		last := terms.LastEarningMonth(m)
		if terms.OnHold(last, m) || !terms.OnHold(last, m.Add(-1)) || !terms.OnHold(last.Add(1), m) {
			t.Fatalf("%s pays through %s with a hold of %d", m, last, terms.HoldMonths)
		}
	})
}

func TestPayoutWindow(t *testing.T) {
	f := func(zone string, first, last int, m Month, from, to string) {
		t.Helper()
		terms := Config{PayoutFirstDay: first, PayoutLastDay: last}
		gotFrom, gotTo := terms.PayoutWindow(m, zoneOf(t, zone))
		if a, b := gotFrom.UTC().Format("2006-01-02T15:04Z"), gotTo.UTC().Format("2006-01-02T15:04Z"); a != from || b != to {
			t.Errorf("%s, days %d to %d of %s: %s to %s, want %s to %s", zone, first, last, m, a, b, from, to)
		}
	}
	f("UTC", 10, 15, 202303, "2023-03-10T00:00Z", "2023-03-16T00:00Z")
	f("America/Los_Angeles", 10, 15, 202301, "2023-01-10T08:00Z", "2023-01-16T08:00Z")
	f("America/Los_Angeles", 10, 15, 202306, "2023-06-10T07:00Z", "2023-06-16T07:00Z")
	f("America/Los_Angeles", 10, 15, 202303, "2023-03-10T08:00Z", "2023-03-16T07:00Z") // summer time begins on the 12th
	f("America/Los_Angeles", 12, 12, 202303, "2023-03-12T08:00Z", "2023-03-13T07:00Z") // a day of 23 hours
	f("America/Los_Angeles", 5, 5, 202311, "2023-11-05T07:00Z", "2023-11-06T08:00Z")   // and one of 25
	f("Pacific/Auckland", 10, 15, 202303, "2023-03-09T11:00Z", "2023-03-15T11:00Z")
	f("Pacific/Auckland", 1, 2, 202304, "2023-03-31T11:00Z", "2023-04-02T12:00Z") // summer time ends there
	f("America/Santiago", 3, 3, 202309, "2023-09-03T04:00Z", "2023-09-04T03:00Z") // has no midnight

	// A day that a month does not have is its last.
	f("UTC", 28, 31, 202302, "2023-02-28T00:00Z", "2023-03-01T00:00Z")
	f("UTC", 31, 31, 202302, "2023-02-28T00:00Z", "2023-03-01T00:00Z")
	f("UTC", 30, 31, 202402, "2024-02-29T00:00Z", "2024-03-01T00:00Z") // a leap year
	f("UTC", 29, 29, 202402, "2024-02-29T00:00Z", "2024-03-01T00:00Z")
	f("UTC", 29, 29, 210002, "2100-02-28T00:00Z", "2100-03-01T00:00Z") // none
	f("UTC", 31, 31, 202304, "2023-04-30T00:00Z", "2023-05-01T00:00Z")
	f("UTC", 25, 31, 202312, "2023-12-25T00:00Z", "2024-01-01T00:00Z")
	f("Pacific/Auckland", 31, 31, 202402, "2024-02-28T11:00Z", "2024-02-29T11:00Z")
}

// Every instant of the days, in the zone, lies in the window, and no other does.
func TestPayoutWindowHoldsItsDays(t *testing.T) {
	zones := []*time.Location{zoneOf(t, "America/Los_Angeles"), zoneOf(t, "Pacific/Auckland"), zoneOf(t, "UTC"),
		zoneOf(t, "America/Santiago")}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		m := Month(rapid.IntRange(2000, 2060).Draw(t, "year")*100 + rapid.IntRange(1, 12).Draw(t, "month"))
		first := rapid.IntRange(1, 31).Draw(t, "first")
		terms := Config{PayoutFirstDay: first, PayoutLastDay: rapid.IntRange(first, 31).Draw(t, "last")}
		from, to := terms.PayoutWindow(m, zone)
		year, month := m.Date()
		minutes := rapid.IntRange(-3*24*60, 34*24*60).Draw(t, "minutes")
		at := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
		a, b := terms.PayoutDays(m)
		y, mo, day := at.In(zone).Date()
		want := y == year && mo == month && a <= day && day <= b
		if got := !at.Before(from) && at.Before(to); got != want {
			t.Fatalf("%s is in %s to %s: %v", at.In(zone), from, to, got)
		}
	})
}

func TestSplitPayable(t *testing.T) {
	f := func(about string, d Due, p Eligibility, want string) {
		t.Helper()
		payable, held := DefaultConfig().SplitPayable(d, p)
		got := ""
		if payable.Amount != 0 {
			got = fmt.Sprint("pays ", payable.Amount, " ")
		}
		for _, h := range held {
			got += fmt.Sprint("holds ", h.Amount, " ", h.Reasons, " ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
	all := Eligibility{W9OnFile: true, PayoutMethod: true}
	f("nothing due", Due{}, Eligibility{}, "")
	f("all handed in", Due{Amount: 2501}, all, "pays 2501 ")
	f("exactly the minimum", Due{Amount: 2500}, all, "pays 2500 ")
	f("a cent less", Due{Amount: 2499}, all, "holds 2499 [below_minimum] ")
	f("no W-9", Due{Amount: 2500}, Eligibility{PayoutMethod: true}, "holds 2500 [no_w9] ")
	f("no method", Due{Amount: 2500}, Eligibility{W9OnFile: true}, "holds 2500 [no_payout_method] ")
	f("nothing handed in, and little", Due{Amount: 100}, Eligibility{}, "holds 100 [below_minimum no_w9 no_payout_method] ")
	f("a debt", Due{Amount: -100}, Eligibility{}, "holds -100 [negative] ")
	f("blocked", Due{Amount: 9000}, Eligibility{W9OnFile: true, PayoutMethod: true, Blocked: true}, "holds 9000 [blocked] ")
	f("flagged in part", Due{Amount: 9000, Flagged: 500}, all, "pays 9000 holds 500 [flagged] ")
	f("the rest is too little", Due{Amount: 2000, Flagged: 1500}, all, "holds 1500 [flagged] holds 2000 [below_minimum] ")
	f("flagged and no W-9", Due{Amount: 9000, Flagged: 500}, Eligibility{PayoutMethod: true}, "holds 500 [flagged no_w9] holds 9000 [no_w9] ")
	f("another currency", Due{Amount: 9000}, Eligibility{W9OnFile: true, PayoutMethod: true, ForeignCurrency: true}, "holds 9000 [currency] ")
	f("a debt in another currency", Due{Amount: -90}, Eligibility{ForeignCurrency: true}, "holds -90 [currency negative] ")

	free := DefaultConfig()
	free.Requires, free.Minimum = nil, 0
	if payable, held := free.SplitPayable(Due{Amount: 1}, Eligibility{PayoutMethod: true}); payable.Amount != 1 || held != nil {
		t.Errorf("a program that asks for nothing: %v %v", payable, held)
	}
}
