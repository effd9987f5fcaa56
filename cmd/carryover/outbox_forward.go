package main

import (
	"os"

	"carryover/cmd/carryover/internal/config"
	"carryover/gateway"
	"carryover/gateway/track"
)

// forwarding is how a gateway brings events to FirstPromoter; nil when it does not.
func forwarding(cfg *config.Config, o *gateway.Options) *track.ForwardOptions {
	switch {
	case !cfg.FirstPromoter.Forward:
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
		Book: o.Book, BaseURL: cfg.FirstPromoter.BaseURL, AccountID: cfg.FirstPromoter.AccountID, Key: os.Getenv(track.ForwardKeyVariable),
		PerMinute: perMinute, Logger: o.Logger, Now: o.Now,
	}
}
