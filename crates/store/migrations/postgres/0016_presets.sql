-- Presets: named configurations of a workspace, each with versions that never change. `config` is JSON
-- in the words of the chat dialect.

CREATE TABLE presets (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'archived')),
    status_updated_at BIGINT,
    creator_id TEXT,
    designated_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX presets_slug ON presets (workspace_id, slug);

CREATE TABLE preset_versions (
    id TEXT NOT NULL PRIMARY KEY,
    preset_id TEXT NOT NULL REFERENCES presets (id),
    number BIGINT NOT NULL CHECK (number > 0),
    creator_id TEXT NOT NULL,
    system_prompt TEXT,
    config TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX preset_versions_number ON preset_versions (preset_id, number);

-- The preset that a request was made with; it may be gone since.
ALTER TABLE generations ADD COLUMN preset_id TEXT;

-- What a workspace presets of plugins and routing, as JSON; what is absent there has its default.
ALTER TABLE workspaces ADD COLUMN defaults TEXT NOT NULL DEFAULT '{}';

-- An app is known by its URL: that of its callback, or that which its requests name. The categories that
-- it says it is in are joined by commas.
ALTER TABLE apps ADD COLUMN categories TEXT NOT NULL DEFAULT '';
