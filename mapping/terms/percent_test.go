package terms

import "testing"

func TestParsePercent(t *testing.T) {
	f := func(input string, want Percent, text string) {
		t.Helper()
		if got, err := ParsePercent(input); err != nil || got != want || got.String() != text {
			t.Errorf("%q: %d %v (%s), want %d (%s)", input, got, err, got, want, text)
		}
	}
	f("25", 250_000, "25%")
	f("12.5%", 125_000, "12.5%")
	f(" 12.5 % ", 125_000, "12.5%")
	f("0", 0, "0%")
	f("0.0001", 1, "0.0001%")
	f("33.3333", 333_333, "33.3333%")
	f("100.0000%", 1_000_000, "100%")
	for _, s := range []string{"", "%", "25%%", "-1", "+1", "100.0001", "101", "1.00000", ".5", "5.", "1,5", "half", "1e1", "0x10",
		"99999999999", "NaN", "1_0"} {
		if got, err := ParsePercent(s); err == nil || got != 0 {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func FuzzParsePercent(f *testing.F) {
	f.Add("12.5%")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePercent(s)
		if err != nil {
			return
		}
		if back, err := ParsePercent(p.String()); err != nil || back != p || p < 0 || p > OneHundredPercent {
			t.Fatalf("%q is %d and comes back as %d, %v", s, p, back, err)
		}
	})
}
