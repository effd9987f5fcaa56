package config

import (
	"os"
	"slices"

	"carryover/gateway"
	"carryover/gateway/track"
)

// TrackingOptions are what the tracking API is served with; its keys come from the environment.
func (c *Config) TrackingOptions() (gateway.Tracking, error) {
	keys, err := track.ParseKeys(os.Getenv(track.KeysVariable))
	return gateway.Tracking{
		Keys:     keys,
		Accounts: slices.DeleteFunc([]string{c.Program, c.FirstPromoter.AccountID}, func(id string) bool { return id == "" }),
		Campaign: c.FirstPromoter.Campaign, PerMinute: c.Tracking.PerMinute, Remember: c.Tracking.Remember,
		Terms: c.Terms, Products: c.Products, Currency: c.Currency, Rates: c.Tracking.Rates,
		CreditPolicy: c.CreditPolicy,
	}, err
}
