package main

import (
	"os"

	"carryover/gateway"
	"carryover/gateway/track"
)

// forwarding is how a gateway brings events to FirstPromoter; nil when it does not.
func (p *program) forwarding(o *gateway.Options) *track.ForwardOptions {
	switch {
	case !p.FirstPromoter.Forward:
		return nil
	case o.Book == nil:
		o.Logger.Warn("events do not go to FirstPromoter from here: this gateway has no book")
		return nil
	case o.Rehearsal:
		o.Logger.Warn("rehearsal: events do not go to FirstPromoter")
		return nil
	}
	// What is left of FirstPromoter's 400 requests a minute is for "carryover parity".
	const perMinute = 320
	return &track.ForwardOptions{
		Book: o.Book, BaseURL: p.FirstPromoter.BaseURL, AccountID: p.FirstPromoter.AccountID, Key: os.Getenv(track.ForwardKeyVariable),
		PerMinute: perMinute, Logger: o.Logger, Now: o.Now,
	}
}

// checkForwarding reads [firstpromoter] as far as forwarding needs it.
func (p *program) checkForwarding(c *configCheck) {
	if p.FirstPromoter.Forward && p.FirstPromoter.AccountID == "" {
		c.wrong("firstpromoter.account_id", nil, "the account's id, as forward = true needs it: FirstPromoter shows it in its settings, under integrations")
	}
}
