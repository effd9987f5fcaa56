package terms

import (
	"cmp"
	"time"
)

// KeapReferral is a row of Keap's referrals, as far as it competes for its contact with the
// others of its customer.
type KeapReferral struct {
	ID        int64
	SetAt     int64  // Unix seconds
	ExpiresOn string // its last day, as 2023-03-31; empty: never
	Type      string // PERMANENT, MANUAL or COOKIE
}

// Rules by which one of several of Keap's referrals wins.
const (
	OwnerLatest = "latest" // the latest DateSet; Keap's default
	OwnerFirst  = "first"  // the earliest
)

// Why one of Keap's referrals won, or why none did.
const (
	RuleOnly         = "only"         // the one row that was left
	RuleLatest       = "latest"       // the latest DateSet, to the minute
	RuleFirst        = "first"        // the earliest
	RuleType         = "type"         // at one minute: permanent before manual before cookie
	RuleID           = "id"           // at one minute and of one type: the higher id
	RuleSubscription = "subscription" // a person decided for the partner of a running subscription
	RuleHouse        = "house"        // nobody: the row that won is the program's own
	RuleExpired      = "expired"      // nobody: every row has expired
	RuleLater        = "later"        // nobody yet: every row that has not expired was set after as_of
)

// What became of a referral that competed for a customer. One that lost on its type or id
// has the value of that Rule constant.
const (
	ReferralWon     = "won"
	ReferralExpired = "expired" // before as_of
	ReferralLater   = "later"   // set after as_of
	ReferralLost    = "date"    // an earlier DateSet than the winner's; under "first" a later one
)

// KeapAttribution is how the referrals of one customer came out.
type KeapAttribution struct {
	Winner   int      // index of the row that won; -1: none was left
	Rule     string   // why it won, or why none did: a Rule constant
	Verdicts []string // of each row: a Referral constant, RuleType or RuleID
}

// AttributeKeap chooses the row that a customer belongs by. Rows that expired before the day
// asOf fall away, rows set after it wait. Of the others the latest DateSet wins, to the
// minute (under [OwnerFirst] the earliest); then permanent before manual before cookie;
// then the higher id. asOf is a day such as 2023-03-31 in zone.
func AttributeKeap(rows []KeapReferral, asOf, owner string, zone *time.Location) KeapAttribution {
	c := KeapAttribution{Winner: -1, Rule: RuleExpired, Verdicts: make([]string, len(rows))}
	left := 0
	end := dayEnd(asOf, zone)
	for i := range rows {
		r := &rows[i]
		switch {
		case r.ExpiresOn != "" && r.ExpiresOn < asOf:
			c.Verdicts[i] = ReferralExpired
		case r.SetAt >= end:
			c.Verdicts[i], c.Rule = ReferralLater, RuleLater
		default:
			left++
			if c.Winner < 0 || beats(r, &rows[c.Winner], owner) > 0 {
				c.Winner = i
			}
		}
	}
	if c.Winner < 0 {
		return c
	}
	// The rule that won is the last one that was needed against any other row.
	needed := lostOnDate
	for i := range rows {
		if c.Verdicts[i] != "" || i == c.Winner {
			continue
		}
		by := lostBy(&rows[c.Winner], &rows[i])
		needed = max(needed, by)
		c.Verdicts[i] = [...]string{lostOnDate: ReferralLost, lostOnType: RuleType, lostOnID: RuleID}[by]
	}
	c.Verdicts[c.Winner] = ReferralWon
	switch {
	case left == 1:
		c.Rule = RuleOnly
	case needed == lostOnType:
		c.Rule = RuleType
	case needed == lostOnID:
		c.Rule = RuleID
	case owner == OwnerFirst:
		c.Rule = RuleFirst
	default:
		c.Rule = RuleLatest
	}
	return c
}

// dayEnd is the first second after a day.
func dayEnd(day string, zone *time.Location) int64 {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic("BUG: not a day: " + day) // it was checked when it was read
	}
	return DayStart(d.Year(), d.Month(), d.Day()+1, zone).Unix()
}

func minute(at int64) int64 { return at - ((at%60)+60)%60 }

var typeRank = map[string]int{"PERMANENT": 2, "MANUAL": 1}

// beats is above 0 when a wins over b.
func beats(a, b *KeapReferral, owner string) int {
	date := cmp.Compare(minute(a.SetAt), minute(b.SetAt))
	if owner == OwnerFirst {
		date = -date
	}
	return cmp.Or(date, cmp.Compare(typeRank[a.Type], typeRank[b.Type]), cmp.Compare(a.ID, b.ID))
}

const (
	lostOnDate = iota
	lostOnType
	lostOnID
)

func lostBy(winner, loser *KeapReferral) int {
	switch {
	case minute(winner.SetAt) != minute(loser.SetAt):
		return lostOnDate
	case typeRank[winner.Type] != typeRank[loser.Type]:
		return lostOnType
	}
	return lostOnID
}
