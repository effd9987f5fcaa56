-- Times are Unix seconds (UTC). NULL means "not known".

CREATE TABLE run (
	id          INTEGER PRIMARY KEY,
	plan_id     TEXT    NOT NULL,
	applied_at  INTEGER NOT NULL,
	rolled_back INTEGER,            -- when it was undone
	plan_dir    TEXT    NOT NULL,   -- where the reviewed plan was
	inputs      TEXT    NOT NULL,   -- JSON: what was read, with its checksums
	tables      TEXT    NOT NULL    -- JSON: rows created and updated, per table
) STRICT;

-- A person or company that refers customers, in the new model.
CREATE TABLE promoter (
	id          INTEGER PRIMARY KEY,  -- the lowest primary Keap id it was created from
	ref_token   TEXT    NOT NULL UNIQUE,
	keap_id     INTEGER NOT NULL,     -- primary Keap id
	email       TEXT    NOT NULL,     -- trimmed, lower case; empty: needs one
	name        TEXT    NOT NULL,
	status      TEXT    NOT NULL CHECK (status IN ('active', 'inactive')),
	parent_id   INTEGER NOT NULL,     -- promoter.id, 0 for none
	joined_at   INTEGER NOT NULL,     -- 0: not known
	merged_into INTEGER NOT NULL      -- promoter.id that took this one over, its token still resolves; 0: none
) STRICT;

-- Every code and Keap id that ever named a promoter. promoter_id 0 with state 'house'
-- is the program's own; with 'ambiguous', several promoters claim it.
CREATE TABLE promoter_alias (
	kind        TEXT    NOT NULL CHECK (kind IN ('code', 'keap_id')),
	value       TEXT    NOT NULL,
	promoter_id INTEGER NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('', 'house', 'ambiguous')),
	code        TEXT    NOT NULL,   -- of a keap_id: the code it stands for
	PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
	code        TEXT    PRIMARY KEY,
	keap_id     INTEGER NOT NULL,   -- 0: not known
	name        TEXT    NOT NULL,
	destination TEXT    NOT NULL,
	created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that could not be loaded, verbatim but for secret columns.
CREATE TABLE reject (
	run_id INTEGER NOT NULL REFERENCES run (id),
	file   TEXT    NOT NULL,
	line   INTEGER NOT NULL,
	reason TEXT    NOT NULL,
	cells  TEXT    NOT NULL,        -- JSON array
	PRIMARY KEY (run_id, file, line)
) STRICT, WITHOUT ROWID;

-- What a run changed, row by row, so that it can be undone.
CREATE TABLE change (
	run_id INTEGER NOT NULL REFERENCES run (id),
	seq    INTEGER NOT NULL,
	tbl    TEXT    NOT NULL,
	before TEXT    NOT NULL,        -- JSON of the row as it was; empty: it was not there
	key    TEXT    NOT NULL,
	PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
