package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type reviewCmd struct {
	List   reviewListCmd   `cmd:"" default:"withargs" help:"What a person should look at."`
	Accept reviewAcceptCmd `cmd:"" help:"Accept commissions: they are paid like any other."`
	Deny   reviewDenyCmd   `cmd:"" help:"Deny commissions: what is left of each is taken back."`
}

func (reviewCmd) Help() string {
	return `Commissions that something speaks against: the customer is the promoter, or shares an address with others; a
sale seconds after the click; bursts of clicks; many refunds; a product that no pattern names. Nothing is denied by
itself, and nothing of it is paid before a person has decided.

Example: carryover review`
}

type reviewListCmd struct {
	tableFlags
	All      bool   `help:"Also those that were decided."`
	Promoter string `placeholder:"WHO" help:"Only of this promoter: a ref token, a code or a Keap id."`
}

func (reviewListCmd) Help() string {
	return `One line a commission under review, the oldest first, with the reasons. Changes nothing.

Example: carryover review --all --json`
}

// reviewLine is a commission under review as --json tells it.
type reviewLine struct {
	ID        string         `json:"id"` // of the ledger's entry: t-17
	RefToken  string         `json:"ref_token"`
	Email     string         `json:"customer_email"`
	UID       string         `json:"customer_uid"`
	EventID   string         `json:"event_id"` // the billing system's
	At        string         `json:"at"`
	Amount    int64          `json:"amount_cents"`
	Currency  string         `json:"currency"`
	Product   string         `json:"product"`
	Reasons   []reviewReason `json:"reasons"`
	Decision  string         `json:"decision"` // accept, deny, or empty: nobody has decided
	Note      string         `json:"note"`
	DecidedAt string         `json:"decided_at"`
	DecidedBy string         `json:"decided_by"`
}

type reviewReason struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

func (c *reviewListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		reviews, err := b.Reviews(a.ctx, c.All)
		if err != nil {
			return err
		}
		waiting, err := b.UnmatchedRefunds(a.ctx)
		if err != nil {
			return err
		}
		if c.Promoter != "" {
			who, err := a.findOwner(dir, c.Promoter)
			if err != nil {
				return err
			}
			reviews = slices.DeleteFunc(reviews, func(r book.Review) bool { return dir.ByID(r.Line.PromoterID) != who.Owner })
			waiting = slices.DeleteFunc(waiting, func(e book.Event) bool { return dir.ByID(e.PromoterID) != who.Owner })
		}
		lines, err := a.reviewLines(cfg, b, dir, reviews)
		if err != nil {
			return err
		}
		refunds, err := a.waitingRefunds(cfg, b, dir, waiting)
		if err != nil {
			return err
		}
		lines = append(lines, refunds...)
		return console.Print(a.Console, &console.Table[reviewLine]{
			Titles: []string{"id", "date", "promoter", "customer", "amount", "for", "why", "decided"},
			Cells: func(l *reviewLine) []string {
				var why []string
				for _, r := range l.Reasons {
					why = append(why, r.Reason+": "+r.Detail)
				}
				decided := l.Decision
				if decided != "" {
					decided += " by " + l.DecidedBy
				}
				date := l.At[:min(len(time.DateOnly), len(l.At))]
				return []string{l.ID, date, l.RefToken, cmp.Or(l.Email, l.UID), cfg.Amount(l.Amount, l.Currency), l.Product, strings.Join(why, "; "), decided}
			},
			Below: []string{"for", "why"},
			Alert: func(l *reviewLine, title string) bool { return title == "id" && l.Decision == "" },
			Empty: "Nothing to review.",
		}, lines)
	})
}

// waitingRefunds are refunds that take nothing back, because nobody has told of their sale.
func (a *app) waitingRefunds(cfg *config.Config, b *book.Book, dir *book.Directory, waiting []book.Event) ([]reviewLine, error) {
	var lines []reviewLine
	for i := range waiting {
		e := &waiting[i]
		known, err := b.CustomersByID(a.ctx, []int64{e.CustomerID})
		if err != nil {
			return nil, err
		}
		v, err := evidence(e)
		if err != nil {
			return nil, err
		}
		l := reviewLine{
			ID: "event:" + e.ExternalID, RefToken: dir.ByID(e.PromoterID).Token(), EventID: e.ExternalID, At: terms.FormatTime(e.At, cfg.Zone), Amount: -e.Amount, Currency: e.Currency,
			Reasons: []reviewReason{{"unknown_sale", fmt.Sprintf("a refund of the sale %q, which nobody has told of: it takes back once somebody does", v.Sale)}},
		}
		for _, k := range known {
			l.Email, l.UID = k.Email, k.UID
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func (a *app) reviewLines(cfg *config.Config, b *book.Book, dir *book.Directory, reviews []book.Review) ([]reviewLine, error) {
	ids := make([]int64, len(reviews))
	for i := range reviews {
		ids[i] = reviews[i].Line.CustomerID
	}
	known, err := b.CustomersByID(a.ctx, ids)
	if err != nil {
		return nil, err
	}
	customers := map[int64]book.Customer{}
	for _, k := range known {
		customers[k.ID] = k
	}
	lines := make([]reviewLine, len(reviews))
	for i, r := range reviews {
		k := customers[r.Line.CustomerID]
		lines[i] = reviewLine{
			ID: fmt.Sprintf("t-%d", r.Line.ID), RefToken: dir.ByID(r.Line.PromoterID).Token(), Email: k.Email, UID: k.UID, EventID: r.Event.ExternalID,
			At: terms.FormatTime(r.Line.At, cfg.Zone), Amount: r.Line.Amount, Currency: r.Line.Currency, Product: r.Line.Product, Reasons: []reviewReason{},
			Decision: r.Decision.Decision, Note: r.Decision.Note, DecidedAt: terms.FormatTime(r.Decision.DecidedAt, cfg.Zone), DecidedBy: r.Decision.DecidedBy,
		}
		for _, v := range r.Reasons {
			lines[i].Reasons = append(lines[i].Reasons, reviewReason{v.Reason, v.Detail})
		}
	}
	return lines, nil
}

type reviewAcceptCmd struct{ reviewDecision }

func (reviewAcceptCmd) Help() string {
	return "Nothing else changes: no money moves, the commissions are payable like any other.\n\n" + decisionStands + `

Example: carryover review accept t-17 t-18 --by Jo --note friend`
}

func (c *reviewAcceptCmd) Run(a *app) error { return c.decide(a, book.ReviewAccept) }

type reviewDenyCmd struct{ reviewDecision }

func (reviewDenyCmd) Help() string {
	return "Writes an entry for each that takes back what is left of the commission.\n\n" + decisionStands + `

Example: carryover review deny t-17 --by Jo --note own-card`
}

func (c *reviewDenyCmd) Run(a *app) error { return c.decide(a, book.ReviewDeny) }

// reviewDecision is what both take.
type reviewDecision struct {
	IDs  []string `arg:"" name:"id" help:"Entries of the review list: t-17."`
	By   string   `placeholder:"NAME" help:"Who decides (default: $USER)."`
	Note string   `placeholder:"TEXT" help:"Why."`
}

const decisionStands = `Who decided, when and why is kept: for all of the named or for none. A decision stands: made again it changes nothing,
another one is refused.`

func (c *reviewDecision) decide(a *app, decision string) error {
	var list []book.ReviewDecision
	for _, id := range c.IDs {
		number, ok := strings.CutPrefix(id, "t-")
		line, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || line <= 0 {
			return console.UsageError("%q is no entry of the review list: write it like t-17", id)
		}
		list = append(list, book.ReviewDecision{LineID: line, Decision: decision, Note: c.Note, DecidedAt: time.Now().Unix(), DecidedBy: by(c.By)})
	}
	return a.withBook(func(_ *config.Config, b *book.Book) error {
		n, err := b.Decide(a.ctx, list)
		switch {
		case err != nil:
			return fmt.Errorf("%w; nothing was changed: \"carryover review --all\" lists what was decided", err)
		case a.JSON:
			return a.Object(map[string]any{"decision": decision, "decided": n})
		}
		word := map[string]string{book.ReviewAccept: "accepted", book.ReviewDeny: "denied"}[decision]
		fmt.Fprintf(a.Out, "%d %s", n, word)
		if same := len(list) - n; same > 0 {
			fmt.Fprintf(a.Out, ", %d had been before", same)
		}
		fmt.Fprintln(a.Out, ".")
		return nil
	})
}
