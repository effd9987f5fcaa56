-- The published link map, where there is no Redis to hold it. Times are Unix seconds, UTC.

-- One epoch is one version; at most one of them is live.
CREATE TABLE map_epoch (
	epoch        INTEGER PRIMARY KEY,
	published_at INTEGER NOT NULL,
	plan_id      TEXT    NOT NULL,
	checksum     TEXT    NOT NULL,  -- SHA-256, hex, over policy and entries
	policy       TEXT    NOT NULL,  -- JSON
	links        INTEGER NOT NULL,
	partners     INTEGER NOT NULL,
	ids          INTEGER NOT NULL,
	paths        INTEGER NOT NULL,
	live         INTEGER NOT NULL CHECK (live IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX map_epoch_live ON map_epoch (live) WHERE live = 1;

-- kind: 0 links, 1 partners, 2 ids, 3 paths. The key's order is the checksum's order.
CREATE TABLE map_entry (
	epoch INTEGER NOT NULL,
	kind  INTEGER NOT NULL,
	key   TEXT    NOT NULL,
	value TEXT    NOT NULL,
	PRIMARY KEY (epoch, kind, key)
) STRICT, WITHOUT ROWID;
