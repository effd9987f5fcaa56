package click

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"carryover/mapping"
	"carryover/mapping/book"
)

// clockTolerance is how far ahead the clock of another gateway may be.
const clockTolerance = 24 * time.Hour

// oldest is before the first click that any gateway can have recorded.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// checkClick says why a click that came from another machine cannot be one that a gateway
// recorded. Texts are percent-encoded where they are recorded, so none holds what is not printable.
func checkClick(c *book.Click, now time.Time) error {
	switch {
	case !IsNode(c.Node):
		return fmt.Errorf("it is of %.40q, which is no name of a gateway", c.Node)
	case c.Seq <= 0:
		return fmt.Errorf("its number is %d", c.Seq)
	case c.At.Before(oldest) || c.At.After(now.Add(clockTolerance)):
		return fmt.Errorf("its time is %s", c.At.Format(time.RFC3339))
	case c.Epoch < 0 || c.Rules < 0:
		return fmt.Errorf("its epoch is %d, its rules are %d", c.Epoch, c.Rules)
	case !slices.Contains(mapping.Outcomes(), c.Outcome):
		return fmt.Errorf("its outcome is %.40q", c.Outcome)
	case !slices.Contains([]string{Human, Preview, Bot, Scanner, Prefetch, Frame}, c.Verdict):
		return fmt.Errorf("its verdict is %.40q", c.Verdict)
	case c.Visitor != "" && (len(c.Visitor) != 16 || strings.Trim(c.Visitor, "0123456789abcdef") != ""):
		return fmt.Errorf("its visitor is %.40q", c.Visitor)
	}
	for _, text := range [...]struct {
		name, value string
		most        int // bytes; encoding makes what was cut a little longer again
	}{
		{"host", c.Host, 300}, {"path", c.Path, 2100}, {"params", c.Params, 2100}, {"token", c.Token, 300},
		{"link", c.Link, 1100}, {"ad", c.Ad, 300},
		{"referrer", c.Referrer, 300}, {"user agent", c.UserAgent, 600}, {"reason", c.Reason, 300},
	} {
		if len(text.value) > text.most {
			return fmt.Errorf("its %s has %d bytes", text.name, len(text.value))
		}
		if !utf8.ValidString(text.value) || strings.ContainsFunc(text.value, unicode.IsControl) {
			return fmt.Errorf("its %s holds what is not printable: %.40q", text.name, text.value)
		}
	}
	return nil
}
