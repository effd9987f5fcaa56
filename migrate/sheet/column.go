package sheet

// DateColumn is what the cells of one date column say about its order. Only cells
// such as 3/4/2023 have one; those that begin with the year say nothing.
type DateColumn struct {
	Field  string
	Header string // as written in the file

	MonthOnly int // cells that are a day only with the month first
	DayOnly   int // cells that are a day only with the day first
	Ambiguous int // cells that are a day either way
	Invalid   int // cells that are no date: rejected when read

	DayOnlyLine  int    // the first cell of DayOnly: its line, 0 for none
	DayOnlyValue string // and its text

	Order   Order
	Decided bool // by config or decision, not by the cells
}

// Layout names the order in which the column is read.
func (c *DateColumn) Layout() string { return c.Order.String() }

// NeedsDecision says whether a person must confirm the order: nobody has, and the cells
// hold days that fit only with the day first and none that fit only with the
// month first. Until then the column is read day first.
func (c *DateColumn) NeedsDecision() bool { return !c.Decided && c.DayOnly > 0 && c.MonthOnly == 0 }

// observe counts one cell.
func (c *DateColumn) observe(line int, cell []byte) {
	p, kind, ok := readDate(string(cell))
	if ok && kind == NoDate {
		return
	}
	month, day := ok && p.fits(MonthFirst), ok && p.fits(DayFirst)
	switch {
	case !month && !day:
		c.Invalid++
	case !p.slash:
	case month && day:
		c.Ambiguous++
	case month:
		c.MonthOnly++
	default:
		c.DayOnly++
		if c.DayOnlyLine == 0 {
			c.DayOnlyLine, c.DayOnlyValue = line, string(cell)
		}
	}
}

// decide settles the order: what the operator said, else the cells.
func (c *DateColumn) decide(path string, opt Options) {
	said := ""
	if opt.DateDecision != nil {
		said = opt.DateDecision(path, c.Field)
	}
	if said == "" || said == "auto" {
		said = opt.Dates
	}
	switch said {
	case MonthFirst.String():
		c.Order, c.Decided = MonthFirst, true
	case DayFirst.String():
		c.Order, c.Decided = DayFirst, true
	default:
		if c.NeedsDecision() {
			c.Order = DayFirst
		}
	}
}

// idCount tells a column of ids from one of names.
type idCount struct{ ids, nonIDs int }

func (v *idCount) observe(cell []byte) {
	if len(cell) == 0 {
		return
	}
	for _, c := range cell {
		if c < '0' || c > '9' {
			v.nonIDs++
			return
		}
	}
	v.ids++
}
