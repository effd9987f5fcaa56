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

// parseBody reads a body as version 1 of the API does, which takes all there is: what was
// understood of it, or what is wrong.
func parseBody(kind, contentType, body string) (*Call, string) {
	f, err := readBody([]byte(body), contentType, true)
	if err != nil {
		return nil, err.Error()
	}
	c, wrongs := readCall(kind, f, noon)
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
		if wrong != "" || fmt.Sprint(*c) != fmt.Sprint(want) {
			t.Errorf("%s\n got %+v %s\nwant %+v", body, c, wrong, want)
		}
	}
	const jan1 = 1672531200
	signup, sale, refund, cancellation := book.EventSignup, book.EventSale, book.EventRefund, book.EventCancellation

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
	f(refund, `{"uid":"u","event_id":"1","amount":5,"sale_event_id":"s","items":null}`,
		Call{UID: "u", EventID: "1", Amount: 5, SaleEventID: "s"})
	f(cancellation, `{"uid":"u","event_id":"c1"}`, Call{UID: "u", EventID: "c1"})
	f(cancellation, `uid=u`, Call{UID: "u"})

	for _, at := range []string{`"2023-01-01T00:00:00Z"`, `"2023-01-01T02:00:00+02:00"`, `"2023-01-01T00:00:00.999Z"`,
		`"2023-01-01 00:00:00"`, `1672531200`, `"1672531200"`} {
		f(sale, `{"uid":"u","event_id":"1","amount":5,"created_at":`+at+`}`, Call{UID: "u", EventID: "1", Amount: 5, CreatedAt: jan1})
	}
	f(signup, `{"uid":"u","created_at":"1990-01-01T00:00:00Z"}`, Call{UID: "u", CreatedAt: earliest})
	f(signup, `{"uid":"u","created_at":"2023-03-04T12:05:00Z"}`, Call{UID: "u", CreatedAt: noon.Unix() + 300})
	for _, yes := range []string{`true`, `"true"`, `1`, `"1"`, `"TRUE"`} {
		f(refund, `{"uid":"u","event_id":"1","amount":5,"skip_email_notification":`+yes+`}`,
			Call{UID: "u", EventID: "1", Amount: 5, SkipEmail: true})
	}
	for _, no := range []string{`false`, `"false"`, `0`, `"0"`, `null`, `""`} {
		f(refund, `{"uid":"u","event_id":"1","amount":5,"skip_email_notification":`+no+`}`, Call{UID: "u", EventID: "1", Amount: 5})
	}
	for text, want := range map[string]string{"192.0.2.7": "192.0.2.7", "2001:db8::7": "2001:db8::7", "::ffff:192.0.2.7": "192.0.2.7",
		"fe80::1%eth0": "fe80::1"} {
		c, wrong := parseBody(signup, "application/json", `{"uid":"u","ip":"`+text+`"}`)
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
		f(signup, `{"email":"`+bad+`","uid":"u"}`, email)
	}
	f(signup, `{"email":7}`, email)
	f(signup, `{"email":["a@c.test"]}`, email)
	f(signup, `{"email":true}`, email)
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
	f(signup, `{"uid":"u","tid":"`+strings.Repeat("t", maxTID+1)+`"}`, "tid must be at most 512 bytes long")
	f(signup, `{"uid":"u","ref_id":false,"promo_code":[]}`, "ref_id must be text; promo_code must be text")
	f(sale, `{"uid":"u","amount":5}`, "event_id can't be blank")
	f(sale, `{"uid":"u","event_id":" ","amount":5}`, "event_id can't be blank")
	f(sale, `{"uid":"u","event_id":"`+long+`","amount":5}`, "event_id must be at most 255 bytes long")
	f(refund, `{"uid":"u","amount":5}`, "event_id can't be blank")
	f(sale, paid(`"plan":"a\tb"`), "plan must have no control characters")

	// amounts
	amount := func(value, want string) {
		t.Helper()
		for _, kind := range []string{sale, refund} {
			f(kind, `{"uid":"u","event_id":"1","amount":`+value+`}`, want)
		}
	}
	const cents = "amount must be a whole number of cents, such as 9900 for 99.00"
	for _, bad := range []string{`99.5`, `99.00`, `"99.00"`, `"99.0"`, `"$99"`, `"1,000"`, `1e3`, `"1e3"`, `"0x10"`, `"ten"`, `"+5"`, `"5 0"`,
		`true`, `[5]`, `{"cents":5}`, `"٣"`, `"-"`} {
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

	// quantities, currencies, flags, addresses
	f(sale, paid(`"quantity":0`), "quantity must be 1 or more")
	f(sale, paid(`"quantity":1000001`), "quantity must be at most 1000000")
	f(sale, paid(`"quantity":1.5`), "quantity must be a whole number")
	for _, bad := range []string{`"US"`, `"DOLLAR"`, `"U$D"`, `"U5D"`, `"ÅÅÅ"`, `"éa"`, `840`} {
		f(sale, paid(`"currency":`+bad), "currency must be three letters such as USD")
	}
	f(sale, paid(`"skip_email_notification":"maybe"`), "skip_email_notification must be true or false")
	f(sale, paid(`"skip_email_notification":2`), "skip_email_notification must be true or false")
	f(sale, paid(`"skip_email_notification":[true]`), "skip_email_notification must be true or false")
	for _, bad := range []string{"unknown", "192.0.2.7, 10.0.0.1", "192.0.2.256", "192.0.2.7:80", "shop.test"} {
		f(signup, `{"uid":"u","ip":"`+bad+`"}`, "ip must be an IP address")
	}

	// times
	at := func(value, want string) {
		t.Helper()
		for _, kind := range []string{signup, sale, refund, book.EventCancellation} {
			f(kind, paid(`"created_at":`+value), want)
		}
	}
	const form = "created_at must be a time such as 2023-03-04T10:00:00Z"
	for _, bad := range []string{`"yesterday"`, `"2023-02-30T00:00:00Z"`, `"2023-01-01"`, `"2023-01-01T00:00:00"`, `"01/02/2023"`,
		`"0000-00-00 00:00:00"`, `1672531200.5`, `true`, `["2023-01-01T00:00:00Z"]`, `99999999999999999999`} {
		at(bad, form)
	}
	for _, bad := range []string{`"1989-12-31T23:59:59Z"`, `0`, `"0"`, `-5`, `"1970-01-01 00:00:00"`, `"0001-01-01T00:00:00Z"`} {
		at(bad, "created_at must not be before 1990")
	}
	for _, bad := range []string{`"2023-03-04T12:05:01Z"`, `"9999-12-31T23:59:59Z"`, `1672531200000`} {
		at(bad, "created_at must not be in the future (a number is a time in seconds)")
	}

	// products
	items := func(text string) string { return `{"uid":"u","event_id":"1","items":` + text + `}` }
	const list = `items must be a JSON list of 1 to 100 products such as [{"plan": "pro", "amount": 9900}]`
	for _, bad := range []string{`[]`, `{}`, `{"plan":"a","amount":1}`, `"[]"`, `5`, `true`,
		`[` + strings.Repeat(`{"plan":"a","amount":1},`, 100) + `{"plan":"a","amount":1}]`} {
		if _, wrong := parseBody(sale, "application/json", items(bad)); !strings.HasPrefix(wrong, list) {
			t.Errorf("items %s: %s", bad, wrong)
		}
	}
	f(sale, items(`[5]`), `items must be a list of objects such as {"plan": "pro", "amount": 9900}`)
	f(sale, items(`[{"plan":"a","amount":1},{"amount":-1,"quantity":0}]`),
		"items[1].plan can't be blank; items[1].amount must be 0 or more; items[1].quantity must be 1 or more")
	f(sale, items(`[{"plan":"a"}]`), "items[0].amount can't be blank")
	f(sale, items(`[{"plan":"a","amount":9.5}]`), "items[0].amount must be a whole number of cents, such as 9900 for 99.00")
	f(sale, `{"uid":"u","event_id":"1","amount":4,"items":[{"plan":"a","amount":1},{"plan":"b","amount":2}]}`,
		"amount must be the sum of the items, and 4 is not 3")
	f(sale, items(`[{"plan":"a","amount":10000000000000},{"plan":"b","amount":1}]`), "amount must be at most 10000000000000")
	f(sale, `uid=u&event_id=1&items[0][plan]=a&items[0][amount]=5`, "items are taken in JSON only: send Content-Type: application/json")
	f(refund, paid(`"items":[]`), "items are of sales: say with sale_event_id which sale is refunded, and one refund a product")

	// several at once, in the order of reading
	f(sale, `{"email":"x","amount":"x","currency":"x","quantity":"x","created_at":"x","ip":"x","event_id":false}`,
		email+"; "+form+"; event_id must be text; "+cents+
			"; currency must be three letters such as USD; quantity must be a whole number; ip must be an IP address")
}

// What is no body of a call at all.
func TestBodiesRefused(t *testing.T) {
	f := func(contentType, body string, forms bool, want *bodyError) {
		t.Helper()
		if got, err := readBody([]byte(body), contentType, forms); err != want {
			t.Errorf("%q %.60q: %v %v, want %v", contentType, body, got, err, want)
		}
	}
	const isJSON, isForm = "application/json", "application/x-www-form-urlencoded"
	for _, body := range []string{``, ` `, `null`, `5`, `"text"`, `[]`, `[{"uid":"u"}]`, `{`, `{"uid":"u"`, `{"uid":u}`, `{'uid':'u'}`,
		`{"uid":"u"} {}`, `{"uid":"u"},`, `uid=u`, `<uid>u</uid>`, `{"a":01}`, `{"a":NaN}`, "{\"a\":\"\x00\"}", `{"a":"\x"}`} {
		f(isJSON, body, false, errNotJSON)
	}
	f("", `uid=u`, false, errNotJSON)
	f(isJSON, "{\"uid\":\"\xff\"}", true, errEncoding)
	f(isJSON, "{\"\xff\":1}", true, errEncoding)
	f(isJSON, `{"uid":"\ud800"}`, true, errEncoding)
	f(isJSON, `{"uid":"\uDC00\ud800"}`, true, errEncoding)
	f(isJSON, strings.Repeat("[", 9), true, errTooDeep)
	f(isJSON, `{"x":`+strings.Repeat(`[`, 20_000)+strings.Repeat(`]`, 20_000)+`}`, true, errTooDeep)
	f(isJSON, `{"x":`+strings.Repeat(`{"x":`, 20_000)+`1`+strings.Repeat(`}`, 20_001), true, errTooDeep)
	f(isForm, "uid=%", true, errNotForm)
	f(isForm, "uid=%zz", true, errNotForm)
	f(isForm, "uid=%ff", true, errEncoding)
	f(isForm, "%ff=u", true, errEncoding)
	f(isForm, `{"uid":"u"}`, true, errMislabeled)
	f(isForm, `{"uid":"u"}`, false, errMislabeled)
	f(isForm, "uid=u", false, errFormToV2)
	f("multipart/form-data; boundary=B", "--B--", false, errFormToV2)
	f("multipart/form-data", "--B--", true, errNotForm)
	f("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\nu", true, errNotForm)
	others := []string{"text/plain", "text/xml", "application/octet-stream", "application/xml", "json", "/", "application/jsonp"}
	for _, other := range others {
		f(other, `{"uid":"u"}`, true, errMediaType)
	}
	// Brackets in texts are no lists.
	if _, err := readBody([]byte(`{"uid":"[[[[[[[[[[[[\"[[[[[[{{{{{{"}`), isJSON, true); err != nil {
		t.Error(err)
	}
}

// Bounds are what the largest good thing has.
func TestBounds(t *testing.T) {
	nested := func(n int) []byte { // a list in lists, n deep with the object around it
		return []byte(`{"email":"a@shop.test","extra":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}")
	}
	if _, err := readBody(nested(maxDepth), "application/json", false); err != nil {
		t.Errorf("%d deep: %v", maxDepth, err)
	}
	if _, err := readBody(nested(maxDepth+1), "application/json", false); err != errTooDeep {
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

// Only the first version of the API takes fields of the address, and those of the body go
// before them: whoever can write a link to version 2 cannot say who brought the customer.
func TestFieldsInTheAddress(t *testing.T) {
	for _, v1 := range []bool{false, true} {
		ctx := &fasthttp.RequestCtx{}
		ctx.Request.Header.SetContentType("application/json")
		ctx.Request.SetBodyString(`{"email":"a@shop.test"}`)
		f, err := readRequest(ctx, v1, "email=b@shop.test&ref_id=anna")
		if err != nil {
			t.Fatal(err)
		}
		if _, there := f["ref_id"]; there != v1 || f["email"].text != "a@shop.test" {
			t.Errorf("version 1 is %v: %v", v1, f)
		}
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
