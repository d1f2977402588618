-- Secrets that have to be had back, sealed (docs/decisions/0012-secrets.md), and own provider keys.

-- One row for the secret of a thing: `dek` is its data key under the key-encryption key `kek`, `sealed` the
-- secret under the data key. All but `kek` and `dek` is what both are bound to.
CREATE TABLE secrets (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    audience TEXT NOT NULL,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    kek TEXT NOT NULL,
    dek TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX secrets_kek ON secrets (kek, kind, id);

-- `workspace_id` is null for all workspaces of the account. The lists are JSON arrays; null is everybody.
-- `version` counts the secrets that the row has had.
CREATE TABLE byok_keys (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    workspace_id TEXT REFERENCES workspaces (id),
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    name TEXT,
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    is_fallback INTEGER NOT NULL CHECK (is_fallback IN (0, 1)),
    always_use INTEGER NOT NULL CHECK (always_use IN (0, 1)),
    sort_order INTEGER NOT NULL,
    allowed_models TEXT,
    allowed_api_key_hashes TEXT,
    allowed_user_ids TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE INDEX byok_keys_account ON byok_keys (account_id, provider, sort_order);
