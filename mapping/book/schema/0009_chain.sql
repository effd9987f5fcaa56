-- The chain: what proves that rows are as they were written. Each write transaction adds one
-- link (an import several), in which each row that it wrote is sealed by a digest. Only ever
-- appended. book.chain says how it is written, and book.Prove how it is read.

CREATE TABLE chain (
	id        INTEGER PRIMARY KEY,   -- counts from 1 without gaps
	at        INTEGER NOT NULL,      -- when it was written, Unix seconds, by the machine's clock
	kind      TEXT    NOT NULL CHECK (kind IN ('live', 'import', 'undo')),
	import_id INTEGER NOT NULL,      -- of an import, and of what undoes it: import.id; else 0
	seals     BLOB    NOT NULL,      -- of the rows that were written
	hash      BLOB    NOT NULL       -- SHA-256 over the former link's hash and all of the above
) STRICT;

-- The newest link, kept apart: links that are cut off at the end are missed.
CREATE TABLE chain_head (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	id   INTEGER NOT NULL,           -- chain.id; 0: there is none
	hash BLOB    NOT NULL
) STRICT;

INSERT INTO chain_head (one, id, hash) VALUES (1, 0, x'');
