package sheet

// DateColumn is what the cells of one date column say about its order. Only cells
// such as 3/4/2023 have one; others, such as 2023-03-04 and 15.3.2023, say nothing.
type DateColumn struct {
	Field  string
	Header string // as written in the file

	MonthOnly int // cells that are a day only with the month first
	DayOnly   int // cells that are a day only with the day first
	Ambiguous int // cells that are a day either way
	Invalid   int // cells that are no date: rejected when read
	Serial    int // cells that are the number of a day, as Excel counts them
	Other     int // cells that are a day in any other form

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
	if !ok && len(cell) >= 5 && cell[0] <= '9' {
		if _, _, serial := readSerial(string(cell)); serial {
			c.Serial++
			return
		}
	}
	month, day := ok && p.fits(MonthFirst), ok && p.fits(DayFirst)
	switch {
	case !month && !day:
		c.Invalid++
	case !p.slash:
		c.Other++
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

// decide settles the order: a whole column of numbers of days, what the operator said, else
// the cells.
func (c *DateColumn) decide(path string, opt Options) {
	if c.Serial > 0 {
		if c.MonthOnly+c.DayOnly+c.Ambiguous+c.Other == 0 {
			c.Order = ExcelSerial
			return
		}
		c.Invalid += c.Serial // a number among dates is none
	}
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

// observedColumns are the columns whose cells decide together how they are read.
type observedColumns struct {
	dates    []observed[DateColumn]
	numbers  []observed[NumberColumn]
	statuses []observed[StatusColumn]
	ids      []idCount // by field
	idAt     []int     // fields of ids that only a fallback found
	columns  []int     // by field
	scratch  []byte
}

// observed is what a column says, and where it is.
type observed[C any] struct {
	says   *C
	column int
}

func observe[C any](columns []C, at []int) []observed[C] {
	out := make([]observed[C], len(columns))
	for i := range columns {
		out[i] = observed[C]{&columns[i], at[i]}
	}
	return out
}

// columnsToObserve are those of the file, none of whose cells was seen yet.
func (f *File) columnsToObserve(m *match) *observedColumns {
	c := &observedColumns{ids: make([]idCount, len(f.kind.Fields)), columns: m.columns}
	var dates, numbers, statuses []int
	for i, field := range f.kind.Fields {
		column := m.columns[i]
		switch {
		case column < 0:
		case field.Date:
			f.Dates, dates = append(f.Dates, DateColumn{Field: field.Name}), append(dates, column)
		case field.Money:
			f.Numbers, numbers = append(f.Numbers, NumberColumn{Field: field.Name}), append(numbers, column)
		case field.Status:
			f.Statuses, statuses = append(f.Statuses, StatusColumn{Field: field.Name}), append(statuses, column)
		case field.ID && m.fallback[i]:
			c.idAt = append(c.idAt, i)
		}
	}
	c.dates, c.numbers, c.statuses = observe(f.Dates, dates), observe(f.Numbers, numbers), observe(f.Statuses, statuses)
	return c
}

// observe counts the cells of one row. own is the program's currency.
func (c *observedColumns) observe(r *record, own string) {
	cell := func(column int) []byte {
		if column >= len(r.cells) {
			return nil
		}
		return clean(r.cell(column, &c.scratch))
	}
	for _, o := range c.dates {
		o.says.observe(r.line, cell(o.column))
	}
	for _, o := range c.numbers {
		o.says.observe(r.line, cell(o.column), own)
	}
	for _, o := range c.statuses {
		o.says.observe(r.line, cell(o.column))
	}
	for _, i := range c.idAt {
		c.ids[i].observe(cell(c.columns[i]))
	}
}

// decideColumns settles how the columns are read: what the operator said, else the cells.
func (f *File) decideColumns() {
	for n := range f.Dates {
		f.Dates[n].decide(f.Path, f.opt)
	}
	format, word := "", ""
	if f.opt.NumberDecision != nil {
		format = f.opt.NumberDecision(f.Path)
	}
	for n := range f.Numbers {
		f.Numbers[n].decide(f.opt.Numbers, format)
	}
	if f.opt.StatusDecision != nil {
		word = f.opt.StatusDecision(f.Path)
	}
	for n := range f.Statuses {
		f.Statuses[n].decide(word)
	}
}

// NumberFormat is how the amounts of a field are written, when the file has a column for it.
func (f *File) NumberFormat(field string) NumberFormat {
	for i := range f.Numbers {
		if f.Numbers[i].Field == field {
			return f.Numbers[i].Format
		}
	}
	return DecimalPoint
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
