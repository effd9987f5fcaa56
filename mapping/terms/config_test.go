package terms

import (
	"fmt"
	"testing"
)

func TestDefaultTerms(t *testing.T) {
	terms := DefaultConfig()
	got := fmt.Sprint(terms.MembershipPercent, terms.TrainingPercent, terms.HoldMonths, terms.PayoutFirstDay, terms.PayoutLastDay,
		terms.Minimum, terms.Requires)
	if got != "25% 50% 1 10 15 2500 [w9 payout_method]" {
		t.Error(got)
	}
}
