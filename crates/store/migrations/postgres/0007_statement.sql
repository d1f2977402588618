-- What an account ever might owe, for the audit of its past; and how a statement finds its lines.
ALTER TABLE balances ADD COLUMN most_line BIGINT NOT NULL DEFAULT 0 CHECK (most_line >= 0);
UPDATE balances SET most_line = line;

-- What came into an account: the charges of generations go to the operator and are left out.
CREATE INDEX transfers_credit ON transfers (credit, at)
    WHERE kind NOT IN ('charge', 'byok_fee', 'waste');
CREATE INDEX transfers_debit ON transfers (debit, at);
