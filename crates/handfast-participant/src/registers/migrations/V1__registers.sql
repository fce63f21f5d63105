-- One row: whose store this is, which life of it, and how many changes it has seen.
CREATE TABLE store (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    service     TEXT    NOT NULL,
    incarnation TEXT    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;

-- One row per key that was ever asked for anything but a peek. Rows are never deleted: a tombstone that expires is none.
CREATE TABLE register (
    key       TEXT    PRIMARY KEY,
    state     TEXT    NOT NULL CHECK (state IN ('done', 'refused', 'closed', 'undone')),
    body_hash TEXT    CHECK ((body_hash IS NULL) = (state = 'closed')),
    seq       INTEGER NOT NULL CHECK (seq > 0),
    at        INTEGER NOT NULL CHECK (at >= 0),
    detail    TEXT
) STRICT, WITHOUT ROWID;

-- Acts that met a key which was closed or undone: at most one row per register.
CREATE TABLE late_act (
    key   TEXT    PRIMARY KEY REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED,
    at    INTEGER NOT NULL CHECK (at >= 0),
    times INTEGER NOT NULL CHECK (times > 0)
) STRICT, WITHOUT ROWID;

-- What the service has met, for people and reports; nothing is decided by it.
CREATE TABLE counter (
    name  TEXT    PRIMARY KEY,
    times INTEGER NOT NULL CHECK (times >= 0)
) STRICT, WITHOUT ROWID;
