package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"carryover/mapping"
	"carryover/mapping/terms"
)

// planSettings is what of a configuration a plan depends on: not where things listen or are
// kept, which may differ between the machine that plans and the one that applies, nor what is
// tracked live and how payouts are made. Lists that are empty and lists that are not there
// mean the same.
type planSettings struct {
	Policy            mapping.Policy               `json:"policy"`
	Paths             []mapping.Path               `json:"paths,omitempty"`
	PartnerGrace      map[string]time.Time         `json:"partner_grace,omitempty"`
	LinkGrace         map[string]time.Time         `json:"link_grace,omitempty"`
	Timezone          string                       `json:"timezone"`
	Currency          string                       `json:"currency"`
	AsOf              string                       `json:"as_of"`
	Dates             string                       `json:"dates"`
	Numbers           string                       `json:"numbers"`
	Owner             string                       `json:"owner"`
	Exclude           []string                     `json:"exclude,omitempty"`
	Headers           map[string]map[string]string `json:"headers,omitempty"`
	TolerateRejects   *float64                     `json:"tolerate_rejects,omitempty"`
	Membership        []string                     `json:"membership,omitempty"` // products
	Training          []string                     `json:"training,omitempty"`
	MembershipPercent terms.Percent                `json:"membership_percent"` // orders are compared with them
	TrainingPercent   terms.Percent                `json:"training_percent"`
	HoldMonths        int                          `json:"hold_months"` // of the balances that are carried over
}

func (cfg *Config) planSettings() planSettings {
	return planSettings{
		Policy: cfg.Policy, Paths: cfg.Paths, PartnerGrace: cfg.Grace.Partners, LinkGrace: cfg.Grace.Links,
		Timezone: cfg.Zone.String(), Currency: cfg.Currency,
		AsOf: cfg.Import.AsOf, Dates: cfg.Import.Dates, Numbers: cfg.Import.Numbers, Owner: cfg.Import.Owner,
		Exclude: cfg.Import.Exclude, Headers: cfg.Import.Headers,
		TolerateRejects: cfg.Import.TolerateRejects,
		Membership:      cfg.Products.Membership, Training: cfg.Products.Training,
		MembershipPercent: cfg.Terms.MembershipPercent, TrainingPercent: cfg.Terms.TrainingPercent, HoldMonths: cfg.Terms.HoldMonths,
	}
}

// hash is equal for settings that make the same plan: SHA-256 of their JSON, in hex.
func (s planSettings) hash() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("BUG: settings of a plan are no plain data: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
