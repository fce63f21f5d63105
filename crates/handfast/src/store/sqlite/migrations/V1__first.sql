-- The first format of a store, described in docs/journal.md. A file in use is never changed by hand: later formats
-- are further files beside this one.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flow (
    hash BLOB NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

-- What changes while a saga runs, kept small: it is written again with every change of standing.
CREATE TABLE saga (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    created  INTEGER NOT NULL,
    wake_at  INTEGER,
    standing TEXT NOT NULL,
    tries    INTEGER NOT NULL,
    why      TEXT
) STRICT;

-- Sagas that have ended are not in it, so that they cost nothing at start-up.
CREATE INDEX saga_wake_at ON saga (wake_at) WHERE wake_at IS NOT NULL;

-- What never changes again.
CREATE TABLE placed (
    saga    INTEGER PRIMARY KEY,
    flow    BLOB NOT NULL,
    version INTEGER NOT NULL,
    input   BLOB NOT NULL,
    bodies  BLOB NOT NULL,
    digest  BLOB NOT NULL
) STRICT;

-- Which saga the key of a request stands for, for as long as the saga is kept.
CREATE TABLE request (
    key_hash BLOB NOT NULL PRIMARY KEY,
    saga     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    saga   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    input  TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (saga, seq)
) STRICT, WITHOUT ROWID;

-- A ring for each saga: the newest tries take the place of the oldest.
CREATE TABLE try (
    saga      INTEGER NOT NULL,
    slot      INTEGER NOT NULL,
    nth       INTEGER NOT NULL,
    step      INTEGER NOT NULL,
    operation TEXT NOT NULL,
    number    INTEGER NOT NULL,
    sent      INTEGER NOT NULL,
    ended     INTEGER NOT NULL,
    seen      TEXT NOT NULL,
    PRIMARY KEY (saga, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE participant (
    base        TEXT NOT NULL PRIMARY KEY,
    incarnation TEXT NOT NULL,
    seq         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
