-- The ledger. Times are Unix seconds, UTC; amounts are minor units, as what they do to the
-- balance.

-- What was carried over names a partner, by its Keap id; what was booked live names a
-- promoter. Whose an entry is book.Directory says.
CREATE VIEW entry AS
SELECT id, kind, 0 AS promoter_id, partner_id, seller_id, contact_id, 0 AS customer_id, earned_at AS at, month, amount, currency, invoice,
	product, description, '' AS type, 0 AS keap_id,
	coalesce((SELECT path FROM source WHERE id = source_id), '') AS source, source_line, import_id
FROM commission
UNION ALL
SELECT id, 'payment', 0, partner_id, 0, 0, 0, paid_at, month, -amount, currency, '',
	'', note, type, keap_id,
	coalesce((SELECT path FROM source WHERE id = source_id), ''), source_line, import_id
FROM payout
UNION ALL
SELECT 't-' || l.id, l.kind, l.promoter_id, 0, 0, 0, l.customer_id, l.at, l.month, l.amount, l.currency,
	coalesce((SELECT e.external_id FROM event e WHERE e.id = l.event_id), ''),
	l.product, CASE l.kind WHEN 'correction' THEN coalesce((SELECT note FROM correction WHERE line_id = l.id), '') ELSE '' END, '', 0, '', 0, 0
FROM event_line l
UNION ALL
SELECT 'p-' || r.id, 'payment', l.promoter_id, 0, 0, 0, 0, r.at, r.month, CASE r.status WHEN 'paid' THEN -l.net ELSE l.net END,
	coalesce((SELECT b.currency FROM payout_batch b WHERE b.id = l.batch_id), ''), '',
	'', CASE r.status WHEN 'paid' THEN r.note ELSE 'returned ' || r.note END, l.method, 0, '', 0, 0
FROM payout_record r JOIN payout_line l ON l.id = r.line_id WHERE r.status != 'failed';
