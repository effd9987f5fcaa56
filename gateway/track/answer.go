package track

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/mapping/book"
)

// Statuses of a commission.
const (
	statusApproved = "approved"
	statusPending  = "pending" // a person must look at it
)

// told is an event as version 2 of the API answers it.
type told struct {
	ID          *int64       `json:"id"`
	Type        string       `json:"etype"`
	SaleAmount  *int64       `json:"sale_amount,omitempty"` // minor units, as told
	EventID     string       `json:"event_id,omitempty"`
	Referral    referral     `json:"referral"`
	Commissions []commission `json:"commissions"`
	CreatedAt   string       `json:"created_at"`
}

type referral struct {
	ID    *int64  `json:"id"`
	Email *string `json:"email"`
	UID   *string `json:"uid"`
}

type commission struct {
	ID       *int64     `json:"id"`
	Status   string     `json:"status"`
	Amount   int64      `json:"amount"` // minor units of the program's currency; of a refund below 0
	Unit     string     `json:"unit"`
	Tier     int        `json:"tier"`
	IsPaid   bool       `json:"is_paid"`
	Campaign membership `json:"promoter_campaign"`
}

// membership is a promoter in a campaign. There is one campaign here, and the promoter's
// id is that of its membership.
type membership struct {
	ID         *int64 `json:"id"`
	CampaignID int64  `json:"campaign_id"`
	PromoterID *int64 `json:"promoter_id"`
}

// toldV1 is an event as version 1 of the API answers it.
type toldV1 struct {
	ID       *int64    `json:"id"`
	Type     string    `json:"type"`
	Amount   *int64    `json:"amount_cents"` // of a refund below 0
	Reward   *reward   `json:"reward"`
	Lead     lead      `json:"lead"`
	Promoter *promoter `json:"promoter"`
}

// reward is all that an event earned together: the API's first version knows one.
type reward struct {
	ID        *int64 `json:"id"`
	Status    string `json:"status"`
	Amount    int64  `json:"amount"`
	Unit      string `json:"unit"`
	TierLevel int    `json:"tier_level"`
	EventID   string `json:"event_id"`
	Converted int64  `json:"conversion_amount"`
	CreatedAt string `json:"created_at"`
}

type lead struct {
	referral
	State string `json:"state"`
}

type promoter struct {
	ID    int64   `json:"id"`
	Email *string `json:"email"`
	RefID string  `json:"default_ref_id"`
}

// leadStates are what an event makes of a lead.
var leadStates = map[string]string{
	book.EventSignup: "signup", book.EventSale: "active", book.EventRefund: "active", book.EventCancellation: "cancelled",
}

// orNull is a value as JSON has it: null when it is not known.
func orNull[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func customerOf(c *Call, r *Result) referral {
	if r.Customer.ID == 0 {
		return referral{nil, orNull(c.Email), orNull(c.UID)}
	}
	return referral{orNull(r.Customer.ID), orNull(r.Customer.Email), orNull(r.Customer.UID)}
}

// timeOf is when the event happened: now, for one that was not booked and told no time.
func timeOf(c *Call, r *Result, now time.Time) string {
	at := now
	switch {
	case r.Event.At != 0:
		at = time.Unix(r.Event.At, 0)
	case c.CreatedAt != 0:
		at = time.Unix(c.CreatedAt, 0)
	}
	return at.UTC().Format(time.RFC3339)
}

func (r *Result) status(line *book.EventLine) string {
	if slices.Contains(r.Doubted, line.ID) {
		return statusPending
	}
	return statusApproved
}

// success is the answer to an event that was understood, in version 2.
func success(c *Call, r *Result, campaign int64, now time.Time) *told {
	t := &told{
		ID: orNull(r.Event.ID), Type: c.Kind, EventID: c.EventID, Referral: customerOf(c, r),
		Commissions: make([]commission, 0, len(r.Lines)), CreatedAt: timeOf(c, r, now),
	}
	if c.Kind == book.EventSale {
		t.SaleAmount = &c.Amount
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		t.Commissions = append(t.Commissions, commission{
			ID: orNull(l.ID), Status: r.status(l), Amount: l.Amount, Unit: "cash", Tier: 1,
			Campaign: membership{orNull(l.PromoterID), campaign, orNull(l.PromoterID)},
		})
	}
	return t
}

// successV1 is the same in version 1.
func successV1(c *Call, r *Result, now time.Time) *toldV1 {
	t := &toldV1{ID: orNull(r.Event.ID), Type: c.Kind, Lead: lead{customerOf(c, r), leadStates[c.Kind]}}
	amount := c.Amount
	switch c.Kind {
	case book.EventRefund:
		amount = -amount
		fallthrough
	case book.EventSale:
		t.Amount = &amount
	}
	if len(r.Lines) > 0 {
		t.Reward = &reward{
			ID: orNull(r.Lines[0].ID), Status: statusApproved, Unit: "cash", TierLevel: 1,
			EventID: c.EventID, Converted: amount, CreatedAt: timeOf(c, r, now),
		}
	}
	for i := range r.Lines {
		t.Reward.Amount += r.Lines[i].Amount
		if r.status(&r.Lines[i]) == statusPending {
			t.Reward.Status = statusPending
		}
	}
	if p := r.Promoter; p != nil {
		t.Promoter = &promoter{p.ID, orNull(p.Email), p.Token}
	}
	return t
}

// failure is how errors are told; Errors by field.
type failure struct {
	Message string              `json:"message,omitempty"`
	Errors  map[string][]string `json:"errors,omitempty"`
	Code    string              `json:"code,omitempty"`
}

// invalid tells all that is wrong with the fields of a call.
func invalid(wrongs []wrong) *failure {
	f := &failure{Errors: map[string][]string{}, Code: "invalid_record"}
	sentences := make([]string, len(wrongs))
	for i, w := range wrongs {
		f.Errors[w.field] = append(f.Errors[w.field], w.message)
		name := strings.ReplaceAll(w.field, "_", " ")
		sentences[i] = strings.ToUpper(name[:1]) + name[1:] + " " + w.message
	}
	f.Message = "Validation failed: " + strings.Join(sentences, ", ")
	return f
}

// answer writes what became of a call.
func (a *API) answer(ctx *fasthttp.RequestCtx, v1 bool, c *Call, r *Result, now time.Time) {
	switch r.Outcome {
	case Booked, Acknowledged:
		if v1 {
			writeJSON(ctx, 200, successV1(c, r, now))
		} else {
			writeJSON(ctx, 200, success(c, r, a.o.Campaign, now))
		}
	case NotReferred:
		switch {
		case !v1:
			writeJSON(ctx, 404, &failure{Message: "Referral not found: " + cmp.Or(r.Message, "the customer is no promoter's"), Code: "not_found"})
		case c.Kind == book.EventSignup:
			writeJSON(ctx, 404, map[string]string{"error": "Visitor or referral id not found: " + cmp.Or(r.Message, "the customer is no promoter's")})
		default:
			ctx.Response.SetStatusCode(204)
		}
	case Repeated:
		writeJSON(ctx, 409, &failure{Message: fmt.Sprintf("The '%s' event with the id '%s' already exists.", c.Kind, c.EventID)})
	case SignedUp:
		writeJSON(ctx, 422, map[string]string{"transaction_id": "there is already a signup event registered on this lead"})
	case Invalid:
		writeJSON(ctx, 400, invalid([]wrong{{r.Field, r.Message}}))
	default:
		panic("BUG: outcome " + strconv.Itoa(int(r.Outcome)))
	}
}

// writeJSON answers with a value as JSON.
func writeJSON(ctx *fasthttp.RequestCtx, status int, v any) {
	w := ctx.Response.BodyWriter()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // an event's id is told as it came
	if err := enc.Encode(v); err != nil {
		panic("BUG: " + err.Error()) // texts and numbers can be written
	}
	h := &ctx.Response.Header
	ctx.Response.SetStatusCode(status)
	h.SetContentType("application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
