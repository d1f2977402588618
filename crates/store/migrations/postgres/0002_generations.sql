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
    streamed BIGINT NOT NULL CHECK (streamed IN (0, 1)),
    cancelled BIGINT NOT NULL CHECK (cancelled IN (0, 1)),
    finish_reason TEXT,
    native_finish_reason TEXT,
    error_type TEXT,
    created_at BIGINT NOT NULL,
    latency_ms BIGINT,
    generation_ms BIGINT,
    usage TEXT NOT NULL,
    tokens_prompt BIGINT NOT NULL,
    tokens_completion BIGINT NOT NULL,
    cost BIGINT NOT NULL CHECK (cost >= 0),
    upstream_cost BIGINT,
    prices TEXT,
    service_tier TEXT,
    session_id TEXT,
    external_user TEXT,
    http_referer TEXT,
    origin TEXT,
    user_agent TEXT,
    app_title TEXT,
    num_media_prompt BIGINT,
    provider_responses TEXT NOT NULL
);

-- For the daily count of free requests; only those are in it.
CREATE INDEX generations_free ON generations (account_id, created_at) WHERE model LIKE '%:free';
