-- Live tracking: what the billing system reports, and what it earns. Times are Unix seconds,
-- UTC; 0: not known. Amounts are minor units of their currency.
--
-- event, event_line, correction, review and review_decision are only ever appended; of an
-- event sale_event_id and currency are filled in when a refund is reported before its sale.

-- A person whom the billing system has reported. What is not known of it may be filled in
-- later; what is known never changes.
CREATE TABLE customer (
	id          INTEGER PRIMARY KEY,
	email       TEXT    NOT NULL,   -- trimmed, lower case; empty: not known
	uid         TEXT    NOT NULL,   -- the billing system's; empty: not known
	promoter_id INTEGER NOT NULL,   -- bound for life; 0: as the referral that was carried over says
	bound_at    INTEGER NOT NULL,
	clicked_at  INTEGER NOT NULL,   -- the click that bound it; 0: none did
	suspicion   TEXT    NOT NULL,   -- reasons to review each of its commissions, blanks between
	visitor     TEXT    NOT NULL,   -- keyed hash of its address when it was bound; empty: not known
	created_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX customer_email ON customer (email) WHERE email != '';
CREATE UNIQUE INDEX customer_uid   ON customer (uid)   WHERE uid != '';
CREATE INDEX customer_visitor ON customer (promoter_id, visitor) WHERE visitor != '';

-- What the billing system reported, each once.
CREATE TABLE event (
	id            INTEGER PRIMARY KEY,
	kind          TEXT    NOT NULL CHECK (kind IN ('signup', 'sale', 'refund', 'cancellation')),
	external_id   TEXT    NOT NULL,   -- the billing system's; empty: it gave none
	customer_id   INTEGER NOT NULL,
	at            INTEGER NOT NULL,   -- when it happened
	received_at   INTEGER NOT NULL,
	amount        INTEGER NOT NULL,   -- as reported
	currency      TEXT    NOT NULL,   -- of amount
	quantity      INTEGER NOT NULL,
	plan          TEXT    NOT NULL,   -- of several items: theirs, ", " between
	sale_event_id INTEGER NOT NULL,   -- of a refund: event.id of the sale; 0: of none that is known yet
	promoter_id   INTEGER NOT NULL,   -- credited; 0: nobody
	evidence      TEXT    NOT NULL    -- JSON: what decided, see book.Evidence
) STRICT;

CREATE UNIQUE INDEX event_external ON event (kind, external_id) WHERE external_id != '';
CREATE INDEX event_customer  ON event (customer_id, kind);
CREATE INDEX event_unmatched ON event (customer_id) WHERE kind = 'refund' AND sale_event_id = 0;

-- What an event does to a promoter's balance: one line a product.
CREATE TABLE event_line (
	id               INTEGER PRIMARY KEY,
	event_id         INTEGER NOT NULL,   -- event.id; 0: a correction, which a person has booked
	kind             TEXT    NOT NULL CHECK (kind IN ('commission', 'refund', 'denied', 'correction')),
	promoter_id      INTEGER NOT NULL,
	customer_id      INTEGER NOT NULL,
	at               INTEGER NOT NULL,
	month            INTEGER NOT NULL,   -- of earning, in the program's zone: 202303; of what takes back: that of the commission
	amount           INTEGER NOT NULL,   -- what it does to the balance
	currency         TEXT    NOT NULL,   -- the program's
	sale_amount      INTEGER NOT NULL,   -- of which amount is the share
	percent          INTEGER NOT NULL,   -- ten-thousandths of a percent
	product          TEXT    NOT NULL,   -- the plan as reported
	product_kind     TEXT    NOT NULL,   -- membership, training or unknown
	quantity         INTEGER NOT NULL,
	reverses_line_id INTEGER NOT NULL    -- event_line.id of the commission that it takes back from; 0: none
) STRICT;

CREATE INDEX event_line_event    ON event_line (event_id);
CREATE INDEX event_line_promoter ON event_line (promoter_id, at);
CREATE INDEX event_line_reverses ON event_line (reverses_line_id) WHERE reverses_line_id != 0;

-- Why a person has booked a correction.
CREATE TABLE correction (
	line_id     INTEGER PRIMARY KEY, -- event_line.id
	note        TEXT    NOT NULL,
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL
) STRICT;

-- Why a person should review a commission. It is not paid before one has.
CREATE TABLE review (
	id      INTEGER PRIMARY KEY,
	line_id INTEGER NOT NULL,        -- event_line.id
	reason  TEXT    NOT NULL,        -- one of the Reason constants
	detail  TEXT    NOT NULL,        -- in words
	at      INTEGER NOT NULL,
	UNIQUE (line_id, reason)
) STRICT;

CREATE TABLE review_decision (
	id         INTEGER PRIMARY KEY,
	line_id    INTEGER NOT NULL UNIQUE,
	decision   TEXT    NOT NULL CHECK (decision IN ('accept', 'trust', 'deny')),
	note       TEXT    NOT NULL,
	decided_at INTEGER NOT NULL,
	decided_by TEXT    NOT NULL
) STRICT;

-- Events on their way to FirstPromoter.
CREATE TABLE outbox (
	event_id    INTEGER PRIMARY KEY, -- event.id
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
CREATE INDEX outbox_refused ON outbox (event_id) WHERE state = 'refused';
