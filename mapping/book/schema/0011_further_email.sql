-- Further addresses under which a customer of the live program is known: one that is known by
-- its uid comes with a new address. customer.email is the first and stays.
CREATE TABLE further_email (
	email       TEXT    PRIMARY KEY, -- trimmed, lower case; of no customer.email
	customer_id INTEGER NOT NULL,
	at          INTEGER NOT NULL     -- Unix seconds: when it was told
) STRICT, WITHOUT ROWID;

CREATE INDEX further_email_customer ON further_email (customer_id);
