-- What an account ever might owe, for the audit of its past; and how a statement finds its charges.
ALTER TABLE balances ADD COLUMN most_line BIGINT NOT NULL DEFAULT 0 CHECK (most_line >= 0);
UPDATE balances SET most_line = line;
CREATE INDEX transfers_charges ON transfers (debit, at) WHERE kind IN ('charge', 'byok_fee');
