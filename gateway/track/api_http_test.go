package track

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"carryover/mapping/book"
)

// What is not a call at all, and what is refused before its fields are read.
func TestRefused(t *testing.T) {
	c := serveAPI(t, submitFunc(func(c *Call) (Result, error) { t.Errorf("submitted: %+v", c); return Result{}, nil }), nil)
	const notFound = `{"message":"Path not found: there are signup, sale, refund and cancellation below /api/v2/track/ and /api/v1/track/",
		"code":"not_found"}`
	for _, path := range []string{"/api/", "/api/v2", "/api/v2/track", "/api/v2/track/", "/api/v2/track/lead", "/api/v3/track/sale",
		"/api/v2/track/sale/x", "/api/v2/company/promoters", "/api/v2/track/Sale"} {
		c.send("GET", path, "").check(t, 404, notFound)
		c.send("POST", path, `{}`, "Authorization: Bearer "+keyInUse, "Account-ID: carrot").check(t, 404, notFound)
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		r := c.send(method, "/api/v2/track/sale", "")
		r.check(t, 405, `{"message":"Events are told with POST","code":"method_not_allowed"}`)
		if r.Header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow: %q", method, r.Header.Get("Allow"))
		}
	}
	if r := c.send("HEAD", "/api/v2/track/sale", ""); r.StatusCode != 405 || r.body != "" {
		t.Errorf("HEAD: %d %q", r.StatusCode, r.body)
	}
	refused := func(r reply, status int, message string) {
		t.Helper()
		r.check(t, status, `{"message":"`+message+`","code":"invalid_params"}`)
	}
	refused(c.v2("sale", `{"uid":`), 400, `The body is no JSON object: send one such as {\"email\": \"a@b.test\"}`)
	refused(c.v2("sale", `uid u`), 400, `The body is no JSON object: send one such as {\"email\": \"a@b.test\"}`)
	refused(c.send("POST", "/api/v2/track/sale", `<uid/>`, "Authorization: Bearer "+keyInUse, "Account-ID: carrot", "Content-Type: text/xml"),
		415, "The body is neither JSON nor a form: send Content-Type: application/json")
	refused(c.v2("sale", "\x1f\x8b", "Content-Encoding: gzip"), 415, "The body is compressed: send it as it is, without Content-Encoding")
	refused(c.v2("sale", `{"uid":"`+strings.Repeat("u", maxBody)+`"}`), 413, "The body is larger than 64 kB")
	refused(c.v2("sale", `{"x":`+strings.Repeat("[", 30_000)+strings.Repeat("]", 30_000)+`}`), 400,
		"The body has lists or objects too deep in one another")

	c.v2("sale", `{"uid":"a\u0000","event_id":"1","amount":1}`).check(t, 400,
		`{"message":"Validation failed: Uid must have no control characters","errors":{"uid":["must have no control characters"]},
		"code":"invalid_record"}`)
	c.v2("sale", `{"uid":"u","event_id":"1","items":[{"plan":"a","amount":1.5},{"amount":2}]}`).check(t, 400,
		`{"message":"Validation failed: Items[0].amount must be a whole number of cents, such as 9900 for 99.00, Items[1].plan can't be blank",
		"errors":{"items[0].amount":["must be a whole number of cents, such as 9900 for 99.00"],"items[1].plan":["can't be blank"]},
		"code":"invalid_record"}`)
	if log := c.logs.String(); log != "" {
		t.Errorf("what strangers send is logged:\n%s", log)
	}
}

// What is taken though it is not written as FirstPromoter's documents do.
func TestAccepted(t *testing.T) {
	var got *Call
	c := serveAPI(t, submitFunc(func(c *Call) (Result, error) { got = c; return Result{Outcome: Acknowledged}, nil }), nil)
	taken := func(r reply, uid string) {
		t.Helper()
		if r.StatusCode != 200 || got == nil || got.UID != uid {
			t.Errorf("%d %s: %+v", r.StatusCode, r.body, got)
		}
		got = nil
	}
	taken(c.v2("signup/", `{"uid":"slash"}`), "slash")
	taken(c.v2("signup?uid=x", `{"uid":"the body first"}`), "the body first")
	for _, path := range []string{"//api/v2/track/signup", "///api/v2/track/signup/", "/api//v2/track/signup", "/api/v2//track///signup"} {
		taken(c.send("POST", path, `{"uid":"slashes"}`, "Authorization: Bearer "+keyInUse, "Account-ID: carrot"), "slashes")
	}
	for _, kind := range Endpoints[1:] { // each version takes each form
		const fields, asJSON = "uid=u&event_id=1&amount=5", `{"uid":"u","event_id":"1","amount":5}`
		part := "--B\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
		parts := fmt.Sprintf(part+part+part+"--B--\r\n", "uid", "u", "event_id", "1", "amount", "5")
		for _, version := range []string{"v1", "v2"} {
			path := "/api/" + version + "/track/" + kind
			keys := []string{"Authorization: Bearer " + keyInUse, "Account-ID: carrot", "X-API-KEY: " + keyInUse}
			taken(c.send("POST", path+"?"+fields, "", keys...), "u")
			taken(c.send("POST", path, fields, append(keys, "Content-Type: application/x-www-form-urlencoded")...), "u")
			taken(c.send("POST", path, asJSON, append(keys, "Content-Type: application/json")...), "u")
			taken(c.send("POST", path, parts, append(keys, "Content-Type: multipart/form-data; boundary=B")...), "u")
		}
	}
	taken(c.v1("signup?uid=address", ""), "address")
	taken(c.v1("signup?uid=address", "uid=body+first"), "body first")
	taken(c.send("POST", "/api/v1/track/signup", `{"uid":"json"}`, "X-API-KEY: "+keyInUse, "Content-Type: application/json"), "json")
	taken(c.send("POST", "/api/v2/track/signup", `{"uid":"no label"}`, "Authorization: Bearer "+keyInUse, "Account-ID: carrot"), "no label")
	head, tail := `{"uid":"full","x":"`, `"}`
	taken(c.v2("signup", head+strings.Repeat("x", maxBody-len(head+tail))+tail), "full")
}

// A hint that is wrong costs no payment: answer and log say that it was left out, the log once a
// kind.
func TestHintsAreLeftOut(t *testing.T) {
	var got *Call
	c := serveAPI(t, submitFunc(func(c *Call) (Result, error) { got = c; return Result{Outcome: Acknowledged}, nil }), nil)
	for n := range 3 {
		sale := fmt.Sprintf(`{"uid":"u","event_id":"e%d","amount":9900,"plan":"pro","quantity":0,"ip":"nowhere","created_at":"2023-01-01"}`, n)
		r := c.v2("sale", sale)
		r.check(t, 200, fmt.Sprintf(`{"id":null,"etype":"sale","sale_amount":9900,"event_id":"e%d","referral":{"id":null,"email":null,"uid":"u"},
			"commissions":[],"created_at":"2023-01-01T20:00:00Z",
			"warnings":["quantity must be 1 or more: it was left out","ip must be an IP address: it was left out"]}`, n))
	}
	if got.Quantity != 0 || got.Address.IsValid() || got.Plan != "pro" {
		t.Errorf("%+v", got)
	}
	const warning = `"warnings":["ip must be an IP address: it was left out"]`
	if r := c.v1("sale", "uid=u&event_id=1&amount=5&ip=nowhere"); !strings.Contains(r.body, warning) {
		t.Errorf("version 1: %s", r.body)
	}
	c.v2("signup", `{"uid":"u","ip":"nowhere"}`)
	if log := c.logs.String(); strings.Count(log, "field=ip") != 2 || strings.Count(log, "field=quantity") != 1 {
		t.Errorf("logged:\n%s", log)
	}
}

// What a service says, in the words of both versions.
func TestOutcomes(t *testing.T) {
	var result Result
	var fails error
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) { return result, fails }), nil)
	const sale, form = `{"uid":"u","event_id":"e","amount":5}`, "uid=u&event_id=e&amount=5"

	fails = errors.New("the disk is full of ann@mail.test")
	for _, r := range []reply{c.v2("sale", sale), c.v1("sale", form)} {
		r.check(t, 503, `{"message":"The event was not booked: send it again in a second","code":"unavailable"}`)
		if r.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
		}
	}
	fails = nil
	result = Result{Outcome: Invalid, Field: "currency", Message: "is EUR"}
	c.v1("sale", form).check(t, 400,
		`{"message":"Validation failed: Currency is EUR","errors":{"currency":["is EUR"]},"code":"invalid_record"}`)
	result = Result{Outcome: Acknowledged}
	c.v1("sale", form+"&created_at=1672531200").check(t, 200,
		`{"id":null,"type":"sale","amount_cents":5,"reward":null,"lead":{"id":null,"state":"active","email":null,"uid":"u"},"promoter":null}`)
	c.v2("refund", `{"uid":"u","event_id":"e","amount":0,"created_at":"2023-01-01T00:00:00Z"}`).check(t, 200,
		`{"id":null,"etype":"refund","event_id":"e","referral":{"id":null,"email":null,"uid":"u"},"commissions":[],
		"created_at":"2023-01-01T00:00:00Z"}`)
	result = Result{Outcome: Duplicate}
	c.v2("sale", `{"uid":"u","event_id":"<a&b> \"'","amount":5}`).check(t, 409,
		`{"message":"The 'sale' event with the id '<a&b> \"'' already exists."}`)
	// Two products, one of which a person must look at.
	result = Result{
		Outcome: Booked, Event: book.Event{ID: 9, At: 1672531200}, Customer: book.Customer{ID: 3, UID: "u"},
		Promoter: &book.DirectoryPromoter{Promoter: &book.Promoter{ID: -2, Token: "new"}}, Flagged: []int64{8},
		Lines: []book.EventLine{{ID: 7, PromoterID: -2, Amount: 10}, {ID: 8, PromoterID: -2, Amount: 5}},
	}
	c.v1("sale", form).check(t, 200, `{"id":9,"type":"sale","amount_cents":5,"reward":{"id":7,"status":"pending","amount":15,"unit":"cash",
		"tier_level":1,"event_id":"e","conversion_amount":5,"created_at":"2023-01-01T00:00:00Z"},
		"lead":{"id":3,"state":"active","email":null,"uid":"u"},"promoter":{"id":-2,"email":null,"default_ref_id":"new"}}`)
	result = Result{}
	c.v2("sale", sale).check(t, 500, `{"message":"The event could not be answered; it is safe to send it again","code":"internal_error"}`)
	if log := c.logs.String(); strings.Contains(log, keyInUse) || strings.Contains(log, "mail.test") ||
		!strings.Contains(log, "kind=sale event_id=e outcome=") {
		t.Errorf("the log:\n%s", log)
	}
}

// A gateway without a book says where events belong, to whoever has a key.
func TestNoBook(t *testing.T) {
	c := serveAPI(t, nil, nil)
	c.v2("sale", `{}`).check(t, 503,
		`{"message":"This gateway has no book to track in: send events to the gateway that has it","code":"unavailable"}`)
	c.v2("sale", `{}`, "Account-ID: x").check(t, 503,
		`{"message":"This gateway has no book to track in: send events to the gateway that has it","code":"unavailable"}`)
	c.send("POST", "/api/v2/track/sale", `{}`, "Account-ID: carrot").check(t, 401, "")
}

// A body that comes slowly, or never, keeps nobody waiting, and tells nothing.
func TestSlowBody(t *testing.T) {
	var submitted atomic.Int64
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) { submitted.Add(1); return Result{Outcome: Acknowledged}, nil }), nil)
	var slow []net.Conn
	for range 50 {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /api/v2/track/signup HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAccount-ID: carrot\r\n"+
			"Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"uid\"", keyInUse)
		slow = append(slow, conn)
	}
	c.v2("signup", `{"uid":"quick"}`)
	if submitted.Load() != 1 {
		t.Errorf("%d calls", submitted.Load())
	}
	fmt.Fprint(slow[0], `:"u"}`)
	if answer, err := io.ReadAll(io.LimitReader(slow[0], 12)); err != nil || string(answer) != "HTTP/1.1 200" {
		t.Errorf("%q %v", answer, err)
	}
	for _, conn := range slow[1:] {
		conn.Close()
	}
	if c.v2("signup", `{"uid":"after"}`); submitted.Load() != 3 {
		t.Errorf("%d calls", submitted.Load())
	}
}

// Ten thousand events of one id, many at once, are one sale.
func TestManyCallsOfOneID(t *testing.T) {
	f := newFixture(t, nil)
	c := serveAPI(t, f.Service, nil)
	var statuses [600]atomic.Int64
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() {
			for range 500 {
				statuses[c.v2("sale", `{"email":"carried@mail.test","event_id":"one","amount":9900}`).StatusCode].Add(1)
			}
		})
	}
	senders.Wait()
	if statuses[200].Load() != 1 || statuses[409].Load() != 9999 {
		t.Errorf("%d booked, %d repeated", statuses[200].Load(), statuses[409].Load())
	}
	if got := f.balance(2); got != 2475 {
		t.Errorf("balance %d", got)
	}
}

// What a call keeps of a request stays as it is when the next request comes over the same
// connection.
func TestCallsKeepTheirTexts(t *testing.T) {
	var mu sync.Mutex
	var calls []*Call
	c := serveAPI(t, submitFunc(func(c *Call) (Result, error) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c)
		return Result{Outcome: Acknowledged}, nil
	}), nil)
	for i := range 50 {
		c.v2("sale", fmt.Sprintf(`{"email":"c%04d@mail.test","event_id":"j%04d","amount":1,"items":[{"plan":"p%04d","amount":1}]}`, i, i, i))
		c.v1("sale", fmt.Sprintf(`email=c%04d@mail.test&event_id=f%04d&amount=1&plan=p%04d`, i, i, i))
		c.v1(fmt.Sprintf(`sale?email=c%04d@mail.test&event_id=q%04d&amount=1&plan=p%04d`, i, i, i), "")
	}
	for n, call := range calls {
		i := n / 3
		if call.Email != fmt.Sprintf("c%04d@mail.test", i) || call.EventID != fmt.Sprintf("%c%04d", "jfq"[n%3], i) ||
			n%3 > 0 && call.Plan != fmt.Sprintf("p%04d", i) || n%3 == 0 && call.Items[0].Plan != fmt.Sprintf("p%04d", i) {
			t.Errorf("call %d became %+v", n, call)
		}
	}
	if len(calls) != 150 {
		t.Errorf("%d calls", len(calls))
	}
}
