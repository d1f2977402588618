-- Accounts, keys and the money tables. Ids and JSON are TEXT, time is microseconds since 1970 UTC,
-- money is nano-dollars. STRICT tables know no BIGINT: INTEGER holds 64 bits here.

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_email ON accounts (email);

-- A projection of transfers. The CHECK is the last wall against an overdraft.
CREATE TABLE balances (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    credited INTEGER NOT NULL DEFAULT 0 CHECK (credited >= 0),
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    CHECK (charged <= credited)
) STRICT;

CREATE TABLE api_keys (
    hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    limit_nanos INTEGER CHECK (limit_nanos >= 0),
    limit_reset TEXT CHECK (limit_reset IN ('daily', 'weekly', 'monthly')),
    rpm INTEGER CHECK (rpm >= 0),
    management INTEGER NOT NULL CHECK (management IN (0, 1)),
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    include_byok_in_limit INTEGER NOT NULL CHECK (include_byok_in_limit IN (0, 1)),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE INDEX api_keys_account ON api_keys (account_id, created_at);

-- A projection of charges by key and UTC day (days since 1970).
CREATE TABLE key_usage (
    key_hash TEXT NOT NULL,
    day INTEGER NOT NULL,
    charged INTEGER NOT NULL CHECK (charged >= 0),
    requests INTEGER NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (key_hash, day)
) STRICT, WITHOUT ROWID;

-- One row for each reservation; its end is written once.
CREATE TABLE reservations (
    generation TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    opened_at INTEGER NOT NULL,
    holder TEXT NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('settled', 'released', 'recovered')),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_open ON reservations (holder) WHERE ended_at IS NULL;

-- Append-only double entry with a hash chain.
CREATE TABLE transfers (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('grant', 'charge')),
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    generation TEXT UNIQUE,
    reason TEXT NOT NULL,
    operator TEXT,
    at INTEGER NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    CHECK ((kind = 'charge') = (generation IS NOT NULL)),
    CHECK (debit <> credit)
) STRICT;
CREATE TRIGGER transfers_keep_rows BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER transfers_keep_values BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;

-- The part of a balance that one running process may spend from memory.
CREATE TABLE leases (
    account_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (account_id, holder)
) STRICT, WITHOUT ROWID;

-- Processes that hold leases and reservations.
CREATE TABLE holders (
    id TEXT NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL
) STRICT;

-- What changed, for the processes that keep copies in memory.
CREATE TABLE changes (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
