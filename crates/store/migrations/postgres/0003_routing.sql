-- How a request was routed, as JSON, and the generation whose cached answer it got.
ALTER TABLE generations ADD COLUMN routing TEXT;
ALTER TABLE generations ADD COLUMN response_cache_source_id TEXT;
