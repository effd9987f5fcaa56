package migrate

// verifyRejected names the rejected rows that a person accepted to go without: nothing proves
// what they say.
func verifyRejected(p *Plan) Check {
	check := Check{Name: "rejected rows"}
	for _, f := range p.Files {
		check.Compared += f.Rows
	}
	for i := range p.Rejected {
		switch r := &p.Rejected[i]; {
		case r.Conflict == "": // few, and without money
		case r.Decision == Accept:
			check.decided("%s; decided: %s", r.text(r.File), r.Decision)
		default:
			check.mismatch("%s, and nobody has decided about them", r.text(r.File))
			check.Money = check.Money || r.HoldsMoney()
		}
	}
	return check
}
