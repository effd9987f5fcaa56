package suggest

import "testing"

func TestNearest(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := Nearest(name, []string{"customers", "clicks", "links", "join"}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	f("costumers", "customers")
	f("Customer", "customers")
	f("link", "links")
	f("click", "clicks")
	f("jion", "") // two letters of four
	f("joi", "join")
	f("refunds", "")
	f("", "")
}
