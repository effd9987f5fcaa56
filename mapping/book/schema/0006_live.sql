-- What the program does by itself: sign-ups and sales as a billing system tells them,
-- what they earn, and who is paid. Times are Unix seconds, 0 for "not known"; amounts are
-- minor units of their currency. promoter_id is promoter.id; that of a promoter who
-- joined here is below 0, and so is its only keap_id alias.
--
-- event, event_line, correction, review, review_decision, promoter_detail and
-- payout_record are only ever appended; of an event sale is filled in when a refund is told before its sale.

-- What a person recorded of a promoter. The newest row of a field holds.
CREATE TABLE promoter_detail (
	id          INTEGER PRIMARY KEY,
	promoter_id INTEGER NOT NULL,
	field       TEXT    NOT NULL,   -- one of the Detail constants
	value       TEXT    NOT NULL,   -- empty: taken back
	from_at     INTEGER NOT NULL,   -- since when it holds
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL
) STRICT;

CREATE INDEX promoter_detail_promoter ON promoter_detail (promoter_id);

-- A person of whom the billing system has told. What is not known of it may be filled in
-- later; what is known never changes.
CREATE TABLE customer (
	id          INTEGER PRIMARY KEY,
	email       TEXT    NOT NULL,   -- trimmed, lower case; empty: not told
	uid         TEXT    NOT NULL,   -- the billing system's; empty: not told
	promoter_id INTEGER NOT NULL,   -- bound for life; 0: as the referral that was carried over says
	bound_at    INTEGER NOT NULL,
	clicked_at  INTEGER NOT NULL,   -- the click that bound it; 0: none did
	suspicion   TEXT    NOT NULL,   -- reasons to look at each of its commissions, blanks between
	visitor     TEXT    NOT NULL,   -- keyed hash of its address when it was bound; empty: not told
	created_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX customer_email ON customer (email) WHERE email != '';
CREATE UNIQUE INDEX customer_uid   ON customer (uid)   WHERE uid != '';
CREATE INDEX customer_visitor ON customer (promoter_id, visitor) WHERE visitor != '';

-- What the billing system told, each once.
CREATE TABLE event (
	id          INTEGER PRIMARY KEY,
	kind        TEXT    NOT NULL CHECK (kind IN ('signup', 'sale', 'refund', 'cancellation')),
	event_id    TEXT    NOT NULL,   -- the billing system's; empty: it gave none
	customer_id INTEGER NOT NULL,
	at          INTEGER NOT NULL,   -- when it happened
	received_at INTEGER NOT NULL,
	amount      INTEGER NOT NULL,   -- as told
	currency    TEXT    NOT NULL,   -- of amount
	quantity    INTEGER NOT NULL,
	plan        TEXT    NOT NULL,   -- of several items: theirs, ", " between
	sale        INTEGER NOT NULL,   -- of a refund: event.id of the sale; 0: of none that is known yet
	promoter_id INTEGER NOT NULL,   -- credited; 0: nobody
	evidence    TEXT    NOT NULL    -- JSON: what decided, see book.Evidence
) STRICT;

CREATE UNIQUE INDEX event_told     ON event (kind, event_id) WHERE event_id != '';
CREATE INDEX        event_customer ON event (customer_id, kind);
CREATE INDEX        event_unmatched ON event (customer_id) WHERE kind = 'refund' AND sale = 0;

-- What the billing system told with the name of somebody, and nobody was credited for.
CREATE TABLE unreferred (
	id          INTEGER PRIMARY KEY,
	kind        TEXT    NOT NULL,
	event_id    TEXT    NOT NULL,
	email       TEXT    NOT NULL,
	uid         TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	received_at INTEGER NOT NULL,
	evidence    TEXT    NOT NULL,   -- JSON, see book.Evidence
	UNIQUE (kind, event_id, email, uid)
) STRICT;

CREATE INDEX unreferred_email ON unreferred (email);

-- What an event does to a promoter's balance: one line a product.
CREATE TABLE event_line (
	id          INTEGER PRIMARY KEY,
	event       INTEGER NOT NULL,   -- event.id; 0: a correction, which a person has booked
	kind        TEXT    NOT NULL CHECK (kind IN ('commission', 'refund', 'denied', 'correction')),
	promoter_id INTEGER NOT NULL,
	customer_id INTEGER NOT NULL,
	at          INTEGER NOT NULL,
	month       INTEGER NOT NULL,   -- of earning, in the program's zone; of what takes back: that of the commission
	amount      INTEGER NOT NULL,   -- what it does to the balance
	currency    TEXT    NOT NULL,   -- the program's
	sale_amount INTEGER NOT NULL,   -- of which amount is the share
	percent     INTEGER NOT NULL,   -- ten-thousandths of a percent
	product     TEXT    NOT NULL,   -- the plan as told
	kind_of     TEXT    NOT NULL,   -- membership, training or unknown
	quantity    INTEGER NOT NULL,
	of          INTEGER NOT NULL    -- event_line.id of the commission that it takes back from; 0
) STRICT;

CREATE INDEX event_line_event    ON event_line (event);
CREATE INDEX event_line_promoter ON event_line (promoter_id, at);
CREATE INDEX event_line_of       ON event_line (of) WHERE of != 0;

-- Why a person has booked a correction.
CREATE TABLE correction (
	line        INTEGER PRIMARY KEY, -- event_line.id
	note        TEXT    NOT NULL,
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL
) STRICT;

-- Why a person should look at a commission. It is not paid before one has.
CREATE TABLE review (
	id     INTEGER PRIMARY KEY,
	line   INTEGER NOT NULL,        -- event_line.id
	reason TEXT    NOT NULL,        -- one of the Reason constants
	detail TEXT    NOT NULL,        -- in words
	at     INTEGER NOT NULL,
	UNIQUE (line, reason)
) STRICT;

CREATE TABLE review_decision (
	id         INTEGER PRIMARY KEY,
	line       INTEGER NOT NULL UNIQUE,
	decision   TEXT    NOT NULL CHECK (decision IN ('accept', 'deny')),
	note       TEXT    NOT NULL,
	decided_at INTEGER NOT NULL,
	decided_by TEXT    NOT NULL
) STRICT;

-- Events on their way to FirstPromoter.
CREATE TABLE outbox (
	event       INTEGER PRIMARY KEY, -- event.id
	customer_id INTEGER NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'already', 'not_referred', 'refused')),
	tries       INTEGER NOT NULL,
	next_at     INTEGER NOT NULL,    -- not before
	body        TEXT    NOT NULL,    -- JSON as it is sent
	status      INTEGER NOT NULL,    -- HTTP status of the last answer; 0: none
	answer      TEXT    NOT NULL,    -- what was wrong the last time
	done_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_customer ON outbox (customer_id) WHERE state = 'waiting';
CREATE INDEX outbox_refused ON outbox (event) WHERE state = 'refused';

-- An approved payout: its lines are frozen.
CREATE TABLE payout_run (
	id          INTEGER PRIMARY KEY,
	month       INTEGER NOT NULL,   -- in which it is paid: 202303
	earned      INTEGER NOT NULL,   -- the last month of earning that it pays
	currency    TEXT    NOT NULL,
	approved_at INTEGER NOT NULL,
	approved_by TEXT    NOT NULL
) STRICT;

CREATE TABLE payout_line (
	id          INTEGER PRIMARY KEY,
	run         INTEGER NOT NULL,   -- payout_run.id
	promoter_id INTEGER NOT NULL,
	months      TEXT    NOT NULL,   -- of earning: "2022-12 2023-01"
	gross       INTEGER NOT NULL,
	refunds     INTEGER NOT NULL,   -- 0 or less
	carried     INTEGER NOT NULL,
	net         INTEGER NOT NULL,   -- gross + refunds + carried: what is paid
	method      TEXT    NOT NULL,
	address     TEXT    NOT NULL,   -- where it is paid to, as it was when it was approved
	name        TEXT    NOT NULL,
	UNIQUE (run, promoter_id)
) STRICT;

CREATE INDEX payout_line_promoter ON payout_line (promoter_id);

-- What became of a line. failed: nothing was paid, it is due again; returned: it was
-- paid and came back.
CREATE TABLE payout_record (
	id          INTEGER PRIMARY KEY,
	line        INTEGER NOT NULL,   -- payout_line.id
	status      TEXT    NOT NULL CHECK (status IN ('paid', 'failed', 'returned')),
	reference   TEXT    NOT NULL,   -- the payment's
	at          INTEGER NOT NULL,   -- when it happened
	month       INTEGER NOT NULL,   -- of at, in the program's zone
	note        TEXT    NOT NULL,
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL,
	UNIQUE (line, status)
) STRICT;

CREATE UNIQUE INDEX payout_record_reference ON payout_record (reference, status);

-- Somebody who wants to take part, or to take part again.
CREATE TABLE application (
	id          INTEGER PRIMARY KEY,
	kind        TEXT    NOT NULL CHECK (kind IN ('join', 'rejoin')),
	name        TEXT    NOT NULL,
	email       TEXT    NOT NULL,   -- trimmed, lower case
	site        TEXT    NOT NULL,
	terms       TEXT    NOT NULL,   -- what was agreed to
	applied_at  INTEGER NOT NULL,
	visitor     TEXT    NOT NULL,   -- keyed hash of the address
	state       TEXT    NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected')),
	promoter_id INTEGER NOT NULL,   -- 0 until there is one
	decided_at  INTEGER NOT NULL,
	decided_by  TEXT    NOT NULL
) STRICT;

CREATE INDEX application_email   ON application (email);
CREATE INDEX application_visitor ON application (visitor);

-- The ledger: what was carried over, which names a partner, and what was booked live, which
-- names a promoter. Whose an entry is book.Directory says.
DROP VIEW entry;
CREATE VIEW entry AS
SELECT event_id, kind, 0 AS promoter_id, partner_id, seller_id, contact_id, 0 AS customer_id, earned_at AS at, month, amount, currency, invoice,
	product, description, '' AS type, 0 AS keap_id,
	coalesce((SELECT path FROM source WHERE id = source_id), '') AS source, line, run_id
FROM commission
UNION ALL
SELECT event_id, 'payment', 0, partner_id, 0, 0, 0, paid_at, month, -amount, currency, '',
	'', note, type, keap_id,
	coalesce((SELECT path FROM source WHERE id = source_id), ''), line, run_id
FROM payout
UNION ALL
SELECT 't-' || l.id, l.kind, l.promoter_id, 0, 0, 0, l.customer_id, l.at, l.month, l.amount, l.currency, coalesce((SELECT e.event_id FROM event e WHERE e.id = l.event), ''),
	l.product, CASE l.kind WHEN 'correction' THEN coalesce((SELECT note FROM correction WHERE line = l.id), '') ELSE '' END, '', 0, '', 0, 0
FROM event_line l
UNION ALL
SELECT 'p-' || r.id, 'payment', l.promoter_id, 0, 0, 0, 0, r.at, r.month, CASE r.status WHEN 'paid' THEN -l.net ELSE l.net END,
	coalesce((SELECT n.currency FROM payout_run n WHERE n.id = l.run), ''), '', '', CASE r.status WHEN 'paid' THEN r.note ELSE 'returned ' || r.note END, l.method, 0, '', 0, 0
FROM payout_record r JOIN payout_line l ON l.id = r.line WHERE r.status != 'failed';
