-- One row per key that captured what another key holds. What is captured is not released any more.
CREATE TABLE capture (
    key  TEXT    PRIMARY KEY REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED,
    hold TEXT    NOT NULL UNIQUE REFERENCES charge (key),
    at   INTEGER NOT NULL CHECK (at >= 0)
) STRICT, WITHOUT ROWID;
