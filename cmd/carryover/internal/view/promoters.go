package view

import (
	"cmp"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/payout"
)

// Promoters is the promoters; held is when their holds are looked at.
func Promoters(cfg *config.Config, held string) *console.Table[payout.PromoterAccount] {
	return &console.Table[payout.PromoterAccount]{
		Titles: []string{"ref token", "status", "e-mail", "balance", held, "Keap ids", "codes", "parent"},
		Cells: func(p *payout.PromoterAccount) []string {
			email := p.Email
			if p.NeedsEmail {
				email = "(needs one)"
			}
			balance := cfg.Amount(p.Balance, p.Currency)
			for _, o := range p.Others {
				balance += " + " + cfg.Amount(o.Balance, o.Currency)
			}
			return []string{
				p.RefToken, p.Status, email, balance, cfg.Amount(p.Held, p.Currency), JoinIDs(p.KeapIDs), strings.Join(p.Codes, " "), p.ParentRefToken,
			}
		},
		Below: []string{"Keap ids", "codes", "parent"},
		Alert: func(p *payout.PromoterAccount, title string) bool { return title == "e-mail" && p.NeedsEmail },
	}
}

// RecordedSettings is what was recorded of a promoter.
func RecordedSettings() *console.Table[payout.RecordedSetting] {
	return &console.Table[payout.RecordedSetting]{
		Titles: []string{"recorded", "value", "from", "at", "by"},
		Cells: func(r *payout.RecordedSetting) []string {
			return []string{r.Field, cmp.Or(r.Value, "(taken back)"), strings.SplitN(r.From, "T", 2)[0], r.RecordedAt, r.RecordedBy}
		},
	}
}
