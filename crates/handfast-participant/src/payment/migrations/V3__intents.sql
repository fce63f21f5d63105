-- Payment intents: created unconfirmed, confirmed, captured and cancelled by their id. The register under the id is the one in
-- which the intent is decided: done is confirmed, refused declined, closed or undone cancelled. A row is never deleted.
CREATE TABLE intent (
    id        TEXT    PRIMARY KEY,
    minor     INTEGER NOT NULL CHECK (minor > 0),
    currency  TEXT    NOT NULL,
    token     TEXT    NOT NULL,
    -- Whether confirming only holds the amount, until it is captured.
    manual    INTEGER NOT NULL CHECK (manual IN (0, 1)),
    -- What the shop calls it, if it said so.
    reference TEXT,
    at        INTEGER NOT NULL CHECK (at >= 0)
) STRICT, WITHOUT ROWID;

-- The registers that stand for moves of an intent other than its confirmation. None of them is a charge.
CREATE TABLE intent_move (
    key    TEXT PRIMARY KEY REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED,
    intent TEXT NOT NULL REFERENCES intent (id)
) STRICT, WITHOUT ROWID;

-- At most one refund of an intent. What is pending is decided when it is looked at after `due`.
CREATE TABLE intent_refund (
    intent TEXT    PRIMARY KEY REFERENCES intent (id),
    status TEXT    NOT NULL CHECK (status IN ('succeeded', 'pending', 'failed')),
    due    INTEGER NOT NULL CHECK (due >= 0)
) STRICT, WITHOUT ROWID;
