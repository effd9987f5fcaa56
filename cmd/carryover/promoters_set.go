package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
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

// Values of [book.SettingW9].
const (
	detailYes = "yes"
	detailNo  = "no"
)

func (c *promotersSetCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	list, err := c.details(cfg, time.Now())
	if err != nil {
		return err
	}
	publishes := slices.ContainsFunc(list, func(d book.Setting) bool { return d.Field == book.SettingStatus || d.Field == book.SettingGrace })
	return a.inBook(cfg, func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(dir, c.Promoter)
		if err != nil {
			return err
		}
		if err := fits(promoter, list); err != nil {
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
			planID := ""
			if run, err := b.LastImport(a.ctx); err == nil {
				planID = run.PlanID
			}
			epoch, changed, err := migrate.Publish(a.ctx, cfg.Settings(), b, s, planID, a.Progress())
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

// details are the rows to record. All that is wrong with the command line is told.
func (c *promotersSetCmd) details(cfg *config.Config, now time.Time) ([]book.Setting, error) {
	from := now
	if c.From != "" {
		d, err := time.Parse(time.DateOnly, c.From)
		if err != nil || d.Year() < 1900 {
			return nil, console.UsageError("--from: %q is no day: write it like 2023-03-01", c.From)
		}
		from = terms.DayStart(d.Year(), d.Month(), d.Day(), cfg.Zone)
	}
	var list []book.Setting
	seen := map[string]bool{}
	for _, text := range c.Fields {
		field, value, ok := strings.Cut(text, "=")
		field, value = strings.ToLower(strings.TrimSpace(field)), strings.TrimSpace(value)
		check, known := detailChecks[field]
		switch {
		case !ok:
			return nil, console.UsageError("%q: write a field and its value, such as w9=yes", text)
		case !known:
			return nil, console.UsageError("%q is no field: there are %s", field, strings.Join(book.SettingFields(), ", "))
		case seen[field]:
			return nil, console.UsageError("%s is there twice", field)
		}
		seen[field] = true
		if value != "" {
			if value, ok = check.value(value); !ok {
				return nil, console.UsageError("%s=%q: it must be %s", field, strings.TrimSpace(text[strings.IndexByte(text, '=')+1:]), check.want)
			}
		}
		if from.After(now) && !check.dated {
			return nil, console.UsageError("%s holds at once: it cannot begin on %s", field, c.From)
		}
		list = append(list, book.Setting{Field: field, Value: value, From: from.Unix(), RecordedAt: now.Unix(), RecordedBy: by(c.By)})
	}
	return list, nil
}

// detailCheck is what a field of a promoter may hold.
type detailCheck struct {
	want  string
	value func(text string) (string, bool) // the value as it is kept
	dated bool                             // it holds from a day on, also one to come
}

var detailChecks = map[string]detailCheck{
	book.SettingStatus:            choice(string(terms.Active), string(terms.Inactive), string(terms.Blocked)),
	book.SettingW9:                choice(detailYes, detailNo),
	book.SettingPayoutMethod:      choice(payout.MethodPayPal, payout.MethodCheck, payout.MethodWire, payout.MethodOther),
	book.SettingPayoutAddress:     oneLine("an address of up to 300 characters, on one line", 300),
	book.SettingLegalName:         oneLine("a name of up to 200 characters, on one line", 200),
	book.SettingCountry:           {"a country of two letters, such as US", twoLetters, false},
	book.SettingCoupon:            {"a code of up to 64 characters without blanks", coupon, false},
	book.SettingGrace:             {"a day such as 2023-06-30", graceDay, false},
	book.SettingMembershipPercent: {"a number from 0 to 100 with up to four decimals, such as 30", percentText, true},
	book.SettingTrainingPercent:   {"a number from 0 to 100 with up to four decimals, such as 30", percentText, true},
}

func choice(options ...string) detailCheck {
	return detailCheck{"one of " + strings.Join(options, ", "), func(s string) (string, bool) {
		s = strings.ToLower(s)
		return s, slices.Contains(options, s)
	}, false}
}

func oneLine(want string, most int) detailCheck {
	return detailCheck{want, func(s string) (string, bool) {
		return s, len([]rune(s)) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}, false}
}

func twoLetters(s string) (string, bool) {
	s = strings.ToUpper(s)
	return s, len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func coupon(s string) (string, bool) {
	return s, len([]rune(s)) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func graceDay(s string) (string, bool) {
	d, err := time.Parse(time.DateOnly, s)
	return s, err == nil && d.Year() >= 2000 && d.Year() < 3000
}

func percentText(s string) (string, bool) {
	_, err := terms.ParsePercent(s)
	return strings.TrimSpace(strings.TrimSuffix(s, "%")), err == nil
}

// fits checks what depends on what is recorded already: PayPal pays to an e-mail.
func fits(promoter *book.DirectoryPromoter, list []book.Setting) error {
	now := map[string]string{}
	for _, field := range []string{book.SettingPayoutMethod, book.SettingPayoutAddress} {
		now[field] = promoter.Setting(field)
	}
	changed := maps.Clone(now)
	maps.Copy(changed, fieldsOf(list))
	if changed[book.SettingPayoutMethod] != payout.MethodPayPal || changed[book.SettingPayoutMethod] == now[book.SettingPayoutMethod] && changed[book.SettingPayoutAddress] == now[book.SettingPayoutAddress] {
		return nil
	}
	switch address := cmp.Or(changed[book.SettingPayoutAddress], promoter.Email); {
	case address == "":
		return console.UsageError("payout_method=paypal needs payout_address=, an e-mail: %s has none of its own", promoter.Token)
	case !payout.IsPayableEmail(address):
		return console.UsageError("payout_address=%q: PayPal pays to an e-mail, which must not begin with = + - or @", address)
	}
	return nil
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
		fmt.Fprintln(a.Err, "carryover:", found.Also)
	}
	return found, err
}

// by is who does something: as named, else the user of this machine.
func by(name string) string {
	if name = strings.TrimSpace(name); name != "" {
		return name
	}
	if name = os.Getenv("USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
