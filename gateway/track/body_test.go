package track

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// noon is when the tests of bodies are read.
var noon = time.Date(2023, 3, 4, 12, 0, 0, 0, time.UTC)

// withWarnings is a call that is warned of fields.
func withWarnings(c Call, fields ...string) Call {
	for _, name := range fields {
		c.Warnings = append(c.Warnings, Warning{Field: name})
	}
	return c
}

// parseBody reads a body: what was understood of it, or what is wrong.
func parseBody(kind, contentType, body string) (*Call, string) {
	f, err := readBody([]byte(body), contentType)
	if err != nil {
		return nil, err.Error()
	}
	c, wrongs := readCall(kind, f, clock{noon, losAngeles})
	var all []string
	for _, w := range wrongs {
		all = append(all, w.field+" "+w.message)
	}
	return c, strings.Join(all, "; ")
}

// What billing systems write, in all the ways in which they do.
func TestBodies(t *testing.T) {
	f := func(kind, body string, want Call) {
		t.Helper()
		contentType := "application/json; charset=utf-8"
		if !strings.HasPrefix(body, "{") {
			contentType = "application/x-www-form-urlencoded"
		}
		c, wrong := parseBody(kind, contentType, body)
		want.Kind = kind
		if c != nil {
			for i := range c.Warnings {
				c.Warnings[i].Message = ""
			}
		}
		if wrong != "" || fmt.Sprint(*c) != fmt.Sprint(want) {
			t.Errorf("%s\n got %+v %s\nwant %+v", body, c, wrong, want)
		}
	}
	const jan1 = 1672531200
	signup, sale, refund, cancellation := book.EventSignup, book.EventSale, book.EventRefund, book.EventCancellation

	// Hints that are wrong are left out, and never cost a payment.
	hint := func(field, value string, kinds ...string) {
		t.Helper()
		for _, kind := range kinds {
			want := Call{UID: "u"}
			if kind != signup {
				want.EventID = "1"
			}
			if kind == sale || kind == refund {
				want.Amount = 5
			}
			f(kind, `{"uid":"u","event_id":"1","amount":5,"`+field+`":`+value+`}`, withWarnings(want, field))
		}
	}
	all := []string{signup, sale, refund, cancellation}
	for _, bad := range []string{`0`, `-3`, `1.5`, `1000001`, `"many"`, `true`, `[2]`, `99999999999999999999`} {
		hint("quantity", bad, sale, refund)
	}
	for _, bad := range []string{`"maybe"`, `2`, `[true]`} {
		hint("skip_email_notification", bad, all...)
	}
	for _, bad := range []string{`"unknown"`, `"192.0.2.256"`, `"shop.test"`, `7`, `true`, `{}`, `[]`, `[1]`, `"10.0.0.1"`,
		`"192.168.1.2:80, 127.0.0.1"`, `"::1"`, `"fe80::1%eth0"`, `"100.64.0.9"`, `"0.0.0.0"`, `"fd00::7"`, `"169.254.1.1"`, `"224.0.0.1"`} {
		hint("ip", bad, signup, sale)
	}
	for _, bad := range []string{`"yesterday"`, `"2023-02-30T00:00:00Z"`, `"01/02/2023"`, `"2/1/2023"`, `"0000-00-00 00:00:00"`, `true`,
		`["2023-01-01T00:00:00Z"]`, `99999999999999999999`, `"1989-12-31T23:59:59Z"`, `0`, `"0"`, `-5`, `"1970-01-01 00:00:00"`,
		`"0001-01-01T00:00:00Z"`, `"2023-03-04T12:05:01Z"`, `"9999-12-31T23:59:59Z"`, `"2023-03-05"`, `"Sat Mar 4 10:00:00 PST 2023"`} {
		hint("created_at", bad, all...)
	}
	long := `"` + strings.Repeat("x", 600) + `"`
	for _, field := range []string{"tid", "ref_id", "promo_code"} {
		for _, bad := range []string{`true`, `[]`, `{"a":1}`, `1.5`, `"a\u0000b"`, `"a\ud800"`, long} {
			hint(field, bad, signup, sale)
		}
	}
	for _, bad := range []string{`"ann"`, `7`, `[]`, `"a@b.test,c@d.test"`} {
		hint("promoter_email", bad, signup, sale)
	}
	for _, bad := range []string{`"ann"`, `0`, `true`, `1.5`, `"keap-"`} {
		hint("promoter_id", bad, signup, sale)
	}
	f(cancellation, `{"uid":"u","event_id":{}}`, withWarnings(Call{UID: "u"}, "event_id"))
	f(signup, `{"uid":"u","email":"no address"}`, withWarnings(Call{UID: "u"}, "email"))
	f(signup, `{"uid":["u"],"email":"a@shop.test"}`, withWarnings(Call{Email: "a@shop.test"}, "uid"))
	f(sale, `{"uid":"u","event_id":"1","items":[{"plan":"a","amount":1,"quantity":0}]}`,
		withWarnings(Call{UID: "u", EventID: "1", Amount: 1, Items: []Item{{"a", 1, 0}}}, "items[0].quantity"))
	f(sale, `{"uid":"u","event_id":"1","amount":5,"plan":"a\tb"}`, withWarnings(Call{UID: "u", EventID: "1", Amount: 5, Plan: "a b"}, "plan"))
	f(sale, `{"uid":"u","event_id":"1","amount":5,"plan":{"id":7}}`,
		withWarnings(Call{UID: "u", EventID: "1", Amount: 5, Plan: `{"id":7}`}, "plan"))
	f(sale, `{"uid":"u","event_id":"1","amount":5,"plan":"`+strings.Repeat("é", 200)+`"}`,
		withWarnings(Call{UID: "u", EventID: "1", Amount: 5, Plan: strings.Repeat("é", 127)}, "plan"))
	f(signup, `uid=undefined&email=a@shop.test&tid=undefined&ref_id=null&ip=None&created_at=NaN`, Call{Email: "a@shop.test"})
	f(signup, `{"uid":"u","promoter_email":" Ann@Shop.test ","promoter_id":7}`,
		Call{UID: "u", PromoterEmail: "ann@shop.test", PromoterID: "7"})
	f(signup, `{"uid":"u","promoter_id":"keap-12"}`, Call{UID: "u", PromoterID: "keap-12"})
	f(signup, `{"uid":"u","promoter_id":-3}`, Call{UID: "u", PromoterID: "-3"})

	// Other fields cost nothing either.
	f(signup, `uid=u&name=Ren%E9&note=100%&x=%zz`, Call{UID: "u"})
	f(sale, `uid=u&event_id=1&amount=5&plan=Caf%E9`, Call{UID: "u", EventID: "1", Amount: 5, Plan: "Café"})
	f(sale, `uid=u&event_id=1&amount=5&plan=50%+off%2`, Call{UID: "u", EventID: "1", Amount: 5, Plan: "50% off%2"})
	f(signup, `{"uid":"u","name":"\ud83d","deep":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`}`, Call{UID: "u"})
	f(signup, "{\"uid\":\"u\",\"name\":\"Ren\xe9\"}", Call{UID: "u"})

	// What a binary fraction has just missed.
	for text, want := range map[string]int64{`1998.9999999999998`: 1999, `"1998.9999999999998"`: 1999, `3900.0000000000005`: 3900} {
		f(sale, `{"uid":"u","event_id":"1","amount":`+text+`}`, Call{UID: "u", EventID: "1", Amount: want})
	}

	f(signup, `{"email":" Ann+Tag@Shop.TEST\t","tid":"web1.7","ref_id":"anna","uid":"u"}`,
		Call{Email: "ann+tag@shop.test", UID: "u", TID: "web1.7", RefID: "anna"})
	f(signup, `{"uid":12345678901234567890}`, Call{UID: "12345678901234567890"})
	f(signup, `{"uid":"u","email":null,"tid":"","ref_id":" "}`, Call{UID: "u"})
	f(signup, `{"uid":"u","event_id":"not of sign-ups","amount":"not looked at"}`, Call{UID: "u"})
	f(signup, `{"uid":"first","uid":"last"}`, Call{UID: "last"})
	f(signup, `{"UID":"x","uid":"u","custom_fields":{"a":[1,{"b":2}]},"website":"\u0000"}`, Call{UID: "u"})
	f(signup, `uid=first&uid=last+one&website=%00&&=&x`, Call{UID: "last one"})
	f(signup, `{"uid":"u","tid":"`+strings.Repeat("t", maxTID)+`"}`, Call{UID: "u", TID: strings.Repeat("t", maxTID)})
	f(signup, `{"uid":"`+strings.Repeat("é", 127)+`"}`, Call{UID: strings.Repeat("é", 127)})
	f(sale, `{"uid":"u","event_id":"1","amount":9900}`, Call{UID: "u", EventID: "1", Amount: 9900})
	f(sale, `{"uid":"u","event_id":1,"amount":"9900","quantity":"3","currency":"eur","plan":7,"promo_code":"SPRING","mrr":"nothing"}`,
		Call{UID: "u", EventID: "1", Amount: 9900, Quantity: 3, Currency: "EUR", Plan: "7", PromoCode: "SPRING"})
	f(sale, `{"uid":"u","event_id":"1","amount":9900.0}`, Call{UID: "u", EventID: "1", Amount: 9900})
	f(sale, `{"uid":"u","event_id":"1","amount":0}`, Call{UID: "u", EventID: "1"})
	f(sale, `{"uid":"u","event_id":"1","amount":"0099"}`, Call{UID: "u", EventID: "1", Amount: 99})
	f(sale, `{"uid":"u","event_id":"1","amount":10000000000000}`, Call{UID: "u", EventID: "1", Amount: MaxAmount})
	f(sale, `uid=u&event_id=1&amount=9900&plan=Caf%C3%A9+%26+Bar`, Call{UID: "u", EventID: "1", Amount: 9900, Plan: "Café & Bar"})
	f(sale, `{"uid":"u","event_id":"1","items":[{"plan":"a","amount":"1"},{"plan":"b","amount":2,"quantity":3}]}`,
		Call{UID: "u", EventID: "1", Amount: 3, Items: []Item{{"a", 1, 0}, {"b", 2, 3}}})
	f(sale, `{"uid":"u","event_id":"1","amount":3,"items":[{"plan":"a","amount":1},{"plan":"b","amount":2}]}`,
		Call{UID: "u", EventID: "1", Amount: 3, Items: []Item{{"a", 1, 0}, {"b", 2, 0}}})
	for _, none := range []string{`[]`, ` [ ] `, `{}`, `""`, `null`} {
		f(sale, `{"uid":"u","event_id":"1","amount":5,"items":`+none+`}`, Call{UID: "u", EventID: "1", Amount: 5})
	}
	f(refund, `{"uid":"u","event_id":"1","amount":5,"sale_event_id":"s","items":null}`,
		Call{UID: "u", EventID: "1", Amount: 5, SaleEventID: "s"})
	f(cancellation, `{"uid":"u","event_id":"c1"}`, Call{UID: "u", EventID: "c1"})
	f(cancellation, `uid=u`, Call{UID: "u"})

	for _, at := range []string{`"2023-01-01T00:00:00Z"`, `"2023-01-01T02:00:00+02:00"`, `"2023-01-01T00:00:00.999Z"`,
		`"2023-01-01 00:00:00"`, `1672531200`, `"1672531200"`, `1672531200.5`, `1672531200000`, `"1672531200000000"`, `1672531200000000000`,
		`"2023-01-01T00:00:00+0000"`, `"2023-01-01T00:00:00+00"`, `"2023-01-01 00:00:00 +0000"`, `"2023-01-01 00:00:00 UTC"`,
		`"2023-01-01T00:00:00"`, `"2023-01-01T00:00:00.123456"`, `"2023-01-01T00:00Z"`, `"2023-01-01 00:00"`, `"2023/01/01 00:00:00"`,
		`"20230101T000000Z"`, `"Sun, 01 Jan 2023 00:00:00 GMT"`, `"Sun, 01 Jan 2023 02:00:00 +0200"`, `"01 Jan 2023 00:00:00 UTC"`,
		`"Sunday, 01-Jan-23 00:00:00 GMT"`, `"Sun Jan  1 00:00:00 2023"`, `"Sun Jan  1 00:00:00 UTC 2023"`, `"Sun Jan 01 00:00:00 +0000 2023"`,
		`"Sun Jan 01 2023 02:00:00 GMT+0200 (Eastern European Standard Time)"`, `"2023-01-01 00:00:00.5 +0000 UTC m=+0.1"`,
		`"2022-12-31t16:00:00-08:00"`, `"January 1, 2023 12:00 AM"`} {
		f(sale, `{"uid":"u","event_id":"1","amount":5,"created_at":`+at+`}`, Call{UID: "u", EventID: "1", Amount: 5, CreatedAt: jan1})
	}
	const jan13 = 1673640000 // noon of 2023-01-13 in Los Angeles
	for _, at := range []string{`"2023-01-13"`, `"2023/01/13"`, `20230113`, `"20230113"`, `"13 Jan 2023"`, `"Jan 13, 2023"`, `"13-Jan-2023"`,
		`"1/13/2023"`, `"13/01/2023"`, `"13.01.2023"`} {
		f(sale, `{"uid":"u","event_id":"1","amount":5,"created_at":`+at+`}`,
			Call{UID: "u", EventID: "1", Amount: 5, CreatedAt: jan13, OnDay: true})
	}
	f(sale, `{"uid":"u","event_id":"1","amount":5,"created_at":"2023-03-04"}`, // today has only come as far as now
		Call{UID: "u", EventID: "1", Amount: 5, CreatedAt: noon.Unix(), OnDay: true})
	f(signup, `{"uid":"u","created_at":"1990-01-01T00:00:00Z"}`, Call{UID: "u", CreatedAt: earliest})
	f(signup, `{"uid":"u","created_at":"2023-03-04T12:05:00Z"}`, Call{UID: "u", CreatedAt: noon.Unix() + 300})
	for _, yes := range []string{`true`, `"true"`, `1`, `"1"`, `"TRUE"`, `"yes"`, `"on"`} {
		f(refund, `{"uid":"u","event_id":"1","amount":5,"skip_email_notification":`+yes+`}`,
			Call{UID: "u", EventID: "1", Amount: 5, SkipEmail: true})
	}
	for _, no := range []string{`false`, `"false"`, `0`, `"0"`, `"off"`, `null`, `""`} {
		f(refund, `{"uid":"u","event_id":"1","amount":5,"skip_email_notification":`+no+`}`, Call{UID: "u", EventID: "1", Amount: 5})
	}
	for text, want := range map[string]string{"192.0.2.7": "192.0.2.7", "2001:db8::7": "2001:db8::7", "::ffff:192.0.2.7": "192.0.2.7",
		"192.0.2.7:51008": "192.0.2.7", "192.0.2.7, 10.0.0.1": "192.0.2.7", "10.0.0.1,192.0.2.7": "192.0.2.7",
		"[2001:db8::7]:443": "2001:db8::7", "[2001:db8::7]": "2001:db8::7", "unknown, 192.0.2.7": "192.0.2.7",
		`for=\"[2001:db8::7]:4711\";proto=https`: "2001:db8::7",
		`192.0.2.7","10.0.0.1`:                   "192.0.2.7", "2001:db8::7%eth0": "2001:db8::7"} {
		body := `{"uid":"u","ip":"` + text + `"}`
		if strings.Contains(text, `","`) {
			body = `{"uid":"u","ip":["` + text + `"]}`
		}
		c, wrong := parseBody(signup, "application/json", body)
		if wrong != "" || c.Address.String() != want {
			t.Errorf("ip %s: %v %s", text, c, wrong)
		}
	}

	// How the body is labelled.
	label := func(contentType, body string) {
		t.Helper()
		if c, wrong := parseBody(signup, contentType, body); wrong != "" || c.UID != "u" {
			t.Errorf("%q %q: %+v %s", contentType, body, c, wrong)
		}
	}
	label("application/json", "\ufeff \n{\"uid\":\"u\"}\n")
	label("APPLICATION/JSON;charset=UTF-8", `{"uid":"u"}`)
	label("application/vnd.api+json", `{"uid":"u"}`)
	label("", `{"uid":"u"}`)
	label("", `uid=u`)
	label("application/x-www-form-urlencoded", `{"uid":"u"}`)
	label("application/json", `uid=u`)
	label("text/plain;charset=UTF-8", `{"uid":"u"}`)
	label("text/plain", `uid=u&x=1`)
	label("json", `{"uid":"u"}`)
	label("application/x-www-form-urlencoded; charset=UTF-8", `uid=u`)
	label("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\nu\r\n"+
		"--B\r\nContent-Disposition: form-data; name=\"uid\"; filename=\"f\"\r\n\r\nfile\r\n--B--\r\n")
}

// Each wrong field is named, with what would be right.
func TestBodyMistakes(t *testing.T) {
	signup, sale, refund := book.EventSignup, book.EventSale, book.EventRefund
	f := func(kind, body, want string) {
		t.Helper()
		contentType := "application/json"
		if body == "" || body[0] >= 'a' && body[0] <= 'z' {
			contentType = "application/x-www-form-urlencoded"
		}
		if c, wrong := parseBody(kind, contentType, body); wrong != want || c != nil {
			t.Errorf("%.200s\n got %s (%+v)\nwant %s", body, wrong, c, want)
		}
	}
	paid := func(field string) string { return `{"uid":"u","event_id":"1","amount":5,` + field + `}` }
	long := strings.Repeat("x", 256)

	const blank = "email and uid can't both be blank"
	f(signup, `{}`, blank)
	f(signup, ``, blank)
	f(signup, `{"email":"  ","uid":" "}`, blank)
	f(signup, `{"email":"\t"}`, blank)

	// e-mail addresses
	const email = `email must be one e-mail address such as "ann@shop.test", without blanks or commas in it`
	for _, bad := range []string{"ann", "a b@c.test", "a@b@c.test", "@c.test", "a@c", "a@c.test,b@c.test", "Ann <a@c.test>", "a@ c.test",
		"a\u00a0b@c.test"} {
		f(signup, `{"email":"`+bad+`"}`, email)
	}
	f(signup, `{"email":7}`, email)
	f(signup, `{"email":["a@c.test"]}`, email)
	f(signup, `{"email":true}`, email)
	f(signup, `{"email":"ann","uid":true}`, email+"; uid must be text")
	f(signup, `email=undefined&uid=null`, blank)
	f(signup, `email=ann`, email)
	f(signup, `{"email":"a@c.test\u0000"}`, "email must have no control characters")
	f(signup, `{"email":"`+long+`@c.test"}`, "email must be at most 255 bytes long")

	// texts
	f(signup, `{"uid":"`+long+`"}`, "uid must be at most 255 bytes long")
	f(signup, `{"uid":"`+strings.Repeat("é", 128)+`"}`, "uid must be at most 255 bytes long")
	f(signup, `{"uid":"a\u0000b"}`, "uid must have no control characters")
	f(signup, `{"uid":"a\nb"}`, "uid must have no control characters")
	f(signup, `{"uid":"a\u007fb"}`, "uid must have no control characters")
	f(signup, `{"uid":"a\u0085b"}`, "uid must have no control characters")
	f(signup, `uid=a%00b`, "uid must have no control characters")
	f(signup, `{"uid":{"a":1}}`, "uid must be text")
	f(signup, `{"uid":["u"]}`, "uid must be text")
	f(signup, `{"uid":true}`, "uid must be text")
	f(signup, `{"uid":1.5}`, "uid must be text")
	f(signup, `{"uid":1e3}`, "uid must be text")
	f(signup, `{"uid":"\ud800"}`, "uid must have no half characters")
	f(sale, `{"uid":"u","amount":5,"event_id":"undefined"}`, "event_id can't be blank")
	f(sale, `{"uid":"u","amount":5,"event_id":"a\uDC00"}`, "event_id must have no half characters")
	f(refund, `{"uid":"u","event_id":"1","amount":5,"sale_event_id":[]}`, "sale_event_id must be text")
	f(sale, `{"uid":"u","amount":5}`, "event_id can't be blank")
	f(sale, `{"uid":"u","event_id":" ","amount":5}`, "event_id can't be blank")
	f(sale, `{"uid":"u","event_id":"`+long+`","amount":5}`, "event_id must be at most 255 bytes long")
	f(refund, `{"uid":"u","amount":5}`, "event_id can't be blank")

	// amounts
	amount := func(value, want string) {
		t.Helper()
		for _, kind := range []string{sale, refund} {
			f(kind, `{"uid":"u","event_id":"1","amount":`+value+`}`, want)
		}
	}
	const cents = "amount must be a whole number of cents, such as 9900 for 99.00"
	for _, bad := range []string{`99.5`, `99.00`, `"99.00"`, `"99.0"`, `"$99"`, `"1,000"`, `1e3`, `"1e3"`, `"0x10"`, `"ten"`, `"+5"`, `"5 0"`,
		`true`, `[5]`, `{"cents":5}`, `"٣"`, `"-"`, `99.5000000001`, `"99.0000000"`, `1.0000001e3`} {
		amount(bad, cents)
	}
	amount(`null`, "amount can't be blank")
	amount(`""`, "amount can't be blank")
	amount(`-1`, "amount must be 0 or more")
	amount(`"-99999999999999999999"`, "amount must be 0 or more")
	amount(`10000000000001`, "amount must be at most 10000000000000")
	amount(`99999999999999999999`, "amount must be at most 10000000000000")
	f(sale, `uid=u&event_id=1&amount=99.00`, cents)
	f(sale, `uid=u&event_id=1`, "amount can't be blank")

	// currencies
	for _, bad := range []string{`"US"`, `"DOLLAR"`, `"U$D"`, `"U5D"`, `"ÅÅÅ"`, `"éa"`, `840`} {
		f(sale, paid(`"currency":`+bad), "currency must be three letters such as USD")
	}

	// products
	items := func(text string) string { return `{"uid":"u","event_id":"1","items":` + text + `}` }
	const list = `items must be a JSON list of 1 to 100 products such as [{"plan": "pro", "amount": 9900}]`
	for _, bad := range []string{`{"plan":"a","amount":1}`, `"[]"`, `5`, `true`,
		`[` + strings.Repeat(`{"plan":"a","amount":1},`, 100) + `{"plan":"a","amount":1}]`} {
		if _, wrong := parseBody(sale, "application/json", items(bad)); !strings.HasPrefix(wrong, list) {
			t.Errorf("items %s: %s", bad, wrong)
		}
	}
	f(sale, items(`[5]`), `items must be a list of objects such as {"plan": "pro", "amount": 9900}`)
	f(sale, items(`[{"plan":"a","amount":1},{"amount":-1,"quantity":0}]`),
		"items[1].plan can't be blank; items[1].amount must be 0 or more")
	f(sale, items(`[{"plan":"a"}]`), "items[0].amount can't be blank")
	f(sale, items(`[{"plan":"a","amount":9.5}]`), "items[0].amount must be a whole number of cents, such as 9900 for 99.00")
	f(sale, `{"uid":"u","event_id":"1","amount":4,"items":[{"plan":"a","amount":1},{"plan":"b","amount":2}]}`,
		"amount must be the sum of the items, and 4 is not 3")
	f(sale, items(`[{"plan":"a","amount":10000000000000},{"plan":"b","amount":1}]`), "amount must be at most 10000000000000")
	f(sale, `uid=u&event_id=1&items[0][plan]=a&items[0][amount]=5`, "items are taken in JSON only: send Content-Type: application/json")
	for _, none := range []string{`[]`, ` [ ] `, `{}`, `""`} {
		f(sale, items(none), "amount can't be blank")
	}
	f(refund, paid(`"items":[{}]`), "items are of sales: say with sale_event_id which sale is refunded, and one refund a product")

	// several at once, in the order of reading
	f(sale, `{"email":"x","amount":"x","currency":"x","quantity":"x","created_at":"x","ip":"x","event_id":false}`,
		email+"; event_id must be text; "+cents+"; currency must be three letters such as USD")
}

// What is no body of a call at all.
func TestBodiesRefused(t *testing.T) {
	f := func(contentType, body string, want *bodyError) {
		t.Helper()
		if got, err := readBody([]byte(body), contentType); err != want {
			t.Errorf("%q %.60q: %v %v, want %v", contentType, body, got, err, want)
		}
	}
	const isJSON, isForm = "application/json", "application/x-www-form-urlencoded"
	for _, body := range []string{`null`, `5`, `"text"`, `[]`, `[{"uid":"u"}]`, `{`, `{"uid":"u"`, `{"uid":u}`, `{'uid':'u'}`,
		`{"uid":"u"} {}`, `{"uid":"u"},`, `<uid>u</uid>`, `{"a":01}`, `{"a":NaN}`, "{\"a\":\"\x00\"}", `{"a":"\x"}`} {
		f(isJSON, body, errNotJSON)
	}
	f("", `uid u`, errNotJSON)
	f(isJSON, `{"x":`+strings.Repeat(`[`, 20_000)+strings.Repeat(`]`, 20_000)+`}`, errTooDeep)
	f(isForm, `{"x":`+strings.Repeat(`{"x":`, 20_000)+`1`+strings.Repeat(`}`, 20_001), errTooDeep)
	f("multipart/form-data", "--B--", errNotForm)
	f("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\nu", errNotForm)
	others := []string{"text/plain", "text/xml", "application/octet-stream", "application/xml", "json", "/", "application/jsonp"}
	for _, other := range others {
		f(other, `<uid name="a">u</uid>`, errMediaType)
	}
	// Brackets in texts are no lists.
	if _, err := readBody([]byte(`{"uid":"`+strings.Repeat("[", 99)+`\"[[{{{{{{"}`), isJSON); err != nil {
		t.Error(err)
	}
}

// Bounds are what the largest good thing has.
func TestBounds(t *testing.T) {
	nested := func(n int) []byte { // a list in lists, n deep with the object around it
		return []byte(`{"email":"a@shop.test","extra":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}")
	}
	if _, err := readBody(nested(maxDepth), "application/json"); err != nil {
		t.Errorf("%d deep: %v", maxDepth, err)
	}
	if _, err := readBody(nested(maxDepth+1), "application/json"); err != errTooDeep {
		t.Errorf("%d deep: %v", maxDepth+1, err)
	}
	good := strings.Repeat("k", minKeyLength)
	for _, bad := range []string{"\x01", "\x7f", "\v", "é"} {
		if keys, err := ParseKeys(good + bad + good); err == nil {
			t.Errorf("a key with %q in it makes %d keys", bad, len(keys))
		} else if strings.Contains(err.Error(), good) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
}

// Fields may come in the address, and those of the body go before them.
func TestFieldsInTheAddress(t *testing.T) {
	ctx := &fasthttp.RequestCtx{}
	ctx.Request.Header.SetContentType("application/json")
	ctx.Request.SetBodyString(`{"email":"a@shop.test"}`)
	in := incoming{ctx: ctx, query: "email=b@shop.test&ref_id=anna"}
	f, err := in.readFields()
	if err != nil || f["ref_id"].text != "anna" || f["email"].text != "a@shop.test" {
		t.Errorf("%v, %v", f, err)
	}
}

// Whatever is sent, reading it never panics, and a call is never outside of what Call
// promises.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"email":"a@b.test","event_id":"1","amount":9900,"items":[{"plan":"a","amount":9900}],"created_at":"2023-01-01T00:00:00Z","ip":"::1"}`,
		`email=a%40b.test&event_id=1&amount=9900&currency=usd&quantity=2&skip_email_notification=1`,
		`{"uid":"\ud800","amount":-0.0,"created_at":1e9}`, `{"email":"İ@b.test","uid":" ","amount":"00"}`,
		"--B\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\nu\r\n--B--\r\n",
	} {
		f.Add(uint8(0), uint8(0), seed)
		f.Add(uint8(1), uint8(1), seed)
		f.Add(uint8(2), uint8(2), seed)
	}
	kinds := Endpoints[1:]
	labels := []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B", ""}
	f.Fuzz(func(t *testing.T, kind, label uint8, body string) {
		c, wrong := parseBody(kinds[int(kind)%len(kinds)], labels[int(label)%len(labels)], body)
		if wrong != "" || c == nil {
			if c != nil || wrong == "" {
				t.Fatalf("neither a call nor a mistake: %+v %q", c, wrong)
			}
			return
		}
		text := func(s string, max int) {
			t.Helper()
			if len(s) > max || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || s != strings.Trim(s, " ") {
				t.Fatalf("%q of %+v", s, c)
			}
		}
		for _, s := range []string{c.Email, c.UID, c.EventID, c.Plan, c.RefID, c.PromoCode, c.SaleEventID} {
			text(s, maxText)
		}
		text(c.TID, maxTID)
		if c.Email == "" && c.UID == "" || c.Amount < 0 || c.Amount > MaxAmount || c.Quantity < 0 || c.Quantity > maxQuantity {
			t.Fatalf("%+v", c)
		}
		if key, ok := terms.EmailKey(c.Email); c.Email != "" && (!ok || key != c.Email) {
			t.Fatalf("e-mail %q", c.Email)
		}
		if c.CreatedAt != 0 && (c.CreatedAt < earliest || c.CreatedAt > noon.Add(maxClockAhead).Unix()) {
			t.Fatalf("created at %d", c.CreatedAt)
		}
		if cur := c.Currency; cur != "" && (len(cur) != 3 || strings.Trim(cur, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
			t.Fatalf("currency %q", cur)
		}
		if (c.Kind == book.EventSale || c.Kind == book.EventRefund) && c.EventID == "" {
			t.Fatalf("no event id: %+v", c)
		}
		sum := int64(0)
		for _, item := range c.Items {
			text(item.Plan, maxText)
			sum += item.Amount
			if item.Plan == "" || item.Amount < 0 || item.Amount > MaxAmount || item.Quantity < 0 || item.Quantity > maxQuantity {
				t.Fatalf("%+v", c)
			}
		}
		if c.Items != nil && (sum != c.Amount || c.Kind != book.EventSale) {
			t.Fatalf("%+v", c)
		}
	})
}
