-- Payouts that were approved here, and what became of them. Times are Unix seconds, UTC;
-- amounts are minor units of the batch's currency. Nothing of it ever changes.

CREATE TABLE payout_batch (
	id             INTEGER PRIMARY KEY,
	month          INTEGER NOT NULL,   -- in which it is paid: 202303
	earned_through INTEGER NOT NULL,   -- the last month of earning that it pays
	currency       TEXT    NOT NULL,
	approved_at    INTEGER NOT NULL,
	approved_by    TEXT    NOT NULL
) STRICT;

CREATE TABLE payout_line (
	id          INTEGER PRIMARY KEY,
	batch_id    INTEGER NOT NULL,   -- payout_batch.id
	promoter_id INTEGER NOT NULL,
	months      TEXT    NOT NULL,   -- of earning: "2022-12 2023-01"
	gross       INTEGER NOT NULL,
	refunds     INTEGER NOT NULL,   -- 0 or less
	carried     INTEGER NOT NULL,
	net         INTEGER NOT NULL,   -- gross + refunds + carried: what is paid
	method      TEXT    NOT NULL,
	address     TEXT    NOT NULL,   -- where it is paid to, as it was when it was approved
	name        TEXT    NOT NULL,
	UNIQUE (batch_id, promoter_id)
) STRICT;

CREATE INDEX payout_line_promoter ON payout_line (promoter_id);

-- What became of a line. failed: nothing was paid, it is due again; returned: it was
-- paid and came back.
CREATE TABLE payout_record (
	id          INTEGER PRIMARY KEY,
	line_id     INTEGER NOT NULL,   -- payout_line.id
	status      TEXT    NOT NULL CHECK (status IN ('paid', 'failed', 'returned')),
	reference   TEXT    NOT NULL,   -- the payment's
	at          INTEGER NOT NULL,   -- when it happened
	month       INTEGER NOT NULL,   -- of at, in the program's zone
	note        TEXT    NOT NULL,
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL,
	UNIQUE (line_id, status)
) STRICT;

CREATE UNIQUE INDEX payout_record_reference ON payout_record (reference, status);
