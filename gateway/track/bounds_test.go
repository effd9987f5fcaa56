package track

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// Bounds are what the largest good thing has.
func TestBoundsOfBodiesAndKeys(t *testing.T) {
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
func TestFieldsOfTheAddress(t *testing.T) {
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
