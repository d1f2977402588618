-- The part of `byok` that the month's allowance covers, free of the fee; absent where none was drawn on.
ALTER TABLE generations ADD COLUMN byok_free BIGINT CHECK (byok_free >= 0 AND byok_free <= byok);
