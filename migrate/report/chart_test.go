package report

import (
	"fmt"
	"math"
	"testing"

	"carryover/migrate"
)

// months makes n months from the given one, of whole amounts in a currency.
func months(year, month, n int, currency string) []migrate.MonthTotals {
	var list []migrate.MonthTotals
	for i := range n {
		at := year*12 + month - 1 + i
		list = append(list, migrate.MonthTotals{
			Month: fmt.Sprintf("%04d-%02d", at/12, at%12+1), Currency: currency,
			Commissions: int64(100_000 + 37_311*(i%7)), Clawbacks: int64(9_900 * (i % 3)), Payments: int64(90_000 + 21_017*(i%5)),
		})
	}
	return list
}

func TestChartPeriods(t *testing.T) {
	f := func(list []migrate.MonthTotals, period string, bars int, labels, narrow string) {
		t.Helper()
		c := drawMonths(list, "USD")
		gotLabels, gotNarrow := "", ""
		for _, b := range c.Bars {
			if b.Label != "" {
				gotLabels += b.Label + "; "
				if !b.Wide {
					gotNarrow += b.Label + "; "
				}
			}
		}
		if c.Period != period || len(c.Bars) != bars || gotLabels != labels || gotNarrow != narrow {
			t.Errorf("%d bars by %s, %q and %q, want %d by %s, %q and %q", len(c.Bars), c.Period, gotLabels, gotNarrow, bars, period, labels,
				narrow)
		}
	}
	f(months(2023, 3, 1, "USD"), "month", 1, "Mar 2023; ", "Mar 2023; ")
	f(months(2022, 11, 5, "USD"), "month", 5, "Nov 2022; Dec 2022; Jan 2023; Feb 2023; Mar 2023; ", "Nov 2022; Jan 2023; Mar 2023; ")
	f(months(2021, 1, 27, "USD"), "month", 27, "Jan 2021; May 2021; Sep 2021; Jan 2022; May 2022; Sep 2022; Jan 2023; ",
		"Jan 2021; Jan 2022; Jan 2023; ")
	f(months(2015, 2, 60, "USD"), "quarter", 21, "Q1 2015; Q1 2016; Q1 2017; Q1 2018; Q1 2019; Q1 2020; ", "Q1 2016; Q1 2018; Q1 2020; ")
	f(months(2001, 1, 300, "USD"), "year", 25, "2005; 2010; 2015; 2020; 2025; ", "2010; 2020; ")
	// Months of no money are there; a slip of a year does not make a chart of 24,000 bars.
	f(append(months(2021, 1, 1, "USD"), months(2021, 12, 1, "USD")...), "month", 12,
		"Jan 2021; Mar 2021; May 2021; Jul 2021; Sep 2021; Nov 2021; ", "Jan 2021; May 2021; Sep 2021; ")
	f(append(months(202, 1, 1, "USD"), months(2022, 3, 1, "USD")...), "50 years", 37,
		"0250–0299; 0500–0549; 0750–0799; 1000–1049; 1250–1299; 1500–1549; 1750–1799; 2000–2049; ",
		"0500–0549; 1000–1049; 1500–1549; 2000–2049; ")

	if c := drawMonths(months(2021, 1, 3, "USD"), "EUR"); c != nil {
		t.Errorf("a chart of no month: %+v", c)
	}
	if c := drawMonths([]migrate.MonthTotals{{Month: "soon", Currency: "USD"}}, "USD"); c != nil {
		t.Errorf("a chart of no month: %+v", c)
	}
}

// Whatever the amounts are, every bar stands within the chart, and its parts do not
// cover each other.
func TestChartStaysInItsFrame(t *testing.T) {
	f := func(list ...migrate.MonthTotals) {
		t.Helper()
		for i := range list {
			list[i].Month, list[i].Currency = fmt.Sprintf("2021-%02d", i+1), "USD"
		}
		c := drawMonths(list, "USD")
		if n := len(c.Ticks); n < 2 || n > 9 {
			t.Errorf("%+v: %d lines", list, n)
		}
		for _, b := range c.Bars {
			up, down := c.Zero, c.Zero
			for _, p := range b.Parts {
				// The least height of what is tiny may stand out by a pixel for each part.
				if p.Y < chartTop-3 || p.Y+p.H > chartBottom+3 || p.H <= 0 || p.W <= 0 || p.X < 0 || p.X+p.W > 100 {
					t.Errorf("%s: %+v is outside", b.Says, p)
				}
				switch {
				case near(p.Y+p.H, up):
					up = p.Y
				case near(p.Y, down):
					down = p.Y + p.H
				default:
					t.Errorf("%s: %+v covers another part", b.Says, p)
				}
			}
		}
	}
	f(migrate.MonthTotals{})
	f(migrate.MonthTotals{Commissions: 1})
	f(migrate.MonthTotals{Payments: 1})
	f(migrate.MonthTotals{Commissions: 1_000_000_00, Clawbacks: 1, Payments: 1})
	f(migrate.MonthTotals{Commissions: -500, Clawbacks: -700, Payments: -900},
		migrate.MonthTotals{Commissions: 400, Clawbacks: 300, Payments: 10})
	f(migrate.MonthTotals{Commissions: 1e17, Clawbacks: 1e17, Payments: 1e17}, migrate.MonthTotals{Commissions: -1e17})
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.05 }

func TestScale(t *testing.T) {
	f := func(above, below int64, currency, want string) {
		t.Helper()
		c := &chart{}
		c.scale([]migrate.MonthTotals{{Commissions: above, Payments: below}}, currency)
		got := ""
		for _, k := range c.Ticks {
			got += k.Text + " "
		}
		if got != want {
			t.Errorf("scale(%d, %d, %s) = %s, want %s", above, below, currency, got, want)
		}
	}
	f(0, 0, "USD", "0.01 0 ")
	f(3, 0, "USD", "0.03 0.02 0.01 0 ")
	f(160_312, 311_577, "USD", "2,000 1,000 0 −1,000 −2,000 −3,000 −4,000 ")
	f(9_000_000, 0, "USD", "100k 80k 60k 40k 20k 0 ")
	f(9_000_000, 0, "JPY", "10m 8m 6m 4m 2m 0 ")
	f(0, 700_000_000_00, "USD", "0 −200m −400m −600m −800m ")
	f(5, 0, "JPY", "5 4 3 2 1 0 ")
}
