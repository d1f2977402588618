-- Signing in with somebody else's word for it: identities at identity providers, connections of
-- organizations to theirs, and what is under way between here and there.

-- `source` is empty for a provider of the operator, else the id of a connection: no connection vouches
-- for anybody else's people.
CREATE TABLE identities (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    provider TEXT NOT NULL,
    email TEXT,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX identities_subject ON identities (source, issuer, subject);
CREATE INDEX identities_user ON identities (user_id, created_at);

-- The client's secret is among the sealed ones, bound to the issuer. A domain is proven by one connection at most; until then anybody may try.
CREATE TABLE sso_connections (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    domain TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('self-serve', 'operator')),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
    dns_token TEXT NOT NULL,
    verified_at BIGINT,
    issuer TEXT,
    client_id TEXT,
    secret_version BIGINT,
    tested_at BIGINT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    CHECK (status <> 'active' OR (verified_at IS NOT NULL AND issuer IS NOT NULL))
);
CREATE UNIQUE INDEX sso_connections_account ON sso_connections (account_id, domain)
WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX sso_connections_domain ON sso_connections (domain)
WHERE deleted_at IS NULL AND verified_at IS NOT NULL;

-- When an organization uncovered its settings for single sign-on; there is no way back.
ALTER TABLE accounts ADD COLUMN sso_enabled_at BIGINT;

-- A browser on its way to an identity provider and back: SHA-256 of the state and of the secret that the
-- browser keeps, from which nonce and verifier follow. `factor` is whoever is back, but for a code.
CREATE TABLE sign_ins (
    hash TEXT NOT NULL PRIMARY KEY,
    browser TEXT NOT NULL,
    source TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('sign_in', 'link', 'test', 'factor')),
    user_id TEXT REFERENCES users (id),
    return_to TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);
