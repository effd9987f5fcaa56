package migrate

// verifyRejected names the rejected rows that a person accepted to go without: nothing proves
// what they say.
func verifyRejected(p *Plan) Check {
	check := Check{Name: "rejected rows"}
	for i := range p.Rejected {
		check.Compared += p.Rejected[i].Rows
		switch r := &p.Rejected[i]; {
		case r.Conflict == "": // few, and without money
		case r.Decision == Accept:
			check.decided("%s; decided: %s", r.text(r.File), r.Decision)
		default:
			check.mismatch("%s, and nobody has decided about them", r.text(r.File))
			check.Money = check.Money || r.HoldsMoney()
		}
	}
	for i := range p.Missing {
		r := &p.Missing[i]
		check.Compared += r.Rows
		check.decided("%s of an earlier run; decided: %s", r.text(r.File), r.Decision)
	}
	return check
}
