-- Everything that moves money besides generations: purchases, refunds, vouchers, transfers between
-- accounts, automatic top-ups, plans and budgets. Money is nano-dollars, time microseconds.

-- `plan` is NULL while it follows from purchases: free before the first, pay-as-you-go after it.
-- `terms` is what was negotiated, as JSON. `purchased` is a projection: what was ever bought.
ALTER TABLE accounts ADD COLUMN plan TEXT CHECK (plan IN ('free', 'payg', 'enterprise'));
ALTER TABLE accounts ADD COLUMN terms TEXT;
ALTER TABLE accounts ADD COLUMN shares_data INTEGER NOT NULL DEFAULT 0 CHECK (shares_data IN (0, 1));
ALTER TABLE accounts ADD COLUMN purchased INTEGER NOT NULL DEFAULT 0 CHECK (purchased >= 0);
ALTER TABLE accounts ADD COLUMN frozen_at INTEGER;
ALTER TABLE accounts ADD COLUMN frozen_reason TEXT;

-- A projection of transfers. `line` is what an invoiced account may owe; 0 for all others. The last
-- CHECK is the last wall against an overdraft.
CREATE TABLE balances_new (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    credited INTEGER NOT NULL DEFAULT 0 CHECK (credited >= 0),
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    withdrawn INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn >= 0),
    line INTEGER NOT NULL DEFAULT 0 CHECK (line >= 0),
    CHECK (charged + withdrawn <= credited + line)
) STRICT;
INSERT INTO balances_new (account_id, credited, charged)
    SELECT account_id, credited, charged FROM balances;
DROP TABLE balances;
ALTER TABLE balances_new RENAME TO balances;

-- Append-only double entry with a hash chain, with every kind of movement. Only the charge of a
-- generation is unique to it: what its failed attempts wasted are rows of the platform.
CREATE TABLE transfers_new (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('grant', 'promo', 'purchase', 'voucher', 'settlement',
        'charge', 'byok_fee', 'refund', 'chargeback', 'transfer', 'adjustment', 'expiry', 'waste')),
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    generation TEXT,
    reason TEXT NOT NULL,
    operator TEXT,
    at INTEGER NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    CHECK ((kind IN ('charge', 'byok_fee', 'waste')) = (generation IS NOT NULL)),
    CHECK (debit <> credit)
) STRICT;
INSERT INTO transfers_new (seq, id, kind, debit, credit, amount, generation, reason, operator, at,
        prev_hash, hash)
    SELECT seq, id, kind, debit, credit, amount, generation, reason, operator, at, prev_hash, hash
    FROM transfers ORDER BY seq;
DROP TABLE transfers;
ALTER TABLE transfers_new RENAME TO transfers;
CREATE UNIQUE INDEX transfers_generation ON transfers (generation)
    WHERE kind IN ('charge', 'byok_fee');
CREATE TRIGGER transfers_keep_rows BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER transfers_keep_values BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;

-- A purchase from the moment it is offered. `amount` is the credit; fee and tax come on top of it.
CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    rail TEXT NOT NULL CHECK (rail IN ('stripe', 'crypto', 'manual')),
    status TEXT NOT NULL
        CHECK (status IN ('open', 'paid', 'failed', 'expired', 'refunded', 'disputed')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    fee INTEGER NOT NULL CHECK (fee >= 0),
    tax INTEGER NOT NULL DEFAULT 0 CHECK (tax >= 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= amount),
    currency TEXT NOT NULL,
    automatic INTEGER NOT NULL DEFAULT 0 CHECK (automatic IN (0, 1)),
    session_ref TEXT UNIQUE,
    intent_ref TEXT UNIQUE,
    failure TEXT,
    receipt_url TEXT,
    created_at INTEGER NOT NULL,
    paid_at INTEGER
) STRICT;
CREATE INDEX payments_account ON payments (account_id, created_at);

-- Every event that a payment rail ever sent, so that each has one effect for ever.
CREATE TABLE payment_events (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payment_id TEXT,
    outcome TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- The account as the card processor knows it.
CREATE TABLE payment_customers (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    customer_ref TEXT NOT NULL UNIQUE,
    method_ref TEXT,
    method_label TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

-- Buys credit by itself when the balance falls below the threshold. `attempt` is the payment in
-- flight: there is one at most.
CREATE TABLE top_up_rules (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    threshold INTEGER NOT NULL CHECK (threshold >= 0),
    amount INTEGER NOT NULL CHECK (amount > 0),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    attempt TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    disabled_reason TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tax_ids (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    processor_ref TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (account_id, kind, value)
) STRICT;

-- Only the SHA-256 of a voucher's code is kept.
CREATE TABLE vouchers (
    code_hash TEXT NOT NULL PRIMARY KEY,
    amount INTEGER NOT NULL CHECK (amount > 0),
    uses INTEGER NOT NULL CHECK (uses > 0),
    redeemed INTEGER NOT NULL DEFAULT 0 CHECK (redeemed >= 0 AND redeemed <= uses),
    expires_at INTEGER,
    reason TEXT NOT NULL,
    operator TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE redemptions (
    code_hash TEXT NOT NULL REFERENCES vouchers (code_hash),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (code_hash, account_id)
) STRICT, WITHOUT ROWID;

-- What an account in arrears was billed for a period.
CREATE TABLE invoices (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'void')),
    processor_ref TEXT,
    issued_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (account_id, period_start)
) STRICT;

-- The first answer to a request with an Idempotency-Key. It never expires.
CREATE TABLE idempotency (
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER,
    response TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

-- Limits on what a scope spends: `workspace:<id>`, `guardrail:<id>:key:<hash>`,
-- `guardrail:<id>:member:<id>`. `interval` is daily, weekly, monthly or lifetime, UTC.
CREATE TABLE budgets (
    scope TEXT NOT NULL,
    interval TEXT NOT NULL CHECK (interval IN ('daily', 'weekly', 'monthly', 'lifetime')),
    limit_nanos INTEGER NOT NULL CHECK (limit_nanos > 0),
    include_byok INTEGER NOT NULL CHECK (include_byok IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, interval)
) STRICT, WITHOUT ROWID;

-- NULL: the account's default workspace.
ALTER TABLE api_keys ADD COLUMN workspace_id TEXT;

-- `byok` is the list price of what the caller's own key paid for; the charge is `fee_bps` of it.
-- `recovered`: settled from a checkpoint after its process had ended.
ALTER TABLE generations ADD COLUMN byok INTEGER;
ALTER TABLE generations ADD COLUMN fee_bps INTEGER;
ALTER TABLE generations ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0 CHECK (recovered IN (0, 1));
