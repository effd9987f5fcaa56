// Package fake is a FirstPromoter for tests and rehearsals: it keeps promoters, customers and
// commissions in memory, answers the tracking API and the lists as FirstPromoter's
// documentation says, and breaks on demand. It is an http.Handler; nothing in it listens.
package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server is one FirstPromoter account. Fields are set before it serves.
type Server struct {
	Key       string
	AccountID string
	Percent   int64            // of every sale; 0: 25
	Plans     map[string]int64 // percent of single plans
	PerMinute int              // requests; 0: 400; below 0: as many as come
	Now       func() time.Time // nil: time.Now

	// BareLists writes promoters as a bare array, too; StuckPages ignores the page that is
	// asked for.
	BareLists, StuckPages bool

	// Trouble says what goes wrong with the n-th request (from 1). Nil: nothing does.
	Trouble func(n int, r *http.Request) Trouble

	mu          sync.Mutex
	requests    int
	minute      time.Time // of the window that is being counted
	inMinute    int
	calls       []Call
	promoters   []*promoter
	leads       []*lead
	events      map[string]int64 // kind and event id -> percent of the commission
	commissions []*commission
	nextID      int64
}

// Trouble is what goes wrong with one request.
type Trouble struct {
	Status     int           // answered instead of handling the request; 0: it is handled
	RetryAfter string        // header of that answer
	Location   string        // header of that answer
	Latency    time.Duration // before anything else
	Drop       bool          // the request is handled, and its connection closed without an answer
	Cut        bool          // it is closed before the request is handled
}

// Call is one request as it came.
type Call struct {
	Path   string
	Body   map[string]any
	Header http.Header
	Status int // answered; 0: none
}

type promoter struct {
	id                   int64
	email, custID, token string
	state                string
}

type lead struct {
	id         int64
	email, uid string
	promoter   *promoter
	signedUp   bool
	percent    int64 // of its last sale
}

type commission struct {
	id             int64
	eventID        string
	amount, sale   int64
	currency, plan string
	status, unit   string
	createdAt      time.Time
	promoter       *promoter
	lead           *lead
}

// States of a promoter.
const (
	Accepted = "accepted"
	Blocked  = "blocked"
)

// AddPromoter lets somebody take part, and returns the id that it gets.
func (s *Server) AddPromoter(email, custID, token, state string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &promoter{id: s.id(), email: email, custID: custID, token: token, state: state}
	s.promoters = append(s.promoters, p)
	return p.id
}

// Grant is a commission that somebody entered by hand.
type Grant struct {
	Token   string // the promoter's
	EventID string
	Amount  int64
	Unit    string // empty: cash
	Status  string // empty: approved
	At      time.Time
}

// AddCommission enters a commission by hand.
func (s *Server) AddCommission(g Grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &commission{id: s.id(), eventID: g.EventID, amount: g.Amount, unit: g.Unit, status: g.Status, createdAt: g.At, promoter: s.byToken(g.Token)}
	if c.unit == "" {
		c.unit = "cash"
	}
	if c.status == "" {
		c.status = "approved"
	}
	s.commissions = append(s.commissions, c)
}

// Calls lists the requests that came, in order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

// Earned is what a promoter has earned in money, all of it.
func (s *Server) Earned(token string) (sum int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commissions {
		if c.promoter != nil && c.promoter.token == token && c.unit == "cash" && c.status != "denied" {
			sum += c.amount
		}
	}
	return sum
}

func (s *Server) id() int64 { s.nextID++; return s.nextID }

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) byToken(token string) *promoter {
	for _, p := range s.promoters {
		if p.token == token && token != "" {
			return p
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.mu.Unlock()
	var t Trouble
	if s.Trouble != nil {
		t = s.Trouble(n, r)
	}
	if t.Latency > 0 {
		select {
		case <-time.After(t.Latency):
		case <-r.Context().Done():
			return
		}
	}
	body := map[string]any{}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body); err != nil && r.Method == http.MethodPost {
		body = nil
	}
	if t.Cut {
		panic(http.ErrAbortHandler)
	}
	reply := reply{status: t.Status}
	if t.Status == 0 {
		reply = s.answer(r, body)
	}
	s.mu.Lock()
	call := Call{Path: r.URL.Path, Body: body, Header: r.Header.Clone(), Status: reply.status}
	if t.Drop {
		call.Status = 0
	}
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	if t.Drop {
		panic(http.ErrAbortHandler)
	}
	for name, value := range map[string]string{"Retry-After": t.RetryAfter, "Location": t.Location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	if reply.body == nil {
		w.WriteHeader(reply.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(reply.status)
	json.NewEncoder(w).Encode(reply.body)
}

// reply is what is answered; a nil body is an empty one.
type reply struct {
	status int
	body   any
}

type object = map[string]any

func missing(message string) reply {
	return reply{http.StatusNotFound, object{"message": message, "code": "not_found"}}
}

func invalid(message string) reply {
	return reply{http.StatusBadRequest, object{"message": message, "code": "invalid_params"}}
}

func (s *Server) answer(r *http.Request, body map[string]any) reply {
	if r.Header.Get("Authorization") != "Bearer "+s.Key || r.Header.Get("Account-ID") != s.AccountID {
		return reply{status: http.StatusUnauthorized}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowded() {
		return reply{status: http.StatusTooManyRequests}
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/api/v2/"); {
	case r.Method == http.MethodPost && body == nil:
		return invalid("the body is no JSON")
	case r.Method == http.MethodPost && path == "track/signup":
		return s.signup(body)
	case r.Method == http.MethodPost && path == "track/sale":
		return s.sale(body)
	case r.Method == http.MethodPost && path == "track/refund":
		return s.refund(body)
	case r.Method == http.MethodPost && path == "track/cancellation":
		return s.cancellation(body)
	case r.Method == http.MethodGet && path == "company/commissions":
		return s.listCommissions(r)
	case r.Method == http.MethodGet && path == "company/promoters":
		return s.listPromoters(r)
	}
	return missing("Record not found")
}

// crowded counts a request, and says whether it is one too many of its minute.
func (s *Server) crowded() bool {
	most := s.PerMinute
	if most == 0 {
		most = 400
	}
	if now := s.now(); now.Sub(s.minute) >= time.Minute {
		s.minute, s.inMinute = now, 0
	}
	s.inMinute++
	return most > 0 && s.inMinute > most
}

// word is a field of a body as text.
func word(body map[string]any, name string) string {
	switch v := body[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// whole is a field of a body as a number; ok is false when it is none.
func whole(body map[string]any, name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(word(body, name), 10, 64)
	return n, err == nil
}

// find is the customer that a body names.
func (s *Server) find(body map[string]any) *lead {
	email, uid := strings.ToLower(word(body, "email")), word(body, "uid")
	for _, l := range s.leads {
		if uid != "" && l.uid == uid || email != "" && l.email == email {
			return l
		}
	}
	return nil
}

// bring makes a customer of the promoter that a body names; nil when it names none.
func (s *Server) bring(body map[string]any) *lead {
	p := s.byToken(word(body, "ref_id"))
	if p == nil {
		return nil
	}
	l := &lead{id: s.id(), email: strings.ToLower(word(body, "email")), uid: word(body, "uid"), promoter: p}
	s.leads = append(s.leads, l)
	return l
}

func nameless(body map[string]any) bool { return word(body, "email") == "" && word(body, "uid") == "" }

func (l *lead) object() object { return object{"id": l.id, "email": l.email, "uid": l.uid} }

func (s *Server) signup(body map[string]any) reply {
	if nameless(body) {
		return invalid("param is missing or the value is empty: email or uid")
	}
	l := s.find(body)
	if l != nil && l.signedUp {
		return reply{http.StatusUnprocessableEntity, object{"transaction_id": "there is already a signup event registered on this lead"}}
	}
	if l == nil {
		if l = s.bring(body); l == nil {
			return missing("Visitor or referral id not found")
		}
	}
	l.signedUp = true
	return reply{http.StatusOK, object{"id": s.id(), "etype": "signup", "referral": l.object(), "commissions": []any{}, "created_at": s.now().UTC().Format(time.RFC3339)}}
}

// owned is the customer of a sale or refund, whose promoter may earn.
func (s *Server) owned(body map[string]any, bring bool) *lead {
	l := s.find(body)
	if l == nil && bring {
		l = s.bring(body)
	}
	if l == nil || l.promoter.state == Blocked {
		return nil
	}
	return l
}

// billed reads what sales and refunds must have; wrong is the answer when they have not.
func billed(body map[string]any) (amount int64, eventID string, wrong *reply) {
	amount, ok := whole(body, "amount")
	eventID = word(body, "event_id")
	fail := func(why string) (int64, string, *reply) {
		r := invalid(why)
		return 0, "", &r
	}
	switch {
	case nameless(body):
		return fail("param is missing or the value is empty: email or uid")
	case eventID == "":
		return fail("param is missing or the value is empty: event_id")
	case !ok || amount < 0:
		return fail("amount is not a number of cents")
	}
	return amount, eventID, nil
}

func (s *Server) sale(body map[string]any) reply {
	amount, eventID, wrong := billed(body)
	if wrong != nil {
		return *wrong
	}
	l := s.owned(body, true)
	if l == nil {
		return missing("Lead not found")
	}
	percent := s.percent(word(body, "plan"))
	if again := s.once("sale", eventID, percent); again != nil {
		return *again
	}
	l.percent = percent
	return s.book("sale", l, eventID, amount, roundHalfUp(amount, percent), body)
}

func (s *Server) refund(body map[string]any) reply {
	amount, eventID, wrong := billed(body)
	if wrong != nil {
		return *wrong
	}
	l := s.owned(body, false)
	if l == nil {
		return missing("Lead not found")
	}
	percent := l.percent
	if of, ok := s.events["sale "+word(body, "sale_event_id")]; ok {
		percent = of
	}
	if again := s.once("refund", eventID, percent); again != nil {
		return *again
	}
	return s.book("refund", l, eventID, -amount, -roundHalfUp(amount, percent), body)
}

func (s *Server) cancellation(body map[string]any) reply {
	if nameless(body) {
		return invalid("param is missing or the value is empty: email or uid")
	}
	l := s.find(body)
	if l == nil {
		return missing("Lead not found")
	}
	return reply{http.StatusOK, object{"id": s.id(), "etype": "cancellation", "referral": l.object(), "commissions": []any{}}}
}

// once notes an event; its second coming is a reply.
func (s *Server) once(kind, eventID string, percent int64) *reply {
	if s.events == nil {
		s.events = map[string]int64{}
	}
	if _, told := s.events[kind+" "+eventID]; told {
		return &reply{http.StatusConflict, object{"message": fmt.Sprintf("The '%s' event with the id '%s' already exists.", kind, eventID)}}
	}
	s.events[kind+" "+eventID] = percent
	return nil
}

func (s *Server) percent(plan string) int64 {
	if p, ok := s.Plans[plan]; ok {
		return p
	}
	if s.Percent != 0 {
		return s.Percent
	}
	return 25
}

func roundHalfUp(amount, percent int64) int64 { return (amount*percent + 50) / 100 }

// book adds the commission of a sale or refund; there is none of nothing.
func (s *Server) book(kind string, l *lead, eventID string, sale, amount int64, body map[string]any) reply {
	c := &commission{
		id: s.id(), eventID: eventID, amount: amount, sale: sale, currency: word(body, "currency"), plan: word(body, "plan"),
		status: "approved", unit: "cash", createdAt: s.now().UTC(), promoter: l.promoter, lead: l,
	}
	earned := []any{}
	if amount != 0 {
		s.commissions = append(s.commissions, c)
		earned = append(earned, c.object())
	}
	return reply{http.StatusOK, object{"id": s.id(), "etype": kind, "sale_amount": sale, "referral": l.object(), "commissions": earned, "created_at": c.createdAt.Format(time.RFC3339)}}
}
