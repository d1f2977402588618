-- What takes money of a purchase back: a refund that was asked for here, one that the processor made
-- by itself (`outside`), a disputed charge. `amount` is what is to be taken, `taken` what the account
-- had, `owed` what it had no more. A refund is `taken` until the processor confirmed it. The others
-- are `waiting` for their payment, then `due`: counted against it, the money still to be taken.
CREATE TABLE reversals (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'outside', 'dispute')),
    payment_id TEXT REFERENCES payments (id),
    intent_ref TEXT,
    amount INTEGER NOT NULL CHECK (amount > 0),
    taken INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0),
    owed INTEGER NOT NULL DEFAULT 0 CHECK (owed >= 0),
    status TEXT NOT NULL CHECK (status IN ('waiting', 'due', 'taken', 'done', 'failed')),
    processor_ref TEXT UNIQUE,
    failure TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reversals_payment ON reversals (payment_id);
CREATE INDEX reversals_open ON reversals (status) WHERE status IN ('waiting', 'due', 'taken');

-- What came into and went out of an account besides generations: which purchase is used up.
CREATE INDEX transfers_in ON transfers (credit, seq)
    WHERE kind NOT IN ('charge', 'byok_fee', 'waste');
CREATE INDEX transfers_out ON transfers (debit, seq)
    WHERE kind NOT IN ('charge', 'byok_fee', 'waste');

-- Purchases that are still open, of all accounts.
CREATE INDEX payments_open ON payments (rail, created_at) WHERE status = 'open';
