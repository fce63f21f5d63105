-- Another incarnation than the one in `participant`, which its answers name and nobody has accepted.
CREATE TABLE offered (
    base        TEXT    NOT NULL PRIMARY KEY,
    incarnation TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person has accepted: it is never changed again.
CREATE TABLE accepted (
    base        TEXT    NOT NULL,
    nth         INTEGER NOT NULL,
    incarnation TEXT    NOT NULL,
    former      TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    by          TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    PRIMARY KEY (base, nth)
) STRICT, WITHOUT ROWID;
