-- People, organizations and workspaces, who belongs to which, and what was done by whom.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_verified_at INTEGER,
    first_name TEXT,
    last_name TEXT,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL;

-- An account is a person's own or an organization's. The address of an organization is for bills: it
-- need not be unique.
ALTER TABLE accounts ADD COLUMN kind TEXT NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'org'));
ALTER TABLE accounts ADD COLUMN name TEXT;
ALTER TABLE accounts ADD COLUMN owner_id TEXT REFERENCES users (id);
DROP INDEX accounts_email;
CREATE UNIQUE INDEX accounts_email ON accounts (email) WHERE kind = 'user';
INSERT INTO users (id, email, created_at)
SELECT 'user_' || substr(id, 5), email, created_at FROM accounts;
UPDATE accounts SET owner_id = 'user_' || substr(id, 5);

-- Members of organizations. Who was deactivated stays in the table.
CREATE TABLE members (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('org:admin', 'org:member')),
    source TEXT NOT NULL CHECK (source IN ('manual', 'scim', 'sso')),
    created_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user_id);

-- `settings` is JSON: what the workspace presets for its requests.
CREATE TABLE workspaces (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    settings TEXT NOT NULL,
    include_byok_in_budgets INTEGER NOT NULL DEFAULT 0 CHECK (include_byok_in_budgets IN (0, 1)),
    created_by TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX workspaces_slug ON workspaces (account_id, slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX workspaces_default ON workspaces (account_id) WHERE is_default = 1;

-- `sources` is a JSON array of why somebody is in a workspace: 'manual', ids of group mappings.
CREATE TABLE workspace_members (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    sources TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX workspace_members_user ON workspace_members (user_id);

ALTER TABLE api_keys ADD COLUMN creator_id TEXT;
CREATE INDEX api_keys_workspace ON api_keys (account_id, workspace_id, created_at);

-- Every act of management: who, what, from where, before and after (JSON).
CREATE TABLE audit_log (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    before TEXT,
    after TEXT
) STRICT;
CREATE INDEX audit_log_account ON audit_log (account_id, seq);
CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_keeps_values BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
