package terms

// RateChange is a percentage that a kind of product earns from an instant on.
type RateChange struct {
	From    int64       // Unix seconds
	Kind    ProductKind // Membership or Training
	Percent Percent
}

// CommissionPercent is the share that a product of a kind earns at an instant (Unix seconds):
// the newest of the promoter's own changes that holds by then, else the newest of the
// program's, else what the program began with. Changes may come in any order; of two of
// one instant the later in the list holds.
func (t Config) CommissionPercent(kind ProductKind, at int64, own []RateChange) Percent {
	percent := map[ProductKind]Percent{Membership: t.MembershipPercent, Training: t.TrainingPercent}[kind]
	for _, list := range [][]RateChange{t.RateChanges, own} {
		from, found := int64(0), false
		for _, c := range list {
			if c.Kind == kind && c.From <= at && (!found || c.From >= from) {
				percent, from, found = c.Percent, c.From, true
			}
		}
	}
	return percent
}
