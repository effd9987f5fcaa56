package terms

// Config is what the program promises its promoters.
type Config struct {
	MembershipPercent Percent      // of every payment for a membership
	TrainingPercent   Percent      // of every payment for a training
	HoldMonths        int          // months after the one of earning in which refunds still cancel
	PayoutFirstDay    int          // day of the month on which payouts begin
	PayoutLastDay     int          // and end
	Minimum           int64        // minor units; less is not paid out yet
	Requires          []string     // Require constants
	RateChanges       []RateChange // of the two percentages, from dates on
	TrainingOnce      bool         // only a customer's first sale of a training earns, here or at Keap
}

// Values of [Config.Requires]: what a promoter must have handed in to be paid.
const (
	RequireW9           = "w9"
	RequirePayoutMethod = "payout_method"
)

// DefaultConfig is for a program that says nothing else: 25% of memberships and 50% of trainings,
// held through the month after the one of earning, paid from the 10th to the 15th once 25.00
// has come together and the promoter has handed in a W-9 and a payout method.
func DefaultConfig() Config {
	return Config{
		MembershipPercent: 25 * percentUnit,
		TrainingPercent:   50 * percentUnit,
		HoldMonths:        1,
		PayoutFirstDay:    10,
		PayoutLastDay:     15,
		Minimum:           2500,
		Requires:          []string{RequireW9, RequirePayoutMethod},
	}
}
