-- Where the link map of this book is published, and how far it is behind the book: one row.
CREATE TABLE publication (
	id           INTEGER PRIMARY KEY CHECK (id = 1),
	store        TEXT    NOT NULL CHECK (store IN ('', 'book', 'redis')), -- empty: nothing was published yet
	address      TEXT    NOT NULL,   -- of the Redis: host:port/database; never a user or a password
	program      TEXT    NOT NULL,   -- that the keys in Redis carry
	chosen_at    INTEGER NOT NULL,   -- Unix seconds, UTC
	epoch        INTEGER NOT NULL,   -- published last; 0: none
	checksum     TEXT    NOT NULL,   -- of epoch
	changes      INTEGER NOT NULL,   -- how often something was changed that the map is made of
	published    INTEGER NOT NULL,   -- changes that the map has which was published last
	undone_import INTEGER NOT NULL   -- import.id of a rollback that ended before the map was published; 0: none
) STRICT;

INSERT INTO publication VALUES (1, '', '', '', 0, 0, '', 0, 0, 0);
