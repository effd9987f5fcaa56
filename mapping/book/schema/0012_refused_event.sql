-- What callers of the tracking API told and was not booked: every answer from 400 to 499 but 401,
-- 409 and 422, and the 204 of version 1. Bounded for each caller: its oldest go first. Times are
-- Unix seconds.
CREATE TABLE refused_event (
	id          INTEGER PRIMARY KEY,
	digest      TEXT    NOT NULL UNIQUE, -- of what was told: what comes again is the same row
	at          INTEGER NOT NULL,        -- when it was told first
	last_at     INTEGER NOT NULL,        -- and last
	times       INTEGER NOT NULL,
	status      INTEGER NOT NULL,        -- of the answer
	reason      TEXT    NOT NULL,        -- in words
	caller      TEXT    NOT NULL,        -- fingerprint of the key; empty: not known
	path        TEXT    NOT NULL,
	kind        TEXT    NOT NULL,        -- of the event; empty: it is none
	external_id TEXT    NOT NULL,        -- the billing system's
	email       TEXT    NOT NULL,        -- an e-mail key
	uid         TEXT    NOT NULL,
	body        TEXT    NOT NULL,        -- the fields that the API knows, as JSON, or the beginning of what is no call
	whole       INTEGER NOT NULL,        -- 1: body is all that is needed to tell it again
	visitor     TEXT    NOT NULL,        -- keyed hash of the customer's address
	evidence    TEXT    NOT NULL,        -- JSON, see book.Evidence; empty: it named nobody
	waits       INTEGER NOT NULL,        -- 1: it is open and nobody's customer yet: it is booked once somebody's
	state       TEXT    NOT NULL CHECK (state IN ('open', 'booked', 'done', 'past')),
	settled_at  INTEGER NOT NULL,        -- 0: it is open
	nth         INTEGER NOT NULL,        -- of the caller's rows
	total       INTEGER NOT NULL         -- bytes of this and all former rows of the caller's
) STRICT;

CREATE INDEX refused_event_caller   ON refused_event (caller, id);
CREATE INDEX refused_event_email    ON refused_event (email) WHERE email != '' AND waits = 1;
CREATE INDEX refused_event_uid      ON refused_event (uid) WHERE uid != '' AND waits = 1;
CREATE INDEX refused_event_external ON refused_event (kind, external_id) WHERE external_id != '';
CREATE INDEX refused_event_last_at  ON refused_event (last_at) WHERE state != 'past';
