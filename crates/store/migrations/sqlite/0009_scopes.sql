-- What a reservation counted for besides its key, account and workspace: the scopes of budgets, as a
-- JSON array, or an empty text for none. NULL where it ended before this was noted.
ALTER TABLE reservations ADD COLUMN scopes TEXT;
