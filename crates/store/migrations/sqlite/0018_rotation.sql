-- Keys in the place of others. Usage and limit of all of them are those of `lineage`, the hash of the
-- first; absent where it is the key's own. `leaked_at` is when somebody found the key in public.
ALTER TABLE api_keys ADD COLUMN lineage TEXT;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT;
ALTER TABLE api_keys ADD COLUMN leaked_at INTEGER;
