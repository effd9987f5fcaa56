package click

import (
	"reflect"
	"testing"
	"time"

	"carryover/mapping/book"
)

func fullClick() book.Click {
	return book.Click{
		At: time.UnixMilli(1680306400123).UTC(), Host: "go.carrot.test", Path: "/go/demo/ANNA", Params: "aff,fpr", Outcome: "forward",
		Token: "anna", Link: "demo", Ad: "mail-1", Miss: true, Expired: true, Referrer: "https://example.com", UserAgent: "Mozilla/5.0 é",
		Visitor: "0123456789abcdef", Signals: uint32(SecFetch | PublicAddr), Epoch: 42, Verdict: Human, Reason: "navigation", Rules: Rules,
	}
}

func TestStoredFormKeepsEverything(t *testing.T) {
	for _, want := range []book.Click{fullClick(), {At: time.UnixMilli(0).UTC()}} {
		got, err := Decode(Append(nil, &want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v (%v)\nwant %+v", got, err, want)
		}
	}
}

func TestStoredFormIsNeverGuessed(t *testing.T) {
	c := fullClick()
	whole := Append(nil, &c)
	for n := range whole {
		if _, err := Decode(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were read as a click", n, len(whole))
		}
	}
	if _, err := Decode(append(whole, 0)); err == nil {
		t.Error("a byte too many was read as a click")
	}
	whole[0] = codecVersion + 1
	if _, err := Decode(whole); err == nil {
		t.Error("a newer form was read")
	}
}

func FuzzDecode(f *testing.F) {
	c := fullClick()
	f.Add(Append(nil, &c))
	f.Add([]byte{codecVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Decode(src)
		if err != nil {
			return
		}
		again, err := Decode(Append(nil, &c))
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%+v came back as %+v (%v)", c, again, err)
		}
	})
}
