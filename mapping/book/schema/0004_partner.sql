-- What was last known of the partner behind a Keap id: a later export may hold some of
-- the partners only, and the others must still be joined with it as if it held all.
ALTER TABLE promoter_alias ADD COLUMN contact_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE promoter_alias ADD COLUMN parent_id  INTEGER NOT NULL DEFAULT 0;  -- Keap id
ALTER TABLE promoter_alias ADD COLUMN email      TEXT    NOT NULL DEFAULT '';  -- trimmed, lower case; empty: no usable one
ALTER TABLE promoter_alias ADD COLUMN active     INTEGER NOT NULL DEFAULT 0;  -- 1: this partner is
