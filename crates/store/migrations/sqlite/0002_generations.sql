-- One row for each logical request, written in the commit that charges it.

CREATE TABLE generations (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT,
    provider_name TEXT,
    endpoint_id TEXT,
    upstream_id TEXT,
    api_type TEXT NOT NULL,
    router TEXT,
    streamed INTEGER NOT NULL CHECK (streamed IN (0, 1)),
    cancelled INTEGER NOT NULL CHECK (cancelled IN (0, 1)),
    finish_reason TEXT,
    native_finish_reason TEXT,
    error_type TEXT,
    created_at INTEGER NOT NULL,
    latency_ms INTEGER,
    generation_ms INTEGER,
    usage TEXT NOT NULL,
    tokens_prompt INTEGER NOT NULL,
    tokens_completion INTEGER NOT NULL,
    cost INTEGER NOT NULL CHECK (cost >= 0),
    upstream_cost INTEGER,
    prices TEXT,
    service_tier TEXT,
    session_id TEXT,
    external_user TEXT,
    http_referer TEXT,
    origin TEXT,
    user_agent TEXT,
    app_title TEXT,
    num_media_prompt INTEGER,
    provider_responses TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- For the daily count of free requests; only those are in it.
CREATE INDEX generations_free ON generations (account_id, created_at) WHERE model LIKE '%:free';
