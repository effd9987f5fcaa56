package fake

import (
	"net/http"
	"strconv"
	"time"
)

func (c *commission) object() object {
	o := object{
		"id": c.id, "status": c.status, "commission_type": "sale", "amount": c.amount, "sale_amount": c.sale, "original_sale_amount": c.sale,
		"original_sale_currency": nil, "event_id": nil, "plan_id": c.plan, "unit": c.unit, "tier": 1, "is_paid": false, "is_split": false,
		"created_at": c.createdAt.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	if c.currency != "" {
		o["original_sale_currency"] = c.currency
	}
	if c.eventID != "" {
		o["event_id"] = c.eventID
	}
	if c.lead != nil {
		o["referral"] = c.lead.object()
	} else {
		o["commission_type"] = "custom"
	}
	if p := c.promoter; p != nil {
		o["promoter_campaign"] = object{
			"id": p.id + 5000, "campaign_id": 77, "promoter_id": p.id,
			"promoter": object{"id": p.id, "email": p.email, "name": "Somebody"},
			"campaign": object{"id": 77, "name": "Partners", "color": "#000000"},
		}
	}
	return o
}

func (p *promoter) object() object {
	return object{
		"id": p.id, "email": p.email, "cust_id": p.custID, "name": "Somebody", "is_confirmed": true,
		"password_setup_url": "https://secret.test/set-password",
		"promoter_campaigns": []any{object{
			"id": p.id + 5000, "campaign_id": 77, "promoter_id": p.id, "state": p.state,
			"ref_token": p.token, "ref_link": "https://site.test?fpr=" + p.token,
		}},
	}
}

func (s *Server) listCommissions(r *http.Request) reply {
	bound := func(name string) time.Time {
		at, err := time.Parse(time.RFC3339, r.URL.Query().Get("filters[created_at]["+name+"]"))
		if err != nil {
			return time.Time{}
		}
		return at
	}
	from, to := bound("from"), bound("to")
	var all []*commission
	for _, c := range s.commissions {
		if from.IsZero() || !c.createdAt.Before(from) && !c.createdAt.After(to) {
			all = append(all, c)
		}
	}
	return reply{http.StatusOK, page(s, r, all, (*commission).object)}
}

func (s *Server) listPromoters(r *http.Request) reply {
	rows := page(s, r, s.promoters, (*promoter).object)
	if s.BareLists {
		return reply{http.StatusOK, rows}
	}
	return reply{http.StatusOK, object{"data": rows, "meta": object{"pending_count": 0}}}
}

// page is the part of a list that is asked for: 20 rows unless per_page says otherwise, at
// most 100.
func page[T any](s *Server, r *http.Request, all []T, write func(T) object) []any {
	size, err := strconv.Atoi(r.URL.Query().Get("per_page"))
	if err != nil || size < 1 {
		size = 20
	}
	size = min(size, 100)
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 || s.StuckPages {
		n = 1
	}
	start := min((n-1)*size, len(all))
	rows := []any{}
	for _, row := range all[start:min(start+size, len(all))] {
		rows = append(rows, write(row))
	}
	return rows
}
