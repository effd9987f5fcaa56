package terms

import (
	"testing"
)

func TestEmailKey(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		if got, ok := EmailKey(raw); got != want || ok != (want != "") {
			t.Errorf("EmailKey(%q) = %q, %v; want %q", raw, got, ok, want)
		}
	}
	f("ann@carrot.test", "ann@carrot.test")
	f("  Ann.Lee@Carrot.TEST\t", "ann.lee@carrot.test")
	f("ann+keap@carrot.test", "ann+keap@carrot.test")
	f("ÁNN@carrot.test", "ánn@carrot.test")
	// Letters that are no capitals of others: two people, not one.
	f("ran\u212Ain@carrot.test", "ran\u212Ain@carrot.test")
	f("RAN\u212AIN@Carrot.test", "ran\u212Ain@carrot.test")
	f("\u0130nes@carrot.test", "\u0130nes@carrot.test")
	f("\u212Bsa@carrot.test", "\u212Bsa@carrot.test")
	f("ma\u017Fter@carrot.test", "ma\u017Fter@carrot.test")
	for _, none := range []string{"", "none", "ann", "@carrot.test", "ann@", "ann@carrot", "a@b@carrot.test", "ann lee@carrot.test", "ann@carrot.test, bob@carrot.test", "ann@carrot.test bob", "ann\u00a0lee@carrot.test", "Ann <ann@carrot.test>"} {
		f(none, "")
	}
}

func TestRefToken(t *testing.T) {
	f := func(code, want string) {
		t.Helper()
		if got := RefToken(code); got != want {
			t.Errorf("RefToken(%q) = %q, want %q", code, got, want)
		}
	}
	f("RI_967048", "ri_967048")
	f("josé-live", "jos--live")
	f("日本", "--")
	f("a.b c&d", "a-b-c-d")
	f("ÑandúTrail", "-and-trail")
}
