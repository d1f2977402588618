-- What directories provision: people and groups of organizations, and what groups open.

-- Who may provision over a connection. Of a token there is only its SHA-256 in hex.
CREATE TABLE scim_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    connection_id TEXT NOT NULL REFERENCES sso_connections (id),
    name TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX scim_tokens_account ON scim_tokens (account_id, created_at);

-- `user_key` and `display_key` are names without regard to case. `profile` is JSON: what the directory says of the person.
CREATE TABLE scim_users (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    connection_id TEXT NOT NULL REFERENCES sso_connections (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    user_key TEXT NOT NULL,
    external_id TEXT,
    active BIGINT NOT NULL CHECK (active IN (0, 1)),
    profile TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX scim_users_key ON scim_users (connection_id, user_key);
CREATE UNIQUE INDEX scim_users_user ON scim_users (account_id, user_id);
CREATE INDEX scim_users_external ON scim_users (connection_id, external_id);
CREATE INDEX scim_users_order ON scim_users (connection_id, created_at, id);

CREATE TABLE scim_groups (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    connection_id TEXT NOT NULL REFERENCES sso_connections (id),
    display_name TEXT NOT NULL,
    display_key TEXT NOT NULL,
    external_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX scim_groups_account ON scim_groups (account_id, created_at, id);
CREATE INDEX scim_groups_connection ON scim_groups (connection_id, created_at, id);

CREATE TABLE scim_group_members (
    group_id TEXT NOT NULL REFERENCES scim_groups (id),
    member_id TEXT NOT NULL REFERENCES scim_users (id),
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX scim_group_members_member ON scim_group_members (member_id);

-- Whoever is in the group has this role in the workspace.
CREATE TABLE scim_mappings (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    group_id TEXT NOT NULL REFERENCES scim_groups (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX scim_mappings_pair ON scim_mappings (group_id, workspace_id);
CREATE INDEX scim_mappings_account ON scim_mappings (account_id, created_at, id);
CREATE INDEX scim_mappings_workspace ON scim_mappings (workspace_id);

-- From now on `sources` is an object: 'manual' or the id of a mapping, and the role that follows from it.
UPDATE workspace_members SET sources = '{"manual":"' || role || '"}';
