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

// eventResponse answers an event in version 2 of the API.
type eventResponse struct {
	ID          *int64               `json:"id"`
	Type        string               `json:"etype"`
	SaleAmount  *int64               `json:"sale_amount,omitempty"` // minor units, as the call has it
	EventID     string               `json:"event_id,omitempty"`
	Referral    referralResponse     `json:"referral"`
	Commissions []commissionResponse `json:"commissions"`
	CreatedAt   string               `json:"created_at"`
	Warnings    []string             `json:"warnings,omitempty"` // fields that were left out, and why
}

type referralResponse struct {
	ID    *int64  `json:"id"`
	Email *string `json:"email"`
	UID   *string `json:"uid"`
}

type commissionResponse struct {
	ID       *int64           `json:"id"`
	Status   string           `json:"status"`
	Amount   int64            `json:"amount"` // minor units of the program's currency; of a refund below 0
	Unit     string           `json:"unit"`
	Tier     int              `json:"tier"`
	IsPaid   bool             `json:"is_paid"`
	Campaign campaignResponse `json:"promoter_campaign"`
}

// campaignResponse is the membership of a promoter in a campaign. There is one campaign here,
// so the membership has the promoter's id.
type campaignResponse struct {
	ID         *int64 `json:"id"`
	CampaignID int64  `json:"campaign_id"`
	PromoterID *int64 `json:"promoter_id"`
}

// eventResponseV1 answers an event in version 1 of the API.
type eventResponseV1 struct {
	ID       *int64            `json:"id"`
	Type     string            `json:"type"`
	Amount   *int64            `json:"amount_cents"` // of a refund below 0
	Reward   *rewardResponse   `json:"reward"`
	Lead     leadResponse      `json:"lead"`
	Promoter *promoterResponse `json:"promoter"`
	Warnings []string          `json:"warnings,omitempty"` // fields that were left out, and why
}

// rewardResponse is all that an event earned, together: version 1 knows one reward an event.
type rewardResponse struct {
	ID        *int64 `json:"id"`
	Status    string `json:"status"`
	Amount    int64  `json:"amount"`
	Unit      string `json:"unit"`
	TierLevel int    `json:"tier_level"`
	EventID   string `json:"event_id"`
	Converted int64  `json:"conversion_amount"`
	CreatedAt string `json:"created_at"`
}

type leadResponse struct {
	referralResponse
	State string `json:"state"`
}

type promoterResponse struct {
	ID    int64   `json:"id"`
	Email *string `json:"email"`
	RefID string  `json:"default_ref_id"`
}

// leadStates maps an event's kind to the state that it brings a lead to.
var leadStates = map[string]string{
	book.EventSignup: "signup", book.EventSale: "active", book.EventRefund: "active", book.EventCancellation: "cancelled",
}

// orNull makes null in JSON of a zero value, which is not known.
func orNull[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func newReferralResponse(c *Call, r *Result) referralResponse {
	if r.Customer.ID == 0 {
		return referralResponse{nil, orNull(c.Email), orNull(c.UID)}
	}
	return referralResponse{orNull(r.Customer.ID), orNull(r.Customer.Email), orNull(r.Customer.UID)}
}

// eventTime is when the event happened: now, for one that was not booked and has no time.
func eventTime(c *Call, r *Result, now time.Time) string {
	at := now
	switch {
	case r.Event.At != 0:
		at = time.Unix(r.Event.At, 0)
	case c.CreatedAt != 0:
		at = time.Unix(c.CreatedAt, 0)
	}
	return at.UTC().Format(time.RFC3339)
}

// warnings writes why fields of a call were left out.
func (c *Call) warnings() []string {
	var list []string
	for _, w := range c.Warnings {
		list = append(list, w.Field+" "+w.Message)
	}
	return list
}

// status is that of the commission of a line.
func (r *Result) status(line *book.EventLine) string {
	if slices.Contains(r.Flagged, line.ID) {
		return statusPending
	}
	return statusApproved
}

// newEventResponse answers an event that was understood.
func newEventResponse(c *Call, r *Result, campaign int64, now time.Time) *eventResponse {
	resp := &eventResponse{
		ID: orNull(r.Event.ID), Type: c.Kind, EventID: c.EventID, Referral: newReferralResponse(c, r),
		Commissions: make([]commissionResponse, 0, len(r.Lines)), CreatedAt: eventTime(c, r, now),
		Warnings: c.warnings(),
	}
	if c.Kind == book.EventSale {
		resp.SaleAmount = &c.Amount
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		resp.Commissions = append(resp.Commissions, commissionResponse{
			ID: orNull(l.ID), Status: r.status(l), Amount: l.Amount, Unit: "cash", Tier: 1,
			Campaign: campaignResponse{orNull(l.PromoterID), campaign, orNull(l.PromoterID)},
		})
	}
	return resp
}

// newEventResponseV1 answers an event that was understood, in version 1.
func newEventResponseV1(c *Call, r *Result, now time.Time) *eventResponseV1 {
	resp := &eventResponseV1{
		ID: orNull(r.Event.ID), Type: c.Kind, Lead: leadResponse{newReferralResponse(c, r), leadStates[c.Kind]}, Warnings: c.warnings(),
	}
	amount := c.Amount
	switch c.Kind {
	case book.EventRefund:
		amount = -amount
		fallthrough
	case book.EventSale:
		resp.Amount = &amount
	}
	if len(r.Lines) > 0 {
		resp.Reward = &rewardResponse{
			ID: orNull(r.Lines[0].ID), Status: statusApproved, Unit: "cash", TierLevel: 1,
			EventID: c.EventID, Converted: amount, CreatedAt: eventTime(c, r, now),
		}
	}
	for i := range r.Lines {
		resp.Reward.Amount += r.Lines[i].Amount
		if r.status(&r.Lines[i]) == statusPending {
			resp.Reward.Status = statusPending
		}
	}
	if p := r.Promoter; p != nil {
		resp.Promoter = &promoterResponse{p.ID, orNull(p.Email), p.Token}
	}
	return resp
}

// errorResponse answers a call that was refused; Errors by field.
type errorResponse struct {
	Message string              `json:"message,omitempty"`
	Errors  map[string][]string `json:"errors,omitempty"`
	Code    string              `json:"code,omitempty"`
}

// newValidationResponse lists all mistakes in the fields of a call.
func newValidationResponse(errs []fieldError) *errorResponse {
	r := &errorResponse{Errors: map[string][]string{}, Code: "invalid_record"}
	sentences := make([]string, len(errs))
	for i, e := range errs {
		r.Errors[e.field] = append(r.Errors[e.field], e.message)
		name := strings.ReplaceAll(e.field, "_", " ")
		sentences[i] = strings.ToUpper(name[:1]) + name[1:] + " " + e.message
	}
	r.Message = "Validation failed: " + strings.Join(sentences, ", ")
	return r
}

// answer writes the response to a call that was submitted.
func (a *API) answer(ctx *fasthttp.RequestCtx, v1 bool, c *Call, r *Result, now time.Time) {
	switch r.Outcome {
	case Booked, Acknowledged:
		if v1 {
			writeJSON(ctx, 200, newEventResponseV1(c, r, now))
		} else {
			writeJSON(ctx, 200, newEventResponse(c, r, a.o.Campaign, now))
		}
	case NotReferred:
		reason := cmp.Or(r.Message, "the customer is no promoter's")
		switch {
		case !v1:
			writeError(ctx, 404, "not_found", "Referral not found: "+reason)
		case c.Kind == book.EventSignup:
			writeJSON(ctx, 404, map[string]string{"error": "Visitor or referral id not found: " + reason})
		default:
			ctx.Response.SetStatusCode(204)
		}
	case Duplicate:
		writeError(ctx, 409, "", fmt.Sprintf("The '%s' event with the id '%s' already exists.", c.Kind, c.EventID))
	case AlreadySignedUp:
		writeJSON(ctx, 422, map[string]string{"transaction_id": "there is already a signup event registered on this lead"})
	case Invalid:
		writeJSON(ctx, 400, newValidationResponse([]fieldError{{r.Field, r.Message}}))
	default:
		panic("BUG: outcome " + strconv.Itoa(int(r.Outcome)))
	}
}

// writeError answers a call that was refused.
func writeError(ctx *fasthttp.RequestCtx, status int, code, message string) {
	writeJSON(ctx, status, &errorResponse{Message: message, Code: code})
}

// writeJSON answers with a value as JSON.
func writeJSON(ctx *fasthttp.RequestCtx, status int, v any) {
	w := ctx.Response.BodyWriter()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // an event's id is answered as it came
	if err := enc.Encode(v); err != nil {
		panic("BUG: " + err.Error()) // texts and numbers can be written
	}
	h := &ctx.Response.Header
	ctx.Response.SetStatusCode(status)
	h.SetContentType("application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
