package console

import (
	"slices"
	"strings"
	"testing"
)

func TestTakeSecret(t *testing.T) {
	f := func(line, rest, address string) {
		t.Helper()
		got, url := TakeSecret(strings.Fields(line), "--redis")
		if url != address || !slices.Equal(got, strings.Fields(rest)) {
			t.Errorf("%s: %q, %q", line, got, url)
		}
	}
	const secret = "redis://:hunter2@r.test:6379/0"
	f("carryover gateway", "carryover gateway", "")
	f("carryover --redis "+secret+" gateway --at x", "carryover gateway --at x", secret)
	f("carryover gateway --redis="+secret, "carryover gateway", secret)
	f("carryover gateway --redis redis://r.test", "carryover gateway --redis redis://r.test", "")
	f("carryover gateway --redis rediss://ops@r.test", "carryover gateway", "rediss://ops@r.test") // "user:password" of some services is one word
	f("carryover gateway --redis redis://:hunter%2@r.test", "carryover gateway", "redis://:hunter%2@r.test")
	f("carryover --redis "+secret+" --redis redis://r.test map", "carryover --redis "+secret+" --redis redis://r.test map", "")
	f("carryover --redis redis://r.test --redis "+secret+" map", "carryover map", secret)
	f("carryover explain -- --redis "+secret, "carryover explain -- --redis "+secret, "")
	f("carryover gateway --redis", "carryover gateway --redis", "")
	f("carryover gateway --redistribute "+secret, "carryover gateway --redistribute "+secret, "")
}
