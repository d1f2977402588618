-- What the gateway remembers of each endpoint's recent past, so that it survives a restart. `credential`
-- is the id of a tenant's key, empty for the operator's own. Nothing else depends on these rows.

CREATE TABLE endpoint_health (
    endpoint_id TEXT NOT NULL,
    credential TEXT NOT NULL,
    state TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, credential)
);
