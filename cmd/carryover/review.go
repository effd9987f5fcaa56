package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
)

type reviewCmd struct {
	List   reviewListCmd   `cmd:"" default:"withargs" help:"List what a person should look at."`
	Accept reviewAcceptCmd `cmd:"" help:"Accept commissions: these are paid like any other."`
	Trust  reviewTrustCmd  `cmd:"" help:"Accept commissions, and their customers for what speaks against them."`
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

func (c *reviewListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		x, err := a.explainer(cfg, b)
		if err != nil {
			return err
		}
		var owner *book.Match
		if c.Promoter != "" {
			found, err := a.findOwner(x.Directory, c.Promoter)
			if err != nil {
				return err
			}
			owner = &found
		}
		list, err := x.Reviews(a.ctx, c.All, owner)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.Reviews(cfg), list)
	})
}

type reviewAcceptCmd struct{ reviewDecision }

func (reviewAcceptCmd) Help() string {
	return `These commissions become payable like any other, and nothing else changes: a later one of the same customer is
asked about again. To accept the customer there is "review trust".

` + decisionStands + `

Example: carryover review accept t-17 t-18 --by Jo --note friend`
}

func (c *reviewAcceptCmd) Run(a *app) error { return c.decide(a, book.ReviewAccept) }

type reviewTrustCmd struct{ reviewDecision }

func (reviewTrustCmd) Help() string {
	return `These commissions become payable like any other, and the reasons that speak against them are not asked again of later
commissions of the same customers. Other reasons are.

` + decisionStands + `

Example: carryover review trust t-17 --by Jo --note one-household`
}

func (c *reviewTrustCmd) Run(a *app) error { return c.decide(a, book.ReviewTrust) }

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

const decisionStands = `Who decided, when and why is kept: for all of the named or for none. A decision stands: made
again it changes nothing, another one is refused.`

func (c *reviewDecision) decide(a *app, decision string) error {
	var list []book.ReviewDecision
	for _, id := range c.IDs {
		number, ok := strings.CutPrefix(id, "t-")
		line, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || line <= 0 {
			return console.UsageError("%q is no entry of the review list: write it like t-17", id)
		}
		list = append(list, book.ReviewDecision{
			LineID: line, Decision: decision, Note: c.Note, DecidedAt: time.Now().Unix(), DecidedBy: console.User(c.By),
		})
	}
	return a.withBook(func(_ *config.Config, b *book.Book) error {
		n, err := b.Decide(a.ctx, list)
		switch {
		case err != nil:
			return fmt.Errorf("%w; nothing was changed: \"carryover review --all\" lists what was decided", err)
		case a.JSON:
			return a.Object(map[string]any{"decision": decision, "decided": n})
		}
		word := map[string]string{book.ReviewAccept: "accepted", book.ReviewTrust: "trusted", book.ReviewDeny: "denied"}[decision]
		fmt.Fprintf(a.Out, "%d %s", n, word)
		if same := len(list) - n; same > 0 {
			fmt.Fprintf(a.Out, ", %d had been before", same)
		}
		fmt.Fprintln(a.Out, ".")
		return nil
	})
}
