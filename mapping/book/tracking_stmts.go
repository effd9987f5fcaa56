package book

import (
	"database/sql"
	"errors"
	"strings"
)

// trackingStmts are the statements of [Tracking], prepared once for the one connection that writes.
type trackingStmts struct {
	dataVersion, stamp, maxCustomer, maxEvent, maxLine                                                     *sql.Stmt
	customerByEmail, customerByUID, referral, referralRows, eventByExternalID, hasEvent                    *sql.Stmt
	addCustomer, identifyCustomer, bindCustomer, suspectCustomer, addFurtherEmail                          *sql.Stmt
	addEvent, addLine, addReview, addOutbox                                                                *sql.Stmt
	linesOfEvent, reversals, linesOfCustomer, sales, reasonTrusted                                         *sql.Stmt
	eventByID, refunds, moveRefund, customersFrom, applicationFrom, lastEvent                              *sql.Stmt
	lineByID, hasReason, decision, addDecision                                                             *sql.Stmt
	keapOrders, keapEarnings, countKeapOrders                                                              *sql.Stmt
	isUnattributed, firstRefused, addRefused, deleteRefused                                                *sql.Stmt
	refusedByID, waitingRefused, settleRefused, retireRefused, forgetRefused, hasWaiting, hasWaitingRefund *sql.Stmt
}

func (b *Book) prepareTracking() (s *trackingStmts, err error) {
	s = &trackingStmts{}
	var errs []error
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.dataVersion, `PRAGMA data_version`},
		{&s.stamp, `SELECT (SELECT coalesce(max(id), 0) FROM import), (SELECT count(rolled_back_at) FROM import),
			(SELECT coalesce(max(id), 0) FROM promoter_setting), (SELECT coalesce(min(id), 0) FROM promoter)`},
		{&s.maxCustomer, `SELECT coalesce(max(id), 0) FROM customer`},
		{&s.maxEvent, `SELECT coalesce(max(id), 0) FROM event`},
		{&s.maxLine, `SELECT coalesce(max(id), 0) FROM event_line`},
		{&s.customerByEmail, customers.selectText(`WHERE ` + byAnyEmail)},
		{&s.customerByUID, customers.selectText(`WHERE uid = ? AND uid != ''`)},
		{&s.referral, referrals.selectText(`WHERE customer = ?`)},
		{&s.referralRows, referralRows.selectText(
			`WHERE contact_id IN (SELECT id FROM contact WHERE email = ?) ORDER BY set_at DESC, id DESC`)},
		{&s.eventByExternalID, events.selectText(`WHERE kind = ? AND external_id = ? AND external_id != ''`)},
		{&s.hasEvent, `SELECT EXISTS (SELECT 1 FROM event WHERE customer_id = ? AND kind = ?)`},
		{&s.addCustomer, customers.insertText(1)},
		{&s.identifyCustomer, `UPDATE customer SET email = ?, uid = ? WHERE id = ? RETURNING ` + customers.columns},
		{&s.bindCustomer, `UPDATE customer SET promoter_id = ?, bound_at = ?, clicked_at = ?, suspicion = ?, visitor = ? WHERE id = ?
			RETURNING ` + customers.columns},
		{&s.suspectCustomer, `UPDATE customer SET suspicion = ? WHERE id = ? RETURNING ` + customers.columns},
		{&s.addFurtherEmail, furtherEmails.insertText(1)},
		{&s.addEvent, events.insertText(1)},
		{&s.addLine, eventLines.insertText(1)},
		{&s.addReview, `INSERT INTO review (line_id, reason, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
			RETURNING ` + reviewColumns},
		{&s.addOutbox, `INSERT INTO outbox (event_id, customer_id, state, tries, next_at, body, status, answer, done_at)
			VALUES (?, ?, 'waiting', 0, ?, ?, 0, '', 0)`},
		{&s.linesOfEvent, eventLines.selectText(`WHERE event_id = ? ORDER BY id`)},
		{&s.reversals, eventLines.selectText(`WHERE reverses_line_id = ? AND reverses_line_id != 0 ORDER BY id`)},
		{&s.linesOfCustomer, eventLines.selectText(
			`WHERE event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') ORDER BY id`)},
		{&s.sales, events.selectText(`WHERE customer_id = ? AND kind = 'sale' ORDER BY at DESC, id DESC LIMIT 500`)},
		{&s.reasonTrusted, `SELECT EXISTS (SELECT 1 FROM event_line l
			JOIN review r ON r.line_id = l.id JOIN review_decision d ON d.line_id = l.id
			WHERE l.event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') AND r.reason = ? AND d.decision = 'trust')`},
		{&s.eventByID, events.selectText(`WHERE id = ?`)},
		{&s.refunds, events.selectText(`WHERE customer_id = ? AND kind = 'refund' ORDER BY at, id`)},
		{&s.moveRefund, `UPDATE event SET sale_event_id = ?, promoter_id = ?, currency = ?, evidence = ? WHERE id = ?
			RETURNING ` + events.columns},
		{&s.customersFrom, `SELECT count(*) FROM customer WHERE promoter_id = ? AND visitor = ? AND visitor != ''`},
		{&s.applicationFrom, `SELECT EXISTS (SELECT 1 FROM application WHERE visitor = ? AND visitor != '' AND promoter_id = ?)`},
		{&s.lineByID, eventLines.selectText(`WHERE id = ?`)},
		{&s.hasReason, `SELECT EXISTS (SELECT 1 FROM review WHERE line_id = ?)`},
		{&s.decision, `SELECT decision FROM review_decision WHERE line_id = ?`},
		{&s.addDecision, `INSERT INTO review_decision (line_id, decision, note, decided_at, decided_by) VALUES (?, ?, ?, ?, ?)
			RETURNING ` + decisionColumns},
		{&s.keapOrders, `SELECT products FROM sale
			WHERE contact_id IN (SELECT id FROM contact WHERE email = ? AND email != '') AND total > 0 AND ordered_at <= ?`},
		{&s.countKeapOrders, `SELECT count(*) FROM sale
			WHERE contact_id IN (SELECT id FROM contact WHERE email = ? AND email != '') AND total = ? AND currency = ? AND ordered_at <= ?`},
		{&s.keapEarnings, `SELECT product, sum(amount), max(kind = 'commission') FROM commission
			WHERE contact_id IN (SELECT id FROM contact WHERE email = ? AND email != '') AND kind IN ('commission', 'clawback')
				AND (kind = 'clawback' OR earned_at <= ?)
			GROUP BY product, invoice`},
		{&s.isUnattributed, `SELECT EXISTS (SELECT 1 FROM refused_event WHERE kind = ? AND external_id = ? AND external_id != ''
			AND state = 'open' AND status IN (204, 404))`},
		{&s.firstRefused, `SELECT id, nth, total, state FROM refused_event WHERE caller = ? ORDER BY id LIMIT 1`},
		{&s.addRefused, `INSERT INTO refused_event (` + strings.TrimPrefix(refusedColumns, "id, ") + `)
			SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(max(nth), 0) + 1, coalesce(max(total), 0) + ?
				FROM (SELECT nth, total FROM refused_event WHERE caller = ? ORDER BY id DESC LIMIT 1) WHERE true
			ON CONFLICT (digest) DO UPDATE SET last_at = excluded.last_at, times = times + 1, status = excluded.status, reason = excluded.reason,
				evidence = excluded.evidence, waits = CASE state WHEN 'booked' THEN 0 ELSE excluded.waits END,
				state = CASE state WHEN 'booked' THEN state ELSE 'open' END
			RETURNING id, nth, total, times`},
		{&s.deleteRefused, `DELETE FROM refused_event WHERE id = ?`},
		{&s.refusedByID, refusedEvents.selectText(`WHERE id = ?`)},
		{&s.waitingRefused, refusedEvents.selectText(`WHERE id IN (
				SELECT id FROM refused_event WHERE email = ?1 AND email != '' AND waits = 1
				UNION SELECT id FROM refused_event WHERE email = ?2 AND email != '' AND waits = 1
				UNION SELECT id FROM refused_event WHERE uid = ?3 AND uid != '' AND waits = 1)
			AND state = 'open' AND whole = 1 ORDER BY id LIMIT 1000`)},
		{&s.hasWaiting, `SELECT EXISTS (SELECT 1 FROM refused_event WHERE email != '' AND waits = 1)
			OR EXISTS (SELECT 1 FROM refused_event WHERE uid != '' AND waits = 1)`},
		{&s.hasWaitingRefund, `SELECT EXISTS (SELECT 1 FROM refused_event WHERE email = ? AND email != '' AND waits = 1 AND kind = 'refund')
			OR EXISTS (SELECT 1 FROM refused_event WHERE uid = ? AND uid != '' AND waits = 1 AND kind = 'refund')`},
		{&s.settleRefused, `UPDATE refused_event SET state = ?, settled_at = ?, status = ?, reason = ?, waits = ?, evidence = ? WHERE id = ?`},
		{&s.retireRefused, `UPDATE refused_event SET state = 'past', waits = 0 WHERE id IN (
			SELECT id FROM refused_event WHERE state != 'past' AND last_at < ? ORDER BY last_at LIMIT 5000) AND state = 'open' AND evidence != ''`},
		{&s.forgetRefused, `DELETE FROM refused_event WHERE id IN (
			SELECT id FROM refused_event WHERE state != 'past' AND last_at < ? ORDER BY last_at LIMIT 5000)
			AND NOT (state = 'open' AND evidence != '')`},
		{&s.lastEvent, events.selectText(`WHERE customer_id = ? ORDER BY id DESC LIMIT 1`)},
	} {
		*p.to, err = b.w.Prepare(p.text)
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}
