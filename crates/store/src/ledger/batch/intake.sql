-- One settlement is one row put into this view. It exists only in the writing connection. Each
-- statement over it is a transaction of its own: all of a batch is written, or nothing.
-- A row without a generation fills a statement up to its size and does nothing.

CREATE TEMP VIEW intake AS SELECT
    NULL AS generation, NULL AS account_id, NULL AS key_hash, NULL AS amount, NULL AS byok_held,
    NULL AS opened_at, NULL AS holder, NULL AS spender, NULL AS scopes,
    NULL AS record, NULL AS reached, NULL AS byok_reached, NULL AS reached_at,
    NULL AS ended_at, NULL AS outcome, NULL AS checkpointed,
    NULL AS seq, NULL AS prev_hash, NULL AS kind, NULL AS hash, NULL AS waste, NULL AS charged,
    NULL AS balance_sums, NULL AS usage_sums, NULL AS lease_sums,
    NULL AS request_id, NULL AS requested_model, NULL AS model, NULL AS provider,
    NULL AS provider_name, NULL AS endpoint_id, NULL AS upstream_id, NULL AS api_type,
    NULL AS router, NULL AS streamed, NULL AS cancelled, NULL AS finish_reason,
    NULL AS native_finish_reason, NULL AS error_type, NULL AS created_at, NULL AS latency_ms,
    NULL AS generation_ms, NULL AS usage, NULL AS tokens_prompt, NULL AS tokens_completion,
    NULL AS upstream_cost, NULL AS prices, NULL AS service_tier, NULL AS session_id,
    NULL AS external_user, NULL AS http_referer, NULL AS origin, NULL AS user_agent,
    NULL AS app_title, NULL AS num_media_prompt, NULL AS provider_responses,
    NULL AS routing, NULL AS response_cache_source_id,
    NULL AS byok, NULL AS fee_bps, NULL AS recovered, NULL AS byok_free,
    NULL AS preset_id
    WHERE 0;

-- A reservation that has been open for a while. A generation that held nothing has no holder.
CREATE TEMP TRIGGER intake_opening INSTEAD OF INSERT ON intake
WHEN NEW.spender IS NOT NULL
BEGIN
    INSERT INTO reservations (generation, account_id, key_hash, amount, byok, opened_at, holder,
        spender, scopes)
    VALUES (NEW.generation, NEW.account_id, NEW.key_hash, NEW.amount, NEW.byok_held, NEW.opened_at,
        NEW.holder, NEW.spender, NEW.scopes)
    ON CONFLICT (generation) DO NOTHING;
END;

-- What it has come to so far, while it is open.
CREATE TEMP TRIGGER intake_checkpoint INSTEAD OF INSERT ON intake WHEN NEW.record IS NOT NULL
BEGIN
    INSERT INTO checkpoints (generation, charged, byok, record, at)
    SELECT NEW.generation, NEW.reached, NEW.byok_reached, NEW.record, NEW.reached_at
    WHERE NOT EXISTS (SELECT 1 FROM reservations
        WHERE generation = NEW.generation AND ended_at IS NOT NULL)
    ON CONFLICT (generation) DO UPDATE SET charged = excluded.charged, byok = excluded.byok,
        record = excluded.record, at = excluded.at;
END;

-- The end of a reservation, whether its opening was written or not. It ends once.
CREATE TEMP TRIGGER intake_end INSTEAD OF INSERT ON intake WHEN NEW.ended_at IS NOT NULL
BEGIN
    INSERT INTO reservations (generation, account_id, key_hash, amount, byok, opened_at, holder,
        ended_at, outcome, scopes)
    VALUES (NEW.generation, NEW.account_id, NEW.key_hash, NEW.amount, NEW.byok_held, NEW.opened_at,
        NEW.holder, NEW.ended_at, NEW.outcome, NEW.scopes)
    ON CONFLICT (generation) DO UPDATE SET ended_at = excluded.ended_at,
        outcome = excluded.outcome, spender = NULL
    WHERE reservations.ended_at IS NULL;
    SELECT RAISE(ABORT, 'the reservation has ended before') WHERE changes() <> 1;
END;

CREATE TEMP TRIGGER intake_checkpointed INSTEAD OF INSERT ON intake WHEN NEW.checkpointed = 1
BEGIN
    DELETE FROM checkpoints WHERE generation = NEW.generation;
END;

-- The charge, then what was wasted. They must follow the transfer whose hash they were linked to.
CREATE TEMP TRIGGER intake_transfers INSTEAD OF INSERT ON intake WHEN NEW.seq IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the chain has moved on') WHERE NEW.seq > 1 AND NOT EXISTS
        (SELECT 1 FROM transfers WHERE seq = NEW.seq - 1 AND hash = NEW.prev_hash);
    INSERT INTO transfers (seq, id, kind, debit, credit, amount, generation, reason, at, prev_hash,
        hash)
    SELECT NEW.seq, 'charge:' || NEW.generation, NEW.kind, 'acct:' || NEW.account_id,
        CASE NEW.kind WHEN 'byok_fee' THEN 'system:byok_fees' ELSE 'system:revenue' END,
        NEW.charged, NEW.generation, '', NEW.ended_at, NEW.prev_hash, NEW.hash
    WHERE NEW.kind IS NOT NULL;
    INSERT INTO transfers (seq, id, kind, debit, credit, amount, generation, reason, at, prev_hash,
        hash)
    SELECT value ->> 0, value ->> 1, 'waste', 'system:waste', 'system:providers', value ->> 2,
        NEW.generation, '', NEW.ended_at, value ->> 3, value ->> 4
    FROM json_each(NEW.waste) WHERE NEW.waste IS NOT NULL;
END;

CREATE TEMP TRIGGER intake_record INSTEAD OF INSERT ON intake WHEN NEW.request_id IS NOT NULL
BEGIN
    INSERT INTO generations (id, request_id, account_id, key_hash, requested_model, model, provider,
        provider_name, endpoint_id, upstream_id, api_type, router, streamed, cancelled,
        finish_reason, native_finish_reason, error_type, created_at, latency_ms, generation_ms,
        usage, tokens_prompt, tokens_completion, cost, upstream_cost, prices, service_tier,
        session_id, external_user, http_referer, origin, user_agent, app_title, num_media_prompt,
        provider_responses, routing, response_cache_source_id, byok, fee_bps, recovered,
        byok_free, preset_id)
    VALUES (NEW.generation, NEW.request_id, NEW.account_id, NEW.key_hash, NEW.requested_model,
        NEW.model, NEW.provider, NEW.provider_name, NEW.endpoint_id, NEW.upstream_id, NEW.api_type,
        NEW.router, NEW.streamed, NEW.cancelled, NEW.finish_reason, NEW.native_finish_reason,
        NEW.error_type, NEW.created_at, NEW.latency_ms, NEW.generation_ms, NEW.usage,
        NEW.tokens_prompt, NEW.tokens_completion, NEW.charged, NEW.upstream_cost, NEW.prices,
        NEW.service_tier, NEW.session_id, NEW.external_user, NEW.http_referer, NEW.origin,
        NEW.user_agent, NEW.app_title, NEW.num_media_prompt, NEW.provider_responses,
        NEW.routing, NEW.response_cache_source_id, NEW.byok, NEW.fee_bps, NEW.recovered,
        NEW.byok_free, NEW.preset_id);
END;

-- The sums of the whole batch come with its first end, each a JSON array of rows.
CREATE TEMP TRIGGER intake_balances INSTEAD OF INSERT ON intake WHEN NEW.balance_sums IS NOT NULL
BEGIN
    UPDATE balances SET charged = charged + (sums.value ->> 1)
    FROM json_each(NEW.balance_sums) AS sums WHERE account_id = sums.value ->> 0;
    SELECT RAISE(ABORT, 'no such account') WHERE changes() <> json_array_length(NEW.balance_sums);
END;

CREATE TEMP TRIGGER intake_leases INSTEAD OF INSERT ON intake WHEN NEW.lease_sums IS NOT NULL
BEGIN
    UPDATE leases SET amount = amount - (sums.value ->> 3)
    FROM json_each(NEW.lease_sums) AS sums
    WHERE purse = sums.value ->> 0 AND window_start = sums.value ->> 1 AND holder = sums.value ->> 2;
    SELECT RAISE(ABORT, 'a lease of this process was taken away')
    WHERE changes() <> json_array_length(NEW.lease_sums);
END;

CREATE TEMP TRIGGER intake_usage INSTEAD OF INSERT ON intake WHEN NEW.usage_sums IS NOT NULL
BEGIN
    INSERT INTO usage (scope, day, charged, byok, requests)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
    FROM json_each(NEW.usage_sums) WHERE true
    ON CONFLICT (scope, day) DO UPDATE SET charged = usage.charged + excluded.charged,
        byok = usage.byok + excluded.byok, requests = usage.requests + excluded.requests;
END;
