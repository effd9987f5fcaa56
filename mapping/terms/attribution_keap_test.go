package terms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAttributeKeap(t *testing.T) {
	zone := zoneOf(t, "America/Los_Angeles")
	at := func(text string) int64 {
		for _, layout := range []string{time.DateTime, time.DateOnly} {
			if when, err := time.ParseInLocation(layout, text, zone); err == nil {
				return when.Unix()
			}
		}
		t.Fatalf("not a time: %q", text)
		return 0
	}
	// A row is written as "id set type [expires]"; the set time with a T.
	f := func(owner string, winner int64, rule string, verdicts string, lines ...string) {
		t.Helper()
		rows := make([]KeapReferral, len(lines))
		for i, line := range lines {
			var set string
			r := &rows[i]
			fmt.Sscan(line, &r.ID, &set, &r.Type, &r.ExpiresOn)
			r.SetAt = at(strings.ReplaceAll(set, "T", " "))
		}
		c := AttributeKeap(rows, "2023-03-31", owner, zone)
		won := int64(0)
		if c.Winner >= 0 {
			won = rows[c.Winner].ID
		}
		if got := strings.Join(c.Verdicts, " "); won != winner || c.Rule != rule || got != verdicts {
			t.Errorf("%s of %q: %d wins by %q, %q; want %d by %q, %q", owner, lines, won, c.Rule, got, winner, rule, verdicts)
		}
	}
	const latest, first = OwnerLatest, OwnerFirst
	f(latest, 0, RuleExpired, "")
	f(latest, 1, RuleOnly, "won", "1 2022-01-05 COOKIE")
	f(latest, 1, RuleOnly, "won expired later", "1 2022-01-05 COOKIE", "2 2022-02-05 PERMANENT 2023-03-30", "3 2023-04-01 PERMANENT")

	// The date, to the minute.
	f(latest, 2, RuleLatest, "date won", "1 2022-01-05T09:00:00 PERMANENT", "2 2022-01-05T09:01:00 COOKIE")
	f(first, 1, RuleFirst, "won date", "1 2022-01-05T09:00:00 COOKIE", "2 2022-01-05T09:01:00 PERMANENT")
	f(latest, 1, RuleType, "won type", "1 2022-01-05T09:00:00 MANUAL", "2 2022-01-05T09:00:59 COOKIE")
	f(first, 2, RuleType, "type won", "1 2022-01-05T09:00:00 COOKIE", "2 2022-01-05T09:00:59 MANUAL")
	f(latest, 2, RuleLatest, "date won", "1 2022-01-05T09:00:59 PERMANENT", "2 2022-01-05T09:01:00 COOKIE")
	f(latest, 2, RuleLatest, "date won", "1 1969-12-31T15:58:59 PERMANENT", "2 1969-12-31T15:59:00 COOKIE")
	f(latest, 1, RuleType, "won type", "1 1969-12-31T15:59:00 PERMANENT", "2 1969-12-31T15:59:59 COOKIE")

	// The type, then the id.
	f(latest, 3, RuleType, "type type won", "1 2022-01-05 COOKIE", "2 2022-01-05 MANUAL", "3 2022-01-05 PERMANENT")
	f(first, 1, RuleType, "won type type", "1 2022-01-05 PERMANENT", "2 2022-01-05 MANUAL", "3 2022-01-05 COOKIE")
	f(latest, 9, RuleID, "id won", "8 2022-01-05 MANUAL", "9 2022-01-05 MANUAL")
	f(first, 9, RuleID, "won id", "9 2022-01-05 COOKIE", "8 2022-01-05 COOKIE")
	f(latest, 10, RuleID, "id won", "9 2022-01-05 COOKIE", "10 2022-01-05 COOKIE") // as numbers
	f(latest, 4, RuleID, "id type date won", "3 2022-01-05 MANUAL", "5 2022-01-05 COOKIE", "6 2021-01-05 PERMANENT", "4 2022-01-05 MANUAL")

	// A row may expire on as_of itself, and be set in its last second.
	f(latest, 2, RuleLatest, "date won", "1 2022-01-05 COOKIE", "2 2022-02-05 COOKIE 2023-03-31")
	f(latest, 1, RuleOnly, "won expired", "1 2022-01-05 COOKIE", "2 2022-02-05 COOKIE 2023-03-30")
	f(latest, 2, RuleLatest, "date won", "1 2022-01-05 COOKIE", "2 2023-03-31T23:59:59 COOKIE")
	f(latest, 1, RuleOnly, "won later", "1 2022-01-05 COOKIE", "2 2023-04-01T00:00:00 COOKIE")

	// Nobody.
	f(latest, 0, RuleExpired, "expired expired", "1 2022-01-05 COOKIE 2022-02-05", "2 2022-01-06 PERMANENT 2023-03-30")
	f(latest, 0, RuleLater, "later", "1 2023-04-01 PERMANENT")
	f(first, 0, RuleLater, "expired later", "1 2022-01-05 COOKIE 2022-02-05", "2 2023-04-01 PERMANENT")
	f(latest, 0, RuleLater, "later expired", "1 2023-04-01 PERMANENT", "2 2022-01-05 COOKIE 2022-02-05")
	f(latest, 0, RuleExpired, "expired", "1 2023-04-01 PERMANENT 2022-01-05")
}

// The winner is the row that no other beats, in any order, and every row says what became
// of it.
func TestAttributeKeapProperty(t *testing.T) {
	zones := []*time.Location{time.UTC, zoneOf(t, "America/Los_Angeles"), zoneOf(t, "Asia/Kolkata"), zoneOf(t, "America/Havana")}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		owner := rapid.SampledFrom([]string{OwnerLatest, OwnerFirst}).Draw(t, "owner")
		asOf := rapid.SampledFrom([]string{"2023-03-11", "2023-03-12", "2023-11-05"}).Draw(t, "as of") // clocks change
		start, err := time.ParseInLocation("2006-01-02 15:04", asOf+" 12:00", zone)
		if err != nil {
			t.Fatal(err)
		}
		ids := rapid.SliceOfNDistinct(rapid.Int64Range(-3, 9), 0, 6, rapid.ID).Draw(t, "ids")
		rows := make([]KeapReferral, len(ids))
		for i, id := range ids {
			rows[i] = KeapReferral{
				ID: id, SetAt: start.Unix() + 3600*rapid.Int64Range(-14, 14).Draw(t, "hour") + 30*rapid.Int64Range(-2, 2).Draw(t, "half minute"),
				ExpiresOn: rapid.SampledFrom([]string{"", "", "2023-03-11", "2023-03-12", "2023-11-04", "2023-11-05"}).Draw(t, "expires"),
				Type:      rapid.SampledFrom([]string{"COOKIE", "MANUAL", "PERMANENT"}).Draw(t, "type"),
			}
		}
		c := AttributeKeap(rows, asOf, owner, zone)
		won, rule := winner(rows, asOf, owner, zone)
		if c.Winner != won || c.Rule != rule {
			t.Fatalf("row %d wins by %q, want %d by %q", c.Winner, c.Rule, won, rule)
		}
		for i := range rows {
			want := ReferralWon
			if i != won {
				// Against the winner alone, the row shows by what it loses.
				pair := []KeapReferral{rows[i]}
				if won >= 0 {
					pair = append(pair, rows[won])
				}
				switch alone, _ := winner(pair[:1], asOf, owner, zone); {
				case alone == 0:
					_, want = winner(pair, asOf, owner, zone)
					if want == RuleLatest || want == RuleFirst {
						want = ReferralLost
					}
				default:
					_, want = winner(pair[:1], asOf, owner, zone)
				}
			}
			if c.Verdicts[i] != want {
				t.Errorf("row %d: %q, want %q", i, c.Verdicts[i], want)
			}
		}
	})
}

// winner chooses the row that a customer belongs by the slow way: the index of the one
// that comes first when all are sorted (-1: none is left) and the rule that decided.
func winner(rows []KeapReferral, asOf, owner string, zone *time.Location) (won int, rule string) {
	day := func(r KeapReferral) string { return time.Unix(r.SetAt, 0).In(zone).Format(time.DateOnly) }
	minute := func(r KeapReferral) string { return time.Unix(r.SetAt, 0).UTC().Format("2006-01-02 15:04") }
	rank := func(r KeapReferral) int { return slices.Index([]string{"MANUAL", "PERMANENT"}, r.Type) }
	var left []int
	rule = RuleExpired
	for i, r := range rows {
		switch {
		case r.ExpiresOn != "" && r.ExpiresOn < asOf:
		case day(r) > asOf:
			rule = RuleLater
		default:
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return -1, rule
	}
	slices.SortFunc(left, func(i, j int) int {
		a, b := rows[i], rows[j]
		byDate := cmp.Compare(minute(b), minute(a))
		if owner == OwnerFirst {
			byDate = -byDate
		}
		return cmp.Or(byDate, cmp.Compare(rank(b), rank(a)), cmp.Compare(b.ID, a.ID))
	})
	// What decided is what the winner and the second have not in common.
	if len(left) == 1 {
		return left[0], RuleOnly
	}
	switch a, b := rows[left[0]], rows[left[1]]; {
	case minute(a) == minute(b) && rank(a) == rank(b):
		return left[0], RuleID
	case minute(a) == minute(b):
		return left[0], RuleType
	case owner == OwnerFirst:
		return left[0], RuleFirst
	}
	return left[0], RuleLatest
}
