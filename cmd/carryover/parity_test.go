package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/migrate/firstpromoter/fake"
)

const forwardKey = "key-of-firstpromoter-0123"

// parallel is a program that runs here and at a FirstPromoter at once.
type parallel struct {
	*desk
	there   *fake.Server
	trouble atomic.Pointer[func(n int, r *http.Request) fake.Trouble]
	gateway *served
}

// newParallel starts a FirstPromoter on which only alpha takes part, and a gateway that
// forwards.
func newParallel(t *testing.T) *parallel {
	t.Helper()
	p := &parallel{desk: newMoneyDesk(t), there: &fake.Server{Key: forwardKey, AccountID: "fp-account"}}
	p.there.Trouble = func(n int, r *http.Request) fake.Trouble {
		if f := p.trouble.Load(); f != nil {
			return (*f)(n, r)
		}
		return fake.Trouble{}
	}
	p.there.AddPromoter("ann@mail.test", "", "alpha", fake.Accepted)
	s := httptest.NewServer(p.there)
	t.Cleanup(s.Close)
	p.write("carryover.toml", p.read("carryover.toml")+`
[firstpromoter]
base_url   = "`+s.URL+`"
account_id = "fp-account"
forward    = true
`)
	t.Setenv("CARRYOVER_API_KEYS", trackingKey)
	p.fails(console.ExitFailed, []string{"environment variable FIRSTPROMOTER_API_KEY"}, "gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	t.Setenv("FIRSTPROMOTER_API_KEY", forwardKey)
	p.gateway = p.desk.gateway()
	return p
}

// tell posts an event that must be booked.
func (p *parallel) tell(kind, body string) {
	p.Helper()
	if status := p.gateway.answers(p.desk, "fp-account", trackingKey, kind, body); status != http.StatusOK {
		p.Fatalf("%s %s: %d\n%s", kind, body, status, p.gateway.err)
	}
}

// settled waits until nothing waits in the outbox, and counts it by state.
func (p *parallel) settled() map[string]float64 {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		counts := map[string]float64{}
		for _, o := range p.objects(p.ok("outbox", "--json")) {
			counts[o["state"].(string)] = o["count"].(float64)
		}
		if counts["waiting"] == 0 {
			return counts
		}
		if time.Now().After(deadline) {
			p.Fatalf("the outbox does not empty: %v\n%s", counts, p.gateway.err)
		}
	}
}

// parity compares the month in which the newest events came.
func (p *parallel) parity(code int, args ...string) result {
	p.Helper()
	month := ""
	for _, state := range []string{"sent", "already", "not_referred", "refused"} {
		for _, o := range p.objects(p.ok("outbox", "--json", "--state", state)) {
			month = max(month, o["came_at"].(string)[:7])
		}
	}
	r := p.run(append([]string{"parity", "--month", month}, args...)...)
	if r.code != code {
		p.Errorf("parity: exit %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
	return r
}

func TestParallelRun(t *testing.T) {
	p := newParallel(t)
	// The answer to the first sale is lost on its way, and FirstPromoter is busy at the refund.
	var lost, busy atomic.Bool
	lossy := func(_ int, r *http.Request) fake.Trouble {
		switch {
		case strings.HasSuffix(r.URL.Path, "/sale") && !lost.Swap(true):
			return fake.Trouble{Drop: true}
		case strings.HasSuffix(r.URL.Path, "/refund") && !busy.Swap(true):
			return fake.Trouble{Status: http.StatusServiceUnavailable}
		}
		return fake.Trouble{}
	}
	p.trouble.Store(&lossy)
	p.tell("signup", `{"email":"one@new.test","uid":"u1","ref_id":"alpha"}`)
	p.tell("sale", `{"uid":"u1","event_id":"p1","amount":10000,"plan":"Membership"}`)
	p.tell("refund", `{"uid":"u1","event_id":"r1","amount":4000,"sale_event_id":"p1"}`)
	p.tell("signup", `{"email":"two@new.test","ref_id":"beta"}`)
	p.tell("sale", `{"email":"two@new.test","event_id":"p2","amount":20000,"plan":"Membership"}`)
	if got := p.settled(); got["sent"]+got["already"] != 3 || got["not_referred"] != 2 || lost.Load() != busy.Load() || got["refused"] != 0 {
		t.Fatalf("outbox: %v", got)
	}
	if got := p.there.Earned("alpha"); got != 1500 {
		t.Errorf("alpha earned %d there", got)
	}

	// no-go: beta is nobody there
	r := p.parity(console.ExitDecide)
	p.contains(r.out, "beta", "50.00", "-50.00", "not referred there: 1 event", "alpha", "15.00", "No-go: in ", "differ for 1 of 2 promoters", "event by event")
	p.contains(p.ok("outbox", "--state", "not-referred"), "p2", "Lead not found", "404")

	// Once beta takes part there, what it missed is sent again.
	p.there.AddPromoter("bob@mail.test", "", "beta", fake.Accepted)
	p.contains(p.ok("outbox", "retry", "--not-referred"), "2 events put back")
	if got := p.settled(); got["not_referred"] != 0 || got["sent"]+got["already"] != 5 {
		t.Fatalf("outbox: %v", got)
	}
	p.contains(p.parity(console.ExitDone).out, "Go: in ", "both ledgers agree to the cent", "65.00")

	// What is refused is listed, holds up nothing, and goes through once a person has helped.
	refusing := func(_ int, r *http.Request) fake.Trouble {
		if strings.HasSuffix(r.URL.Path, "/sale") {
			return fake.Trouble{Status: http.StatusBadRequest}
		}
		return fake.Trouble{}
	}
	p.trouble.Store(&refusing)
	p.tell("sale", `{"uid":"u1","event_id":"p3","amount":4000,"plan":"Membership"}`)
	p.tell("cancellation", `{"uid":"u1"}`)
	if got := p.settled(); got["refused"] != 1 {
		t.Fatalf("outbox: %v", got)
	}
	p.contains(p.parity(console.ExitDecide).out, "refused there: 1 event", "-10.00")
	refused := p.objects(p.ok("outbox", "--json", "--state", "refused"))
	if len(refused) != 1 || refused[0]["event_id"] != "p3" || refused[0]["status"] != 400.0 || refused[0]["kind"] != "sale" {
		t.Fatalf("refused: %v", refused)
	}
	id, err := json.Marshal(refused[0]["id"])
	if err != nil {
		t.Fatal(err)
	}
	p.there.Plans = map[string]int64{"Membership": 20}
	p.trouble.Store(nil)
	p.ok("outbox", "retry", string(id))
	p.settled()
	p.fails(console.ExitFailed, []string{"there is nothing to send again"}, "outbox", "retry", string(id))

	// FirstPromoter has another rate by now.
	var told struct {
		Agrees    bool   `json:"agrees"`
		Theirs    string `json:"theirs"`
		Promoters []struct {
			RefToken   string `json:"ref_token"`
			Ours       int64  `json:"ours_cents"`
			Theirs     int64  `json:"theirs_cents"`
			Difference int64  `json:"difference_cents"`
			Reasons    []struct {
				Reason string `json:"reason"`
				Text   string `json:"text"`
			} `json:"reasons"`
		} `json:"promoters"`
		Total struct {
			Ours   int64 `json:"ours_cents"`
			Theirs int64 `json:"theirs_cents"`
		} `json:"total"`
	}
	if err := json.Unmarshal([]byte(p.parity(console.ExitDecide, "--json").out), &told); err != nil {
		t.Fatal(err)
	}
	if a := told.Promoters[0]; told.Agrees || a.RefToken != "alpha" || a.Ours != 2500 || a.Theirs != 2300 || a.Difference != -200 ||
		a.Reasons[0].Reason != "rate_differs" || a.Reasons[0].Text != "rate differs in 1 event: theirs are 80% of ours" || told.Total.Ours != 7500 || told.Total.Theirs != 7300 {
		t.Errorf("%+v", told)
	}

	// The same from a file, by sums; and one that cannot be compared with.
	p.write("theirs.csv", "Ref ID,Earnings\nalpha,$25.00\nbeta,$50.00\n")
	p.contains(p.parity(console.ExitDone, "--theirs", "theirs.csv").out, "Go: in ", "by sums", "says no dates", "theirs.csv")
	p.write("theirs.csv", "Ref ID,Earnings\nalpha,$25.00\nbeta,$50.00\n,$1.00\n")
	r = p.parity(console.ExitDecide, "--theirs", "theirs.csv")
	p.contains(r.out, "1 row of the file could not be read", "No-go")
	p.contains(r.err, "theirs.csv, line 4", "names no promoter")
	p.write("theirs.csv", "Name,Total\nalpha,$25.00\n")
	p.contains(p.parity(console.ExitFailed, "--theirs", "theirs.csv").err, "promoter_email or ref_id", "it has Name, Total")

	// A month in which nothing happened is no proof of anything.
	p.contains(p.run("parity", "--month", "2001-01").out, "No-go: in 2001-01 there is nothing to compare")

	if log := p.gateway.err.String(); strings.Contains(log, forwardKey) || strings.Contains(log, "new.test") {
		t.Errorf("the log tells of keys or customers:\n%s", log)
	}
}

// The commands say what is wrong with how they are called, and what to do.
func TestParityMistakes(t *testing.T) {
	d := newMoneyDesk(t)
	t.Setenv("FIRSTPROMOTER_API_KEY", "")
	d.fails(console.ExitFailed, []string{"FIRSTPROMOTER_API_KEY", "--theirs FILE.csv"}, "parity", "--month", "2023-03")
	d.fails(console.ExitUsage, []string{"--month"}, "parity")
	d.fails(console.ExitUsage, []string{`"March" is no month`, "2023-03"}, "parity", "--month", "March")
	d.fails(console.ExitFailed, []string{"nowhere.csv"}, "parity", "--month", "2023-03", "--theirs", "nowhere.csv")
	d.fails(console.ExitUsage, []string{`"lost" is no state`, "refused"}, "outbox", "--state", "lost")
	d.fails(console.ExitUsage, []string{"ids, --refused or --not-referred"}, "outbox", "retry")
	d.fails(console.ExitUsage, []string{`"p1" is no id`}, "outbox", "retry", "p1")
	d.fails(console.ExitFailed, []string{"no event 7", "lists the ids"}, "outbox", "retry", "7")
	r := d.run("outbox")
	d.contains(r.out, "waiting", "refused", "sent")
	d.contains(r.err, "Forwarding is off", "forward = true")
	d.contains(d.ok("outbox", "--state", "refused"), "No event is refused")
	d.write("carryover.toml", d.read("carryover.toml")+"\n[firstpromoter]\nforward = true\n")
	d.fails(console.ExitFailed, []string{"carryover.toml", "firstpromoter.account_id", "under integrations"}, "outbox")
	d.write("carryover.toml", strings.Replace(d.read("carryover.toml"), "forward = true", "account_id = \"a\"\nbase_url = \"http://fp.test\"", 1))
	t.Setenv("FIRSTPROMOTER_API_KEY", forwardKey)
	d.fails(console.ExitFailed, []string{"base_url must be an https address"}, "parity", "--month", "2023-03")
}
