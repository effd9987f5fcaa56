package track

import (
	"fmt"
	"testing"
	"time"

	"carryover/mapping/terms"
)

// The contract of FirstPromoter's tracking API, over HTTP and against a real book: what a
// billing system sends, and what it is answered.
func TestContract(t *testing.T) {
	f := newFixture(t, nil)
	f.now = time.Date(2023, 1, 10, 20, 0, 0, 0, time.UTC)
	c := serveAPI(t, f.Service, func(o *APIOptions) { o.Now, o.Campaign = func() time.Time { return f.now }, 77 })
	const at = `"created_at":"2023-01-10T20:00:00Z"`

	// sign-ups
	c.v2("signup", `{"email":"c@mail.test","uid":"keap-c-9","ref_id":"anna","created_at":"2021-03-04T10:00:00Z",
		"skip_email_notification":true}`).check(t, 200,
		`{"id":1,"etype":"signup","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},"commissions":[],
		"created_at":"2021-03-04T10:00:00Z"}`)
	c.v2("signup", `{"email":"c@mail.test","uid":"keap-c-9","ref_id":"ben"}`).check(t, 422,
		`{"transaction_id":"there is already a signup event registered on this lead"}`)
	c.v2("signup", `{"uid":"only-uid","tid":"`+f.cookie("ben 2023-01-09")+`"}`).check(t, 200,
		`{"id":2,"etype":"signup","referral":{"id":2,"email":null,"uid":"only-uid"},"commissions":[],`+at+`}`)
	c.v2("signup", `{"email":"x@mail.test","ref_id":"nobody"}`).check(t, 404,
		`{"message":"Referral not found: the customer is no promoter's (ref_id nobody: of nobody)","code":"not_found"}`)
	c.v2("signup", `{"email":"x@mail.test","ref_id":"bad"}`).check(t, 404, // blocked
		`{"message":"Referral not found: the customer is no promoter's (ref_id bad: blocked)","code":"not_found"}`)
	c.v1("signup", "email=v1%40mail.test&tid="+f.cookie("anna 2023-01-09")+"&website=x&first_name=Y").check(t, 200,
		`{"id":3,"type":"signup","amount_cents":null,"reward":null,"lead":{"id":3,"state":"signup","email":"v1@mail.test","uid":null},
		"promoter":{"id":1,"email":"anna@promoters.test","default_ref_id":"anna"}}`)
	c.v1("signup", "email=v1%40mail.test&ref_id=anna").check(t, 422,
		`{"transaction_id":"there is already a signup event registered on this lead"}`)
	c.v1("signup", "email=x%40mail.test&ref_id=nobody").check(t, 404,
		`{"error":"Visitor or referral id not found: the customer is no promoter's (ref_id nobody: of nobody)"}`)

	// sales
	c.v2("sale",
		`{"uid":"keap-c-9","event_id":"keap-pay-55","amount":9900,"plan":"Agency Membership","currency":"USD","mrr":9900}`).check(t, 200,
		`{"id":4,"etype":"sale","sale_amount":9900,"event_id":"keap-pay-55","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},
		"commissions":[{"id":1,"status":"approved","amount":2475,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}}],`+at+`}`)
	c.v2("sale", `{"uid":"keap-c-9","event_id":"keap-pay-55","amount":9900}`).check(t, 409,
		`{"message":"The 'sale' event with the id 'keap-pay-55' already exists."}`)
	c.v2("sale", `{"email":"C@Mail.test ","event_id":"two","items":[{"plan":"Evergreen Webinar","amount":"19700","quantity":1},
		{"plan":"pro","amount":100}]}`).check(t, 200,
		`{"id":5,"etype":"sale","sale_amount":19800,"event_id":"two","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},"commissions":[
		{"id":2,"status":"approved","amount":9850,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}},
		{"id":3,"status":"approved","amount":25,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}}],`+at+`}`)
	c.v2("sale", `{"email":"stranger@mail.test","event_id":"s1","amount":100}`).check(t, 404,
		`{"message":"Referral not found: the customer is no promoter's","code":"not_found"}`)
	c.v2("sale", `{"email":"coupon@mail.test","event_id":"s2","amount":100,"promo_code":"anna20"}`).check(t, 200,
		`{"id":6,"etype":"sale","sale_amount":100,"event_id":"s2","referral":{"id":4,"email":"coupon@mail.test","uid":null},
		"commissions":[{"id":4,"status":"approved","amount":25,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}}],`+at+`}`)
	c.v2("sale", `{"email":"anna@promoters.test","event_id":"self","amount":100,"ref_id":"anna"}`).check(t, 200, // a person must look
		`{"id":7,"etype":"sale","sale_amount":100,"event_id":"self","referral":{"id":5,"email":"anna@promoters.test","uid":null},
		"commissions":[{"id":5,"status":"pending","amount":25,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}}],`+at+`}`)
	c.v2("sale", `{"email":"c@mail.test","event_id":"zero","amount":0}`).check(t, 200, // acknowledged, not tracked
		`{"id":null,"etype":"sale","sale_amount":0,"event_id":"zero","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},
		"commissions":[],`+at+`}`)
	c.v2("sale", `{"email":"c@mail.test","event_id":"eur","amount":100,"currency":"eur"}`).check(t, 400,
		`{"message":"Validation failed: Currency is EUR, and the program counts in USD: send that, or set a rate under [tracking.currencies]",
		"errors":{"currency":["is EUR, and the program counts in USD: send that, or set a rate under [tracking.currencies]"]},
		"code":"invalid_record"}`)
	c.v1("sale", "email=v1%40mail.test&event_id=v1-1&amount=9900&plan=pro").check(t, 200,
		`{"id":8,"type":"sale","amount_cents":9900,"reward":{"id":6,"status":"approved","amount":2475,"unit":"cash","tier_level":1,
		"event_id":"v1-1","conversion_amount":9900,`+at+`},
		"lead":{"id":3,"state":"active","email":"v1@mail.test","uid":null},
		"promoter":{"id":1,"email":"anna@promoters.test","default_ref_id":"anna"}}`)
	c.v1("sale", "email=v1%40mail.test&event_id=v1-1&amount=9900").check(t, 409,
		`{"message":"The 'sale' event with the id 'v1-1' already exists."}`)
	c.v1("sale", "email=stranger%40mail.test&event_id=v1-2&amount=9900").check(t, 204, "")

	// refunds
	c.v2("refund", `{"uid":"keap-c-9","event_id":"r1","sale_event_id":"keap-pay-55","amount":"4950"}`).check(t, 200,
		`{"id":9,"etype":"refund","event_id":"r1","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},
		"commissions":[{"id":7,"status":"approved","amount":-1238,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":1,"campaign_id":77,"promoter_id":1}}],`+at+`}`)
	c.v2("refund", `{"uid":"keap-c-9","event_id":"r1","sale_event_id":"keap-pay-55","amount":4950}`).check(t, 409,
		`{"message":"The 'refund' event with the id 'r1' already exists."}`)
	c.v2("refund", `{"email":"stranger@mail.test","event_id":"r2","amount":1}`).check(t, 404,
		`{"message":"Referral not found: the customer is no promoter's","code":"not_found"}`)
	c.v1("refund", "email=v1%40mail.test&event_id=v1-r&amount=9900&ecom_refund=1").check(t, 200,
		`{"id":10,"type":"refund","amount_cents":-9900,"reward":{"id":8,"status":"approved","amount":-2475,"unit":"cash","tier_level":1,
		"event_id":"v1-r","conversion_amount":-9900,`+at+`},
		"lead":{"id":3,"state":"active","email":"v1@mail.test","uid":null},
		"promoter":{"id":1,"email":"anna@promoters.test","default_ref_id":"anna"}}`)
	c.v1("refund", "email=stranger%40mail.test&event_id=v1-r2&amount=9900").check(t, 204, "")

	// cancellations
	c.v2("cancellation", `{"email":"c@mail.test"}`).check(t, 200,
		`{"id":11,"etype":"cancellation","referral":{"id":1,"email":"c@mail.test","uid":"keap-c-9"},"commissions":[],`+at+`}`)
	c.v1("cancellation", "email=v1%40mail.test").check(t, 200,
		`{"id":12,"type":"cancellation","amount_cents":null,"reward":null,"lead":{"id":3,"state":"cancelled","email":"v1@mail.test","uid":null},
		"promoter":{"id":1,"email":"anna@promoters.test","default_ref_id":"anna"}}`)
	c.v1("cancellation", "email=stranger%40mail.test").check(t, 204, "")

	// what is wrong with a call
	c.v2("signup", `{"ref_id":"anna"}`).check(t, 400,
		`{"message":"Validation failed: Email and uid can't both be blank","errors":{"email":["and uid can't both be blank"]},
		"code":"invalid_record"}`)
	c.v2("sale", `{"email":"a b@c.test","event_id":"","amount":-1,"created_at":"tomorrow"}`).check(t, 400, // all at once
		`{"message":"Validation failed: Email must be one e-mail address such as \"ann@shop.test\", without blanks or commas in it, `+
			`Event id can't be blank, Amount must be 0 or more",
		"errors":{"email":["must be one e-mail address such as \"ann@shop.test\", without blanks or commas in it"],
		"event_id":["can't be blank"],"amount":["must be 0 or more"]},
		"code":"invalid_record"}`)

	// In all this nothing was booked that was not answered so.
	if got := f.balance(1); got != 2475+9850+25+25+25+2475-1238-2475 {
		t.Errorf("anna's balance is %d", got)
	}
}

// Whatever a call says besides, a rate of [tracking.currencies] is what its amount counts.
func TestContractCurrencies(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Rates = map[string]terms.ExchangeRate{"EUR": 108_250_000} })
	c := serveAPI(t, f.Service, func(o *APIOptions) { o.Now = func() time.Time { return f.now } })
	r := c.v2("sale", `{"email":"carried@mail.test","event_id":"e","amount":10000,"currency":"eur"}`)
	r.check(t, 200, fmt.Sprintf(`{"id":1,"etype":"sale","sale_amount":10000,"event_id":"e","referral":{"id":1,"email":"carried@mail.test",
		"uid":null},
		"commissions":[{"id":1,"status":"approved","amount":%d,"unit":"cash","tier":1,"is_paid":false,
		"promoter_campaign":{"id":2,"campaign_id":1,"promoter_id":2}}],"created_at":"2023-01-10T20:00:00Z"}`, 10825/4))
}
