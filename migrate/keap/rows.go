package keap

import "carryover/migrate/sheet"

// The cells of a row are read in the order of its fields here, and the first that cannot be
// is what the row is rejected for: its date, then its ids.

// Partner is one row of the referral partner list.
type Partner struct {
	CreatedAt  sheet.Date   `csv:"created_at"`
	ID         sheet.ID     `csv:"id"`         // never 0 or blank
	ContactID  sheet.ID     `csv:"contact_id"` // who the partner is; 0 or blank when Keap does not say
	ParentID   sheet.ID     `csv:"parent_id"`  // 0 or blank for none
	ParentCode string       `csv:"parent_code"`
	Code       string       `csv:"code"` // never blank; case kept
	Name       string       `csv:"name"`
	Status     sheet.Status `csv:"status"`
	Email      string       `csv:"email"` // only when the list was exported with the contact's columns
	FirstName  string       `csv:"first_name"`
	LastName   string       `csv:"last_name"`
	Company    string       `csv:"company"`
}

// Contact is one row of the contact list.
type Contact struct {
	CreatedAt sheet.Date `csv:"created_at"`
	UpdatedAt sheet.Date `csv:"updated_at"`
	ID        sheet.ID   `csv:"id"`    // never blank
	Email     string     `csv:"email"` // the first address, as written; may be blank or no address
	FirstName string     `csv:"first_name"`
	LastName  string     `csv:"last_name"`
	FullName  string     `csv:"full_name"`
	Company   string     `csv:"company"`
}

// Link is one row of the tracking link list.
type Link struct {
	CreatedAt   sheet.Date `csv:"created_at"`
	ID          sheet.ID   `csv:"id"`
	Code        string     `csv:"code"` // never blank; case kept
	Name        string     `csv:"name"`
	Destination string     `csv:"destination"` // never blank; not checked
}

// ReadPartners reads a file of kind [Partners]; see [sheet.Rows] for fn and onReject.
func ReadPartners(f *sheet.File, fn func(line int, p *Partner) error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	return sheet.Rows(f, func(line int, p *Partner) error {
		switch {
		case !p.ID.Valid:
			return sheet.MissingField("id")
		case p.ID.Number == 0:
			return &sheet.Reject{Reason: sheet.BadID, Field: "id", Hint: "0 means no partner in Keap; give the partner's own id"}
		case p.Code == "":
			return sheet.MissingField("code")
		}
		return fn(line, p)
	}, onReject)
}

// ReadContacts reads a file of kind [Contacts]; see [sheet.Rows] for fn and onReject.
func ReadContacts(f *sheet.File, fn func(line int, c *Contact) error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	return sheet.Rows(f, func(line int, c *Contact) error {
		if !c.ID.Valid {
			return sheet.MissingField("id")
		}
		return fn(line, c)
	}, onReject)
}

// ReadLinks reads a file of kind [Links]; see [sheet.Rows] for fn and onReject.
func ReadLinks(f *sheet.File, fn func(line int, l *Link) error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	return sheet.Rows(f, func(line int, l *Link) error {
		switch {
		case l.Code == "":
			return sheet.MissingField("code")
		case l.Destination == "":
			return sheet.MissingField("destination")
		}
		return fn(line, l)
	}, onReject)
}
