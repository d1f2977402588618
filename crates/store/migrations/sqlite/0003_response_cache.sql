-- The generation whose answer was given again, for one that the response cache answered.

ALTER TABLE generations ADD COLUMN response_cache_source_id TEXT;
