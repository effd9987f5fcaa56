-- Promoters, what names them, and links. Times are Unix seconds, UTC; 0: not known.

-- A person or company that refers customers.
CREATE TABLE promoter (
	id          INTEGER PRIMARY KEY,  -- the lowest primary Keap id it was created from; below 0: it joined here
	ref_token   TEXT    NOT NULL UNIQUE,
	keap_id     INTEGER NOT NULL,     -- of its primary partner
	email       TEXT    NOT NULL,     -- trimmed, lower case; empty: needs one
	name        TEXT    NOT NULL,
	status      TEXT    NOT NULL CHECK (status IN ('active', 'inactive')),
	parent_id   INTEGER NOT NULL,     -- promoter.id; 0: none
	joined_at   INTEGER NOT NULL,
	merged_into INTEGER NOT NULL      -- promoter.id that took this one over, its token still resolves; 0: none
) STRICT;

-- Every code and Keap id that ever named a promoter. promoter_id 0 with state 'house' is the
-- program's own; with 'ambiguous', several promoters claim it. A promoter who joined here has
-- one keap_id, which is its promoter.id.
CREATE TABLE promoter_alias (
	kind        TEXT    NOT NULL CHECK (kind IN ('code', 'keap_id')),
	value       TEXT    NOT NULL,
	promoter_id INTEGER NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('', 'house', 'ambiguous')),
	code        TEXT    NOT NULL,     -- of a keap_id: the code it stands for

	-- Of a keap_id: what was last known of the partner. A later export may hold some of the
	-- partners only, and the others must still be joined with it as if it held all.
	contact_id  INTEGER NOT NULL,
	parent_id   INTEGER NOT NULL,     -- Keap id
	email       TEXT    NOT NULL,     -- trimmed, lower case; empty: no usable one
	active      INTEGER NOT NULL,     -- 1: this partner is
	PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- What a person recorded of a promoter. The newest row of a field holds. Only ever appended.
CREATE TABLE promoter_setting (
	id          INTEGER PRIMARY KEY,
	promoter_id INTEGER NOT NULL,
	field       TEXT    NOT NULL,     -- one of the Setting constants
	value       TEXT    NOT NULL,     -- empty: taken back
	from_at     INTEGER NOT NULL,     -- since when it holds
	recorded_at INTEGER NOT NULL,
	recorded_by TEXT    NOT NULL
) STRICT;

CREATE INDEX promoter_setting_promoter ON promoter_setting (promoter_id);

-- Somebody who wants to take part, or to take part again.
CREATE TABLE application (
	id          INTEGER PRIMARY KEY,
	kind        TEXT    NOT NULL CHECK (kind IN ('join', 'rejoin')),
	name        TEXT    NOT NULL,
	email       TEXT    NOT NULL,     -- trimmed, lower case
	site        TEXT    NOT NULL,
	terms       TEXT    NOT NULL,     -- what was agreed to
	applied_at  INTEGER NOT NULL,
	visitor     TEXT    NOT NULL,     -- keyed hash of the address
	reason      TEXT    NOT NULL,     -- why a person decides, and a name after it; empty: nobody had to
	state       TEXT    NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected')),
	promoter_id INTEGER NOT NULL,     -- 0 until there is one
	decided_at  INTEGER NOT NULL,
	decided_by  TEXT    NOT NULL
) STRICT;

CREATE INDEX application_email   ON application (email);
CREATE INDEX application_visitor ON application (visitor);
CREATE INDEX application_waiting ON application (state) WHERE state = 'waiting';
CREATE INDEX application_decided ON application (decided_at);

-- A tracking link.
CREATE TABLE link (
	code        TEXT    PRIMARY KEY,
	keap_id     INTEGER NOT NULL,     -- 0: not known
	name        TEXT    NOT NULL,
	destination TEXT    NOT NULL,
	created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
