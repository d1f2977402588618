-- Spending by scope, leases by purse and window, and checkpoints of what is being generated.

-- A projection of charges by scope (`key:<hash>`, `account:<id>`, `workspace:<id>`, those of budgets)
-- and UTC day (days since 1970) of the reservation. `byok` is list price, not charged.
CREATE TABLE usage (
    scope TEXT NOT NULL,
    day BIGINT NOT NULL,
    charged BIGINT NOT NULL CHECK (charged >= 0),
    byok BIGINT NOT NULL DEFAULT 0 CHECK (byok >= 0),
    requests BIGINT NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (scope, day)
);
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
ALTER TABLE leases RENAME COLUMN account_id TO purse;
ALTER TABLE leases ADD COLUMN window_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leases ALTER COLUMN window_start DROP DEFAULT;
ALTER TABLE leases ADD COLUMN op TEXT;
ALTER TABLE leases ADD COLUMN op_added BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leases DROP CONSTRAINT leases_pkey;
ALTER TABLE leases ADD PRIMARY KEY (purse, window_start, holder);
UPDATE leases SET purse = 'credit:' || purse;
CREATE INDEX leases_holder ON leases (holder);

-- `spender` says what a reservation draws on, as JSON; kept while it is open.
ALTER TABLE reservations ADD COLUMN byok BIGINT NOT NULL DEFAULT 0 CHECK (byok >= 0);
ALTER TABLE reservations ADD COLUMN spender TEXT;

-- What an open generation has come to so far. After a crash it is settled with this.
CREATE TABLE checkpoints (
    generation TEXT NOT NULL PRIMARY KEY,
    charged BIGINT NOT NULL CHECK (charged >= 0),
    byok BIGINT NOT NULL CHECK (byok >= 0),
    record TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Here a process posts from a file of its own (its outbox). `posted` is the number of the last entry of
-- it that is in these tables; `place` and `seen_at` tell an operator which process it is, and whether it
-- still lives.
ALTER TABLE holders ADD COLUMN posted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE holders ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE holders ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
