-- Imports, and what is needed to undo them. Times are Unix seconds, UTC.

-- A migration that was carried out.
CREATE TABLE import (
	id             INTEGER PRIMARY KEY,
	plan_id        TEXT    NOT NULL,
	applied_at     INTEGER NOT NULL,
	rolled_back_at INTEGER,            -- NULL: it stands
	plan_dir       TEXT    NOT NULL,   -- where the reviewed plan was
	inputs         TEXT    NOT NULL,   -- JSON: what was read, with its checksums
	tables         TEXT    NOT NULL    -- JSON: rows created and updated, per table
) STRICT;

-- Rows that could not be loaded, verbatim but for secret columns.
CREATE TABLE reject (
	import_id INTEGER NOT NULL REFERENCES import (id),
	file      TEXT    NOT NULL,
	line      INTEGER NOT NULL,
	reason    TEXT    NOT NULL,
	cells     TEXT    NOT NULL,        -- JSON array
	PRIMARY KEY (import_id, file, line)
) STRICT, WITHOUT ROWID;

-- What an import wrote over, row by row, so that it can be undone; and what it created in
-- tables whose rows do not name the import that created them.
CREATE TABLE change (
	import_id  INTEGER NOT NULL REFERENCES import (id),
	seq        INTEGER NOT NULL,
	table_name TEXT    NOT NULL,
	row_key    TEXT    NOT NULL,       -- JSON array: the cells of its key
	row_before TEXT    NOT NULL,       -- JSON of the row as it was; empty: it was not there
	PRIMARY KEY (import_id, seq)
) STRICT, WITHOUT ROWID;

-- A file that rows were read from. The ids count from 1 without gaps: only the newest
-- import is ever undone.
CREATE TABLE source (
	id        INTEGER PRIMARY KEY,
	import_id INTEGER NOT NULL,
	path      TEXT    NOT NULL,
	kind      TEXT    NOT NULL
) STRICT;
