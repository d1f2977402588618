-- One settlement is one row put into this view. It exists only in the writing connection. Each
-- statement over it is a transaction of its own: all of a batch is written, or nothing.
-- A row without a generation fills a statement up to its size and does nothing.

CREATE TEMP VIEW intake AS SELECT
    NULL AS generation, NULL AS account_id, NULL AS key_hash, NULL AS amount, NULL AS opened_at,
    NULL AS holder, NULL AS ended_at, NULL AS outcome,
    NULL AS seq, NULL AS charged, NULL AS prev_hash, NULL AS hash,
    NULL AS account_sum, NULL AS lease_sum, NULL AS key_day, NULL AS key_sum, NULL AS key_requests,
    NULL AS request_id, NULL AS requested_model, NULL AS model, NULL AS provider,
    NULL AS provider_name, NULL AS endpoint_id, NULL AS upstream_id, NULL AS api_type,
    NULL AS router, NULL AS streamed, NULL AS cancelled, NULL AS finish_reason,
    NULL AS native_finish_reason, NULL AS error_type, NULL AS created_at, NULL AS latency_ms,
    NULL AS generation_ms, NULL AS usage, NULL AS tokens_prompt, NULL AS tokens_completion,
    NULL AS upstream_cost, NULL AS prices, NULL AS service_tier, NULL AS session_id,
    NULL AS external_user, NULL AS http_referer, NULL AS origin, NULL AS user_agent,
    NULL AS app_title, NULL AS num_media_prompt, NULL AS provider_responses,
    NULL AS routing, NULL AS response_cache_source_id
    WHERE 0;

-- A reservation that has been open for a while. A generation that held nothing has no holder.
CREATE TEMP TRIGGER intake_opening INSTEAD OF INSERT ON intake
WHEN NEW.generation IS NOT NULL AND NEW.holder IS NOT NULL AND NEW.ended_at IS NULL
BEGIN
    INSERT INTO reservations (generation, account_id, key_hash, amount, opened_at, holder)
    VALUES (NEW.generation, NEW.account_id, NEW.key_hash, NEW.amount, NEW.opened_at, NEW.holder)
    ON CONFLICT (generation) DO NOTHING;
END;

-- The end of a reservation, whether its opening was written or not. It ends once.
CREATE TEMP TRIGGER intake_end INSTEAD OF INSERT ON intake WHEN NEW.ended_at IS NOT NULL
BEGIN
    INSERT INTO reservations (generation, account_id, key_hash, amount, opened_at, holder,
        ended_at, outcome)
    VALUES (NEW.generation, NEW.account_id, NEW.key_hash, NEW.amount, NEW.opened_at, NEW.holder,
        NEW.ended_at, NEW.outcome)
    ON CONFLICT (generation) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome
    WHERE reservations.ended_at IS NULL;
    SELECT RAISE(ABORT, 'the reservation has ended before') WHERE changes() <> 1;
END;

-- A charge. It must follow the transfer whose hash it was linked to.
CREATE TEMP TRIGGER intake_charge INSTEAD OF INSERT ON intake WHEN NEW.seq IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the chain has moved on') WHERE NEW.seq > 1 AND NOT EXISTS
        (SELECT 1 FROM transfers WHERE seq = NEW.seq - 1 AND hash = NEW.prev_hash);
    INSERT INTO transfers (seq, id, kind, debit, credit, amount, generation, reason, at, prev_hash,
        hash)
    VALUES (NEW.seq, 'charge:' || NEW.generation, 'charge', 'acct:' || NEW.account_id,
        'system:revenue', NEW.charged, NEW.generation, '', NEW.ended_at, NEW.prev_hash, NEW.hash);
END;

CREATE TEMP TRIGGER intake_record INSTEAD OF INSERT ON intake WHEN NEW.request_id IS NOT NULL
BEGIN
    INSERT INTO generations (id, request_id, account_id, key_hash, requested_model, model, provider,
        provider_name, endpoint_id, upstream_id, api_type, router, streamed, cancelled,
        finish_reason, native_finish_reason, error_type, created_at, latency_ms, generation_ms,
        usage, tokens_prompt, tokens_completion, cost, upstream_cost, prices, service_tier,
        session_id, external_user, http_referer, origin, user_agent, app_title, num_media_prompt,
        provider_responses, routing, response_cache_source_id)
    VALUES (NEW.generation, NEW.request_id, NEW.account_id, NEW.key_hash, NEW.requested_model,
        NEW.model, NEW.provider, NEW.provider_name, NEW.endpoint_id, NEW.upstream_id, NEW.api_type,
        NEW.router, NEW.streamed, NEW.cancelled, NEW.finish_reason, NEW.native_finish_reason,
        NEW.error_type, NEW.created_at, NEW.latency_ms, NEW.generation_ms, NEW.usage,
        NEW.tokens_prompt, NEW.tokens_completion, NEW.charged, NEW.upstream_cost, NEW.prices,
        NEW.service_tier, NEW.session_id, NEW.external_user, NEW.http_referer, NEW.origin,
        NEW.user_agent, NEW.app_title, NEW.num_media_prompt, NEW.provider_responses,
        NEW.routing, NEW.response_cache_source_id);
END;

-- The sums of the whole batch come with the first row of their account, lease or key.
CREATE TEMP TRIGGER intake_balance INSTEAD OF INSERT ON intake WHEN NEW.account_sum IS NOT NULL
BEGIN
    UPDATE balances SET charged = charged + NEW.account_sum WHERE account_id = NEW.account_id;
    SELECT RAISE(ABORT, 'no such account') WHERE changes() <> 1;
END;

CREATE TEMP TRIGGER intake_lease INSTEAD OF INSERT ON intake WHEN NEW.lease_sum IS NOT NULL
BEGIN
    UPDATE leases SET amount = amount - NEW.lease_sum
    WHERE account_id = NEW.account_id AND holder = NEW.holder;
    SELECT RAISE(ABORT, 'the lease of this process was taken away') WHERE changes() <> 1;
END;

CREATE TEMP TRIGGER intake_key INSTEAD OF INSERT ON intake WHEN NEW.key_day IS NOT NULL
BEGIN
    INSERT INTO key_usage (key_hash, day, charged, requests)
    VALUES (NEW.key_hash, NEW.key_day, NEW.key_sum, NEW.key_requests)
    ON CONFLICT (key_hash, day) DO UPDATE SET charged = key_usage.charged + excluded.charged,
        requests = key_usage.requests + excluded.requests;
END;
