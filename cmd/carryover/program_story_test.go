package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
)

const storyKey = "the-key-of-the-billing-system"

// click follows a link as a browser that holds a cookie does, and gives the cookie that it
// holds afterwards.
func (g *served) click(d *desk, target, cookie string) string {
	d.Helper()
	conn, err := net.DialTimeout("tcp", g.visitors, 10*time.Second)
	if err != nil {
		d.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: go.carrot.test\r\nUser-Agent: %s\r\nConnection: close\r\nCookie: carryover_click=%s\r\n\r\n", target, browser, cookie)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == "carryover_click" {
			return c.Value
		}
	}
	d.Fatalf("%s: %d sets no cookie", target, resp.StatusCode)
	return ""
}

// tell tells the tracking API something, and gives the status and what it answered.
func (g *served) tell(d *desk, what, body string) (int, map[string]any) {
	d.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+g.visitors+"/api/v2/track/"+what, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+storyKey)
	req.Header.Set("Account-ID", "carrot")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	var v map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &v); err != nil {
			d.Fatalf("%v: %s", err, text)
		}
	}
	return resp.StatusCode, v
}

// The story that the manual tells: Mira clicks Ann's old link, signs up two weeks later,
// pays every month and for a training, gets a part of that back, and clicks a link of
// Bob's in between; Ann is paid in the middle of March.
//
// By hand: January earns 25% of 97.00 = 24.25 and 50% of 129.00 = 64.50, together 88.75; the
// refund takes 50% of 29.00 = 14.50 back: 74.25 are paid in March. February's 24.25 are
// below 25.00 in April; with March's they are 48.50 in May.
func TestStoryOfMira(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	d := newDesk(t, strings.Replace(readFile(t, "testdata/samples.toml"), `exclude = ["carrot-house"]`, "", 1))
	d.write("exports/partners.csv", "Id,AffName,AffCode,Status,ContactId,ParentId,Email\n1,Ann Alpha,ANN,1,11,0,ann@promoters.test\n2,Bob Beta,BOB,1,12,0,bob@promoters.test\n")
	d.write("exports/contacts.csv", "Id,First Name,Last Name,Email\n11,Ann,Alpha,ann@promoters.test\n12,Bob,Beta,bob@promoters.test\n")
	d.write("exports/links.csv", "Id,Name,Code,Website Address\n1,Course,course,https://carrot.test/course\n")
	d.ok("plan", "exports")
	d.ok("apply")

	// The old link on December 20; the sign-up on January 3.
	var cookie string
	at := func(when string, fn func(g *served)) {
		t.Helper()
		g := d.gateway("--at", when)
		fn(g)
		if code := g.stop(); code != 0 {
			t.Fatalf("the gateway of %s ended with %d:\n%s", when, code, g.err)
		}
	}
	want := func(what string, status, code int, answer map[string]any, earned ...float64) {
		t.Helper()
		var got []float64
		if list, ok := answer["commissions"].([]any); ok {
			for _, c := range list {
				got = append(got, c.(map[string]any)["amount"].(float64))
			}
		}
		if status != code || fmt.Sprint(got) != fmt.Sprint(earned) {
			t.Errorf("%s: %d %v, want %d with commissions %v", what, status, answer, code, earned)
		}
	}
	at("2022-12-20T18:00:00Z", func(g *served) { cookie = g.click(d, "/go/course/ANN", "") })
	at("2023-01-03T18:00:00Z", func(g *served) {
		status, answer := g.tell(d, "signup", `{"email":"Mira@Mail.test","uid":"c-7","tid":"`+cookie+`"}`)
		want("the sign-up", status, 200, answer)
		if ref := answer["referral"].(map[string]any); ref["email"] != "mira@mail.test" || ref["uid"] != "c-7" {
			t.Errorf("the sign-up: %v", answer)
		}
		status, answer = g.tell(d, "sale", `{"email":"stranger@mail.test","event_id":"x-1","amount":9700,"ref_id":"anne"}`)
		want("a stranger's", status, 404, answer)
		status, answer = g.tell(d, "sale", `{"uid":"c-7","event_id":"pay-1","amount":9700,"plan":"Agency Membership"}`)
		want("January", status, 200, answer, 2425)
	})
	at("2023-01-20T18:00:00Z", func(g *served) {
		status, answer := g.tell(d, "sale", `{"uid":"c-7","event_id":"pay-2","amount":12900,"plan":"Evergreen Webinar","created_at":"2023-01-10T18:00:00Z"}`)
		want("the training", status, 200, answer, 6450)
		cookie = g.click(d, "/go/course/BOB", cookie)
		status, answer = g.tell(d, "signup", `{"email":"mira@mail.test","tid":"`+cookie+`"}`)
		want("a second sign-up", status, 422, answer)
	})
	at("2023-02-10T18:00:00Z", func(g *served) {
		status, answer := g.tell(d, "sale", `{"email":"mira@mail.test","event_id":"pay-3","amount":9700,"plan":"Agency Membership","created_at":"2023-02-03T18:00:00Z","tid":"`+cookie+`"}`)
		want("February", status, 200, answer, 2425)
		status, answer = g.tell(d, "refund", `{"email":"mira@mail.test","event_id":"back-1","amount":2900,"sale_event_id":"pay-2"}`)
		want("the refund", status, 200, answer, -1450)
		status, answer = g.tell(d, "refund", `{"email":"mira@mail.test","event_id":"back-1","amount":2900,"sale_event_id":"pay-2"}`)
		want("the refund again", status, 409, answer)
	})
	at("2023-03-13T18:00:00Z", func(g *served) {
		status, answer := g.tell(d, "sale", `{"email":"mira@mail.test","event_id":"pay-4","amount":9700,"plan":"Agency Membership","created_at":"2023-03-03T18:00:00Z"}`)
		want("March", status, 200, answer, 2425)
	})

	plan := func(month, want string) {
		t.Helper()
		p := d.objects(d.ok("payouts", "plan", "--month", month, "--json"))[0]
		var got []string
		for _, v := range p["payable"].([]any) {
			l := v.(map[string]any)
			got = append(got, fmt.Sprint("pay ", l["ref_token"], " ", l["months"], " ", l["gross_cents"], " ", l["refunds_cents"], " ", l["carried_cents"], " ", l["net_cents"]))
		}
		for _, v := range p["held"].([]any) {
			l := v.(map[string]any)
			got = append(got, fmt.Sprint("hold ", l["ref_token"], " ", l["amount_cents"], " ", l["reason"]))
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("the payouts of %s: %s, want %s", month, text, want)
		}
	}
	plan("2023-02", "")
	plan("2023-03", "hold ann 7425 no_w9")
	d.ok("promoters", "set", "ann", "w9=yes", "payout_method=paypal", "payout_address=ann@pay.test", "--by", "Kim")
	plan("2023-03", "pay ann [2023-01] 8875 -1450 0 7425")
	page := readFile(t, "manual/story.md")
	shows := func(name string) {
		t.Helper()
		for f := range fences(page) {
			command, want, ok := f.command()
			if ok && strings.HasPrefix(command, "carryover "+name) && !strings.Contains(want, "\nHeld\n") {
				d.say(f, command, want)
				return
			}
		}
		t.Errorf("the manual does not show %s", name)
	}
	shows("payouts plan")
	if r := d.run("payouts", "approve", "--month", "2023-03", "--by", "Kim"); r.code != console.ExitDone || !strings.Contains(r.err, "until 2023-03-15") { // it is later than that
		t.Fatalf("approve: %d\n%s%s", r.code, r.out, r.err)
	}
	d.contains(d.ok("payouts", "export", "1", "--format", "paypal"), "ann@pay.test", "74.25", "USD")
	d.ok("payouts", "record", "1", "--status", "paid", "--reference", "PP-1", "--date", "2023-03-14")
	plan("2023-03", "")
	plan("2023-04", "hold ann 2425 below_minimum")
	plan("2023-05", "pay ann [2023-02 2023-03] 2425 0 2425 4850")

	shows("explain")
	d.contains(d.ok("explain", "stranger@mail.test"), "stranger@mail.test belongs to nobody", "credited to nobody", "x-1", "ref_token anne: of nobody")
	d.contains(d.ok("ledger", "--promoter", "ann"), "64.50", "-14.50", "-74.25", "Balance of all entries: 48.50")
	if out := d.ok("ledger", "--promoter", "bob"); !strings.Contains(out, "No entries.") {
		t.Errorf("Bob has entries:\n%s", out)
	}

	// What came since the migration is nothing to it: it is still proven, newer exports are
	// carried over, and what sales stand on is not taken away from under them.
	d.ok("verify")
	d.write("exports/partners.csv", "Id,AffName,AffCode,Status,ContactId,ParentId,Email\n1,Ann Alpha,ANN,0,11,0,ann@promoters.test\n2,Bob Beta,BOB,1,12,0,bob@promoters.test\n")
	d.write("exports/referrals.csv", "Id,ContactId,AffiliateId,DateSet,DateExpires,Type,Source\n501,13,2,3/1/2023 9:00 AM,,COOKIE,course\n")
	d.write("exports/contacts.csv", "Id,First Name,Last Name,Email\n11,Ann,Alpha,ann@promoters.test\n12,Bob,Beta,bob@promoters.test\n13,Mira,Moor,mira@mail.test\n")
	d.ok("plan", "exports")
	d.ok("apply")
	d.ok("verify")
	at("2023-04-13T18:00:00Z", func(g *served) {
		status, answer := g.tell(d, "sale", `{"uid":"c-7","event_id":"pay-5","amount":9700,"plan":"Agency Membership"}`)
		want("April", status, 200, answer, 2425) // Ann's still, though Keap says Bob's, and Ann is inactive there
	})
	d.ok("rollback") // of the newer exports
	if r := d.run("rollback"); r.code != console.ExitFailed || !strings.Contains(r.err, "booked since for promoter 1") {
		t.Errorf("rollback of Ann: %d\n%s", r.code, r.err)
	}
	d.contains(d.ok("ledger", "--promoter", "ann"), "Balance of all entries: 72.75")
}
