-- Keys in the place of others. Usage and limit of all of them are those of `lineage`, the hash of the
-- first; absent where it is the key's own. `leaked_at` is when somebody found the key in public.
ALTER TABLE api_keys ADD COLUMN lineage TEXT;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT;
ALTER TABLE api_keys ADD COLUMN leaked_at BIGINT;

-- Processes hear of news in the moment of its commit; who does not listen reads the table every so often.
CREATE FUNCTION signalbox_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY signalbox_changes;
    RETURN NULL;
END
$$;
CREATE TRIGGER changes_announce AFTER INSERT ON changes
FOR EACH STATEMENT EXECUTE FUNCTION signalbox_announce();
