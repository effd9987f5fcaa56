-- Clicks. click.at_ms is Unix milliseconds, UTC; click_rollup.hour is Unix seconds.

-- Each click as it was answered and judged. (node, seq) names a click for ever: a
-- delivery that comes twice is the same row.
CREATE TABLE click (
	node         TEXT    NOT NULL,
	seq          INTEGER NOT NULL,
	at_ms        INTEGER NOT NULL,
	host         TEXT    NOT NULL,
	path         TEXT    NOT NULL, -- raw; never the query, which may hold secrets
	params       TEXT    NOT NULL, -- names of affiliate parameters seen in the query, comma separated
	outcome      TEXT    NOT NULL,
	ref_token    TEXT    NOT NULL,
	link         TEXT    NOT NULL,
	ad           TEXT    NOT NULL,
	miss         INTEGER NOT NULL, -- 1: the URL did not resolve to all that it seems to name
	expired      INTEGER NOT NULL, -- 1: answered by the rules that hold after the cutoff
	referrer     TEXT    NOT NULL, -- scheme and host
	user_agent   TEXT    NOT NULL,
	visitor      TEXT    NOT NULL, -- keyed hash of the address; the key lives two days
	signals      INTEGER NOT NULL, -- header bits, see gateway/click
	epoch        INTEGER NOT NULL, -- of the link map that decided
	verdict      TEXT    NOT NULL,
	reason       TEXT    NOT NULL,
	rule_version INTEGER NOT NULL,
	PRIMARY KEY (node, seq)
) WITHOUT ROWID, STRICT;

CREATE INDEX click_at ON click (at_ms);
CREATE INDEX click_miss ON click (host, path) WHERE miss = 1;

-- Counts by the hour, made once from each click and kept when raw clicks are let go.
CREATE TABLE click_rollup (
	hour      INTEGER NOT NULL, -- its beginning
	ref_token TEXT    NOT NULL,
	link      TEXT    NOT NULL,
	outcome   TEXT    NOT NULL,
	verdict   TEXT    NOT NULL,
	count     INTEGER NOT NULL,
	PRIMARY KEY (hour, ref_token, link, outcome, verdict)
) WITHOUT ROWID, STRICT;
