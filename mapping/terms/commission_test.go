package terms

import "testing"

func TestCommissionPercent(t *testing.T) {
	terms := DefaultConfig()
	terms.RateChanges = []RateChange{{200, Membership, 200_000}, {100, Membership, 300_000}, {100, Training, 400_000}}
	own := []RateChange{{150, Membership, 350_000}}
	f := func(kind ProductKind, at int64, own []RateChange, want string) {
		t.Helper()
		if got := terms.CommissionPercent(kind, at, own); got.String() != want {
			t.Errorf("%s at %d: %s, want %s", kind, at, got, want)
		}
	}
	f(Membership, 99, nil, "25%")
	f(Membership, 100, nil, "30%")
	f(Membership, 200, nil, "20%")
	f(Membership, 149, own, "30%")
	f(Membership, 150, own, "35%")
	f(Membership, 999, own, "35%")
	f(Training, 99, own, "50%")
	f(Training, 100, own, "40%")
	f(UnknownProduct, 999, own, "0%")
}
