-- Everything that moves money besides generations: purchases, refunds, vouchers, transfers between
-- accounts, automatic top-ups, plans and budgets. Money is nano-dollars, time microseconds.

-- `plan` is NULL while it follows from purchases: free before the first, pay-as-you-go after it.
-- `terms` is what was negotiated, as JSON. `purchased` is a projection: what was ever bought.
ALTER TABLE accounts ADD COLUMN plan TEXT CHECK (plan IN ('free', 'payg', 'enterprise'));
ALTER TABLE accounts ADD COLUMN terms TEXT;
ALTER TABLE accounts ADD COLUMN shares_data BIGINT NOT NULL DEFAULT 0 CHECK (shares_data IN (0, 1));
ALTER TABLE accounts ADD COLUMN purchased BIGINT NOT NULL DEFAULT 0 CHECK (purchased >= 0);
ALTER TABLE accounts ADD COLUMN frozen_at BIGINT;
ALTER TABLE accounts ADD COLUMN frozen_reason TEXT;

-- A projection of transfers. `line` is what an invoiced account may owe; 0 for all others. The last
-- CHECK is the last wall against an overdraft.
ALTER TABLE balances ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0 CHECK (withdrawn >= 0);
ALTER TABLE balances ADD COLUMN line BIGINT NOT NULL DEFAULT 0 CHECK (line >= 0);
ALTER TABLE balances DROP CONSTRAINT balances_covered;
ALTER TABLE balances ADD CONSTRAINT balances_covered CHECK (charged + withdrawn <= credited + line);

-- Append-only double entry with a hash chain, with every kind of movement. Only the charge of a
-- generation is unique to it: what its failed attempts wasted are rows of the platform.
ALTER TABLE transfers DROP CONSTRAINT transfers_kind;
ALTER TABLE transfers ADD CONSTRAINT transfers_kind CHECK (kind IN ('grant', 'promo',
    'purchase', 'voucher', 'settlement', 'charge', 'byok_fee', 'refund', 'chargeback', 'transfer',
    'adjustment', 'expiry', 'waste'));
ALTER TABLE transfers DROP CONSTRAINT transfers_of;
ALTER TABLE transfers ADD CONSTRAINT transfers_of
    CHECK ((kind IN ('charge', 'byok_fee', 'waste')) = (generation IS NOT NULL));
ALTER TABLE transfers DROP CONSTRAINT transfers_once;
CREATE UNIQUE INDEX transfers_generation ON transfers (generation)
    WHERE kind IN ('charge', 'byok_fee');

-- A purchase from the moment it is offered. `amount` is the credit; fee and tax come on top of it.
CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    rail TEXT NOT NULL CHECK (rail IN ('stripe', 'crypto', 'manual')),
    status TEXT NOT NULL
        CHECK (status IN ('open', 'paid', 'failed', 'expired', 'refunded', 'disputed')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    fee BIGINT NOT NULL CHECK (fee >= 0),
    tax BIGINT NOT NULL DEFAULT 0 CHECK (tax >= 0),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= amount),
    currency TEXT NOT NULL,
    automatic BIGINT NOT NULL DEFAULT 0 CHECK (automatic IN (0, 1)),
    session_ref TEXT UNIQUE,
    intent_ref TEXT UNIQUE,
    failure TEXT,
    receipt_url TEXT,
    created_at BIGINT NOT NULL,
    paid_at BIGINT
);
CREATE INDEX payments_account ON payments (account_id, created_at);

-- Every event that a payment rail ever sent, so that each has one effect for ever.
CREATE TABLE payment_events (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payment_id TEXT,
    outcome TEXT NOT NULL,
    received_at BIGINT NOT NULL
);

-- The account as the card processor knows it.
CREATE TABLE payment_customers (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    customer_ref TEXT NOT NULL UNIQUE,
    method_ref TEXT,
    method_label TEXT,
    updated_at BIGINT NOT NULL
);

-- Buys credit by itself when the balance falls below the threshold. `attempt` is the payment in
-- flight: there is one at most.
CREATE TABLE top_up_rules (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    threshold BIGINT NOT NULL CHECK (threshold >= 0),
    amount BIGINT NOT NULL CHECK (amount > 0),
    enabled BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    attempt TEXT,
    failures BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL DEFAULT 0,
    disabled_reason TEXT,
    updated_at BIGINT NOT NULL
);

CREATE TABLE tax_ids (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    processor_ref TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, kind, value)
);

-- Only the SHA-256 of a voucher's code is kept.
CREATE TABLE vouchers (
    code_hash TEXT NOT NULL PRIMARY KEY,
    amount BIGINT NOT NULL CHECK (amount > 0),
    uses BIGINT NOT NULL CHECK (uses > 0),
    redeemed BIGINT NOT NULL DEFAULT 0 CHECK (redeemed >= 0 AND redeemed <= uses),
    expires_at BIGINT,
    reason TEXT NOT NULL,
    operator TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE redemptions (
    code_hash TEXT NOT NULL REFERENCES vouchers (code_hash),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (code_hash, account_id)
);

-- What an account in arrears was billed for a period.
CREATE TABLE invoices (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    period_start BIGINT NOT NULL,
    period_end BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'void')),
    processor_ref TEXT,
    issued_at BIGINT NOT NULL,
    settled_at BIGINT,
    UNIQUE (account_id, period_start)
);

-- The first answer to a request with an Idempotency-Key. It never expires.
CREATE TABLE idempotency (
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT,
    response TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, key)
);

-- Limits on what a scope spends: `workspace:<id>`, `guardrail:<id>:key:<hash>`,
-- `guardrail:<id>:member:<id>`. `interval` is daily, weekly, monthly or lifetime, UTC.
CREATE TABLE budgets (
    scope TEXT NOT NULL,
    interval TEXT NOT NULL CHECK (interval IN ('daily', 'weekly', 'monthly', 'lifetime')),
    limit_nanos BIGINT NOT NULL CHECK (limit_nanos > 0),
    include_byok BIGINT NOT NULL CHECK (include_byok IN (0, 1)),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (scope, interval)
);

-- NULL: the account's default workspace.
ALTER TABLE api_keys ADD COLUMN workspace_id TEXT;

-- `byok` is the list price of what the caller's own key paid for; the charge is `fee_bps` of it.
-- `recovered`: settled from a checkpoint after its process had ended.
ALTER TABLE generations ADD COLUMN byok BIGINT;
ALTER TABLE generations ADD COLUMN fee_bps BIGINT;
ALTER TABLE generations ADD COLUMN recovered BIGINT NOT NULL DEFAULT 0 CHECK (recovered IN (0, 1));
