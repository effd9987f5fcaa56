package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/terms"
	"carryover/migrate"
)

// A chart's lengths: x in percent of its width, so that it fits any screen while its
// letters keep their size; y in pixels from the top.
const (
	chartTop    = 8.0
	chartBottom = 204.0
	chartBars   = 40  // no more than that; longer times are drawn in longer periods
	barShare    = 0.7 // of the room that a bar has
	barMost     = 6.0 // percent, where there are few
	barLeast    = 1.0 // pixels, for what would be too small to be seen
)

// chart shows what was earned above a line, and what was taken back and paid below it.
type chart struct {
	Period string // that a bar stands for: month, quarter, year, 5 years …
	Says   string
	Bars   []bar
	Ticks  []tick
	Zero   float64
}

// bar is one period.
type bar struct {
	Name                             string
	Commissions, Clawbacks, Payments string // amounts without their currency
	Says                             string
	Middle                           float64
	Parts                            []part
	Label                            string // below the chart; most have none
	Wide                             bool   // the label is for wide screens only
}

// part is one colour of a bar.
type part struct {
	Class      string // earned, clawed or paid
	X, Y, W, H float64
}

// tick is a line of the scale.
type tick struct {
	Y    float64
	Text string
}

// drawMonths draws the months of a currency; nil when there are none.
func drawMonths(months []migrate.MonthTotals, currency string) *chart {
	periods, first, step := joinMonths(months, currency)
	if len(periods) == 0 {
		return nil
	}
	c := &chart{Period: periodName(step)}
	scale := c.scale(periods, currency)
	var sum migrate.MonthTotals
	best := 0
	room := 100 / float64(len(periods))
	width := min(barMost, room*barShare)
	for i, p := range periods {
		if p.Commissions > periods[best].Commissions {
			best = i
		}
		addMonth(&sum, p)
		text := func(minor int64) string { return terms.FormatMinor(minor, currency) }
		middle := (float64(i) + 0.5) * room
		b := bar{
			Name: monthName((first+i)*step, step), Commissions: text(p.Commissions), Clawbacks: text(p.Clawbacks),
			Payments: text(p.Payments), Middle: round(middle), Parts: c.parts(p, middle-width/2, width, scale),
		}
		b.Says = fmt.Sprintf("%s: commissions %s, clawbacks %s, payments %s %s",
			b.Name, b.Commissions, b.Clawbacks, b.Payments, visible(currency))
		c.Bars = append(c.Bars, b)
	}
	c.label(first, step)
	sums := fmt.Sprintf("commissions %s, clawbacks %s, payments %s.",
		amount(sum.Commissions, currency), amount(sum.Clawbacks, currency), amount(sum.Payments, currency))
	if len(c.Bars) == 1 {
		c.Says = fmt.Sprintf("%s: %s", c.Bars[0].Name, sums)
	} else {
		c.Says = fmt.Sprintf("From %s to %s: %s Most was earned in %s: %s.",
			c.Bars[0].Name, c.Bars[len(c.Bars)-1].Name, sums, c.Bars[best].Name, amount(periods[best].Commissions, currency))
	}
	return c
}

// joinMonths adds the months of a currency up by period: of step months each, so that there
// are not too many. first is the number of the first of them.
func joinMonths(months []migrate.MonthTotals, currency string) (periods []migrate.MonthTotals, first, step int) {
	of := map[int]migrate.MonthTotals{}
	begin, end := math.MaxInt, 0
	for _, m := range months {
		if n, ok := monthNumber(m.Month); ok && m.Currency == currency {
			of[n] = m
			begin, end = min(begin, n), max(end, n)
		}
	}
	if len(of) == 0 {
		return nil, 0, 0
	}
	for _, step = range []int{1, 3, 12, 60, 120, 600, 3000} {
		if end/step-begin/step < chartBars {
			break
		}
	}
	periods = make([]migrate.MonthTotals, end/step-begin/step+1)
	for n, m := range of {
		addMonth(&periods[n/step-begin/step], m)
	}
	return periods, begin / step, step
}

func addMonth(to *migrate.MonthTotals, m migrate.MonthTotals) {
	to.Commissions += m.Commissions
	to.Clawbacks += m.Clawbacks
	to.Payments += m.Payments
}

// parts are the colours of a bar that begins at x. scale is the pixels of a minor unit.
func (c *chart) parts(m migrate.MonthTotals, x, width, scale float64) (parts []part) {
	up, down := c.Zero, c.Zero
	for k, n := range signedAmounts(m) {
		h := max(barLeast, math.Abs(n)*scale)
		y := down
		switch {
		case n == 0:
			continue
		case n > 0:
			up -= h
			y = up
		default:
			down += h
		}
		parts = append(parts, part{[]string{"earned", "clawed", "paid"}[k], round(x), round(y), round(width), round(h)})
	}
	return parts
}

// signedAmounts is what a period adds to what is owed, and takes off it.
func signedAmounts(m migrate.MonthTotals) [3]float64 {
	return [3]float64{float64(m.Commissions), -float64(m.Clawbacks), -float64(m.Payments)}
}

// scale sets the lines of the scale and where zero is, and returns the pixels that a
// minor unit takes.
func (c *chart) scale(periods []migrate.MonthTotals, currency string) float64 {
	above, below := 0.0, 0.0
	for _, p := range periods {
		up, down := 0.0, 0.0
		for _, n := range signedAmounts(p) {
			up, down = up+max(0, n), down-min(0, n)
		}
		above, below = max(above, up), max(below, down)
	}
	between := int64(1) // lines: 1, 2 or 5 of some power of ten, so that there are about five
	for i := 0; float64(between)*5 < above+below && between < 1e18; i++ {
		between = []int64{2, 5, 10}[i%3] * int64(math.Pow10(i/3))
	}
	over, under := int64(math.Ceil(above/float64(between))), int64(math.Ceil(below/float64(between)))
	if over+under == 0 {
		over = 1
	}
	pixels := (chartBottom - chartTop) / float64(over+under)
	c.Zero = round(chartTop + float64(over)*pixels)
	for n := over; n >= -under; n-- {
		c.Ticks = append(c.Ticks, tick{round(chartTop + float64(over-n)*pixels), scaleText(n*between, currency)})
	}
	return pixels / float64(between)
}

// label chooses bars that have their name below them: at most eight on a wide screen and
// four on a narrow one, and at round dates.
func (c *chart) label(first, step int) {
	every := []int{1, 2, 5, 10, 20, 50}
	switch step {
	case 1:
		every = []int{1, 2, 3, 4, 6, 12, 24}
	case 3:
		every = []int{1, 2, 4, 8, 16, 32}
	}
	count := func(k int) (n int) {
		for i := range c.Bars {
			if (first+i)%k == 0 {
				n++
			}
		}
		return n
	}
	choose := func(most, multiple int) int {
		for _, k := range every {
			if k%multiple == 0 && count(k) <= most {
				return k
			}
		}
		return every[len(every)-1]
	}
	wide := choose(8, 1)
	narrow := choose(4, wide)
	for i := range c.Bars {
		if (first+i)%wide == 0 {
			c.Bars[i].Label, c.Bars[i].Wide = monthName((first+i)*step, step), (first+i)%narrow != 0
		}
	}
}

// monthNumber counts the months since the year 0.
func monthNumber(month string) (int, bool) {
	year, m, _ := strings.Cut(month, "-")
	y, errYear := strconv.Atoi(year)
	n, errMonth := strconv.Atoi(m)
	return y*12 + n - 1, errYear == nil && errMonth == nil && y >= 0 && 1 <= n && n <= 12
}

// monthName names a period of that many months, by its first.
func monthName(month, months int) string {
	year := fmt.Sprintf("%04d", month/12)
	switch {
	case months == 1:
		return time.Month(month%12 + 1).String()[:3] + " " + year
	case months == 3:
		return fmt.Sprintf("Q%d %s", month%12/3+1, year)
	case months > 12:
		return fmt.Sprintf("%s–%04d", year, month/12+months/12-1)
	}
	return year
}

func periodName(months int) string {
	switch months {
	case 1:
		return "month"
	case 3:
		return "quarter"
	case 12:
		return "year"
	}
	return fmt.Sprintf("%d years", months/12)
}

// scaleText writes an amount of the scale: 20k for 20,000.00.
func scaleText(minor int64, currency string) string {
	text := strings.Replace(terms.FormatMinor(minor, currency), "-", "−", 1)
	whole, fraction, _ := strings.Cut(text, ".")
	switch {
	case strings.Trim(fraction, "0") != "":
		return text
	case strings.HasSuffix(whole, ",000,000,000"):
		return strings.TrimSuffix(whole, ",000,000,000") + "bn"
	case strings.HasSuffix(whole, ",000,000"):
		return strings.TrimSuffix(whole, ",000,000") + "m"
	case strings.HasSuffix(whole, "0,000"):
		return strings.TrimSuffix(whole, ",000") + "k"
	}
	return whole
}
