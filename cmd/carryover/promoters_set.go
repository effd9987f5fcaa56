package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/store"
	"carryover/mapping/terms"
	"carryover/migrate"
)

type promotersSetCmd struct {
	Promoter string   `arg:"" help:"A ref token, a code or a Keap id."`
	Fields   []string `arg:"" name:"field=value" help:"What to record, such as w9=yes; an empty value takes a field back."`
	From     string   `placeholder:"DAY" help:"Since when it holds, such as 2023-03-01; now when left out."`
	By       string   `placeholder:"NAME" help:"Who records it; the user when left out."`
}

func (promotersSetCmd) Help() string {
	return `Records something of a promoter, with the day and who did it; what was recorded before stays to be seen with "promoters show".

  status              active, inactive, or blocked: before what Keap said. A blocked promoter earns nothing and is not paid
  w9                  yes when the form is on file (W-9, or W-8BEN of payees abroad), no when it is not
  payout_method       paypal, check, wire or other
  payout_address      where that pays to; for paypal an e-mail (left out: the promoter's own)
  legal_name          on checks and tax forms
  country             two letters, such as US
  coupon              a code that credits this promoter
  grace               the last day on which its old links are honoured, such as 2023-06-30
  membership_percent  of sales from --from on, such as 30
  training_percent    likewise

Nothing that was recorded is changed; status and grace have the link map published again. There is no field for tax ids, and none is kept.

Example: carryover promoters set coachdesk w9=yes payout_method=paypal payout_address=kim@mail.test`
}

func (c *promotersSetCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	list, err := c.settings(cfg.Zone, time.Now())
	if err != nil {
		return err
	}
	publishes := slices.ContainsFunc(list, func(d book.Setting) bool { return d.IsPublished() })
	return a.inBook(cfg, func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(dir, c.Promoter)
		if err != nil {
			return err
		}
		if err := payout.CheckSettings(promoter, list); err != nil {
			return err
		}
		var s store.Store
		if publishes {
			if s, err = a.openStore(cfg, b); err != nil {
				return err
			}
			defer s.Close()
			if err := s.Ping(a.ctx); err != nil { // before the book is changed, not after
				return err
			}
		}
		for i := range list {
			list[i].PromoterID = promoter.ID
		}
		if err := b.RecordSettings(a.ctx, list); err != nil {
			if errors.Is(err, book.ErrCouponTaken) {
				return fmt.Errorf("%w: nothing was recorded; \"carryover promoters show\" of the other takes it back with coupon=", err)
			}
			return fmt.Errorf("recording: %w; nothing was recorded", err)
		}
		told := map[string]any{"ref_token": promoter.Token, "fields": fieldsOf(list), "recorded_by": list[0].RecordedBy}
		if !a.JSON {
			for _, d := range list {
				fmt.Fprintf(a.Out, "%s: %s = %s, recorded by %s\n", promoter.Token, d.Field, cmp.Or(d.Value, "(taken back)"), d.RecordedBy)
			}
		}
		if publishes {
			epoch, changed, err := migrate.Republish(a.ctx, cfg.Settings(), b, s, a.Progress())
			if err != nil {
				return fmt.Errorf("it is recorded, but the link map was not published: %w; run \"carryover map publish\"", err)
			}
			told["epoch"], told["published"] = epoch, changed
			if !a.JSON {
				return a.tellEpoch(epoch, map[bool]string{true: "is live now", false: "is live already: it says the same"}[changed])
			}
		}
		if a.JSON {
			return a.Object(told)
		}
		return nil
	})
}

func fieldsOf(list []book.Setting) map[string]string {
	fields := map[string]string{}
	for _, d := range list {
		fields[d.Field] = d.Value
	}
	return fields
}

// settings are the rows to record.
func (c *promotersSetCmd) settings(zone *time.Location, now time.Time) ([]book.Setting, error) {
	from := now
	if c.From != "" {
		d, err := time.Parse(time.DateOnly, c.From)
		if err != nil || d.Year() < 1900 {
			return nil, console.UsageError("--from: %q is no day: write it like 2023-03-01", c.From)
		}
		from = terms.DayStart(d.Year(), d.Month(), d.Day(), zone)
	}
	list, err := book.ParseSettings(c.Fields)
	if err != nil {
		return nil, err
	}
	for i := range list {
		s := &list[i]
		if from.After(now) && !s.IsDated() {
			return nil, console.UsageError("%s holds at once: it cannot begin on %s", s.Field, c.From)
		}
		s.From, s.RecordedAt, s.RecordedBy = from.Unix(), now.Unix(), console.User(c.By)
	}
	return list, nil
}

// findPromoter is the promoter whom a person means.
func (a *app) findPromoter(dir *book.Directory, who string) (*book.DirectoryPromoter, error) {
	found, err := a.findOwner(dir, who)
	if err != nil {
		return nil, err
	}
	if found.Promoter != nil {
		return found.Promoter, nil
	}
	return nil, fmt.Errorf("%q is one of the program's own partners, who is no promoter", who)
}

// findOwner is whom a person means. Whom the word means besides is told.
func (a *app) findOwner(dir *book.Directory, who string) (book.Match, error) {
	found, err := dir.Find(who)
	if found.Also != "" {
		a.Note("%s", found.Also)
	}
	return found, err
}
