-- What callers say of a request for their own observability, an object as JSON. Most say nothing.
CREATE TABLE traces (
    generation TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    trace TEXT NOT NULL
);
