-- How a session began: the id of an identity provider or of a connection; absent for a password.
ALTER TABLE sessions ADD COLUMN source TEXT;

-- What was tried, by SHA-256 of the subject; `rested_at` is when it has all of its tries again.
CREATE TABLE tries (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    rested_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT;
CREATE INDEX tries_rested ON tries (rested_at);
