-- Spending by scope, leases by purse and window, and checkpoints of what is being generated.

-- A projection of charges by scope (`key:<hash>`, `account:<id>`, `workspace:<id>`, those of budgets)
-- and UTC day (days since 1970) of the reservation. `byok` is list price, not charged.
CREATE TABLE usage (
    scope TEXT NOT NULL,
    day INTEGER NOT NULL,
    charged INTEGER NOT NULL CHECK (charged >= 0),
    byok INTEGER NOT NULL DEFAULT 0 CHECK (byok >= 0),
    requests INTEGER NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;
INSERT INTO usage (scope, day, charged, requests)
    SELECT 'key:' || key_hash, day, charged, requests FROM key_usage;
INSERT INTO usage (scope, day, charged, requests)
    SELECT 'account:' || account_id, day, sum(charged), sum(requests)
    FROM key_usage JOIN api_keys ON hash = key_hash GROUP BY account_id, day;
INSERT INTO usage (scope, day, charged, requests)
    SELECT 'workspace:default:' || account_id, day, sum(charged), sum(requests)
    FROM key_usage JOIN api_keys ON hash = key_hash GROUP BY account_id, day;
DROP TABLE key_usage;

-- What one running process may spend of a purse in a window (microseconds; 0 for a purse that never
-- starts again). `op` is the last change that its process asked for and `op_added` what that gave, so
-- that asking again after a lost answer changes nothing.
CREATE TABLE leases_new (
    purse TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    holder TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    op TEXT,
    op_added INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (purse, window_start, holder)
) STRICT, WITHOUT ROWID;
INSERT INTO leases_new (purse, window_start, holder, amount)
    SELECT 'credit:' || account_id, 0, holder, amount FROM leases;
DROP TABLE leases;
ALTER TABLE leases_new RENAME TO leases;
CREATE INDEX leases_holder ON leases (holder);

-- `spender` says what a reservation draws on, as JSON; kept while it is open.
ALTER TABLE reservations ADD COLUMN byok INTEGER NOT NULL DEFAULT 0 CHECK (byok >= 0);
ALTER TABLE reservations ADD COLUMN spender TEXT;

-- What an open generation has come to so far. After a crash it is settled with this.
CREATE TABLE checkpoints (
    generation TEXT NOT NULL PRIMARY KEY,
    charged INTEGER NOT NULL CHECK (charged >= 0),
    byok INTEGER NOT NULL CHECK (byok >= 0),
    record TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
