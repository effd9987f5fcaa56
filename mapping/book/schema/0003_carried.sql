-- What imports carried over: customers, sales and money. Times are Unix seconds, UTC; 0: not
-- known. Amounts are minor units of their currency; partner, seller and lead ids are Keap ids
-- of partners, 0 for none.
--
-- import_id is the import that created a row, so that undoing it needs no image of what it
-- created. It is no foreign key: a million rows would be checked one by one. The indexes are
-- few because an import that fills a table builds them anew.

CREATE TABLE contact (
	id        INTEGER PRIMARY KEY,   -- Keap's
	import_id INTEGER NOT NULL,
	email     TEXT    NOT NULL,      -- trimmed, lower case; empty: no usable one
	name      TEXT    NOT NULL
) STRICT;

CREATE INDEX contact_email ON contact (email);

-- A customer and the partner that it belongs to.
CREATE TABLE referral (
	customer    TEXT    PRIMARY KEY, -- the e-mail key, or contact:<Keap id>
	import_id   INTEGER NOT NULL,
	email       TEXT    NOT NULL,
	contact_id  INTEGER NOT NULL,
	partner_id  INTEGER NOT NULL,    -- the owner; 0: nobody
	referral_id INTEGER NOT NULL,    -- the row that won; 0: none did
	referred_at INTEGER NOT NULL,
	first_at    INTEGER NOT NULL,
	source      TEXT    NOT NULL,
	rule        TEXT    NOT NULL,    -- why it won, or why nobody did
	self        INTEGER NOT NULL     -- 1: the buyer is the owner
) STRICT, WITHOUT ROWID;

-- What competed for a customer: Keap's referral rows.
CREATE TABLE referral_row (
	id         INTEGER PRIMARY KEY,
	import_id  INTEGER NOT NULL,
	contact_id INTEGER NOT NULL,
	partner_id INTEGER NOT NULL,
	set_at     INTEGER NOT NULL,
	expires_on TEXT    NOT NULL,     -- its last day, as 2023-03-31; empty: never
	type       TEXT    NOT NULL,
	source     TEXT    NOT NULL,
	note       TEXT    NOT NULL
) STRICT;

CREATE INDEX referral_row_contact ON referral_row (contact_id);

-- An order.
CREATE TABLE sale (
	id         INTEGER PRIMARY KEY,
	import_id  INTEGER NOT NULL,
	contact_id INTEGER NOT NULL,
	ordered_at INTEGER NOT NULL,
	total      INTEGER NOT NULL,
	currency   TEXT    NOT NULL,
	products   TEXT    NOT NULL,
	seller_id  INTEGER NOT NULL,
	lead_id    INTEGER NOT NULL,
	type       TEXT    NOT NULL
) STRICT;

CREATE INDEX sale_contact ON sale (contact_id);

CREATE TABLE subscription (
	id         INTEGER PRIMARY KEY,
	import_id  INTEGER NOT NULL,
	contact_id INTEGER NOT NULL,
	product    TEXT    NOT NULL,
	plan_id    TEXT    NOT NULL,
	amount     INTEGER NOT NULL,
	currency   TEXT    NOT NULL,
	seller_id  INTEGER NOT NULL,
	lead_id    INTEGER NOT NULL,
	active     INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX subscription_contact ON subscription (contact_id);

-- What was earned at Keap. Only ever appended.
CREATE TABLE commission (
	id          TEXT    PRIMARY KEY, -- of the ledger's entry
	import_id   INTEGER NOT NULL,
	kind        TEXT    NOT NULL CHECK (kind IN ('commission', 'clawback', 'opening', 'difference')),
	partner_id  INTEGER NOT NULL,
	seller_id   INTEGER NOT NULL,
	contact_id  INTEGER NOT NULL,
	invoice     TEXT    NOT NULL,
	earned_at   INTEGER NOT NULL,
	month       INTEGER NOT NULL,    -- of earning, in the program's zone: 202303
	amount      INTEGER NOT NULL,    -- what it does to the balance
	currency    TEXT    NOT NULL,
	product     TEXT    NOT NULL,
	description TEXT    NOT NULL,
	source_id   INTEGER NOT NULL,    -- source.id; 0: none
	source_line INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX commission_partner ON commission (partner_id, earned_at);
CREATE INDEX commission_contact ON commission (contact_id);

-- What was paid at Keap. Only ever appended.
CREATE TABLE payout (
	id          TEXT    PRIMARY KEY, -- of the ledger's entry
	import_id   INTEGER NOT NULL,
	partner_id  INTEGER NOT NULL,
	keap_id     INTEGER NOT NULL,    -- of the payment
	paid_at     INTEGER NOT NULL,
	month       INTEGER NOT NULL,
	amount      INTEGER NOT NULL,    -- below 0: money that came back
	currency    TEXT    NOT NULL,
	type        TEXT    NOT NULL,
	note        TEXT    NOT NULL,
	source_id   INTEGER NOT NULL,
	source_line INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payout_partner ON payout (partner_id, paid_at);
