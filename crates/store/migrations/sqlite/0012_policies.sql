-- What accounts, workspaces, members and keys permit. `rules` is JSON: the rules of one guardrail.

-- An account's own settings: the ceiling for everything in it.
CREATE TABLE privacy (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    rules TEXT NOT NULL,
    locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
    updated_at INTEGER NOT NULL
) STRICT;

-- One that stands for its workspace's default has the id that follows from the workspace.
CREATE TABLE guardrails (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    workspace_id TEXT REFERENCES workspaces (id),
    name TEXT NOT NULL,
    description TEXT,
    rules TEXT NOT NULL,
    limit_nanos INTEGER CHECK (limit_nanos >= 0),
    reset_interval TEXT CHECK (reset_interval IN ('daily', 'weekly', 'monthly')),
    include_byok INTEGER NOT NULL CHECK (include_byok IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER
) STRICT;
CREATE INDEX guardrails_account ON guardrails (account_id, workspace_id, created_at);

-- A key has at most one guardrail of its own, and so has a member.
CREATE TABLE guardrail_keys (
    key_hash TEXT NOT NULL PRIMARY KEY REFERENCES api_keys (hash),
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    guardrail_id TEXT NOT NULL REFERENCES guardrails (id),
    assigned_by TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX guardrail_keys_guardrail ON guardrail_keys (guardrail_id);
CREATE TABLE guardrail_members (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    id TEXT NOT NULL UNIQUE,
    guardrail_id TEXT NOT NULL REFERENCES guardrails (id),
    assigned_by TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX guardrail_members_guardrail ON guardrail_members (guardrail_id);

-- Phrases that are never taken for an injection. `identity` is the phrase without regard to case.
CREATE TABLE allowlist (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    phrase TEXT NOT NULL,
    identity TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_by TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX allowlist_identity ON allowlist (account_id, identity);
