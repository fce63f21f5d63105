-- Whose money it is: `customer:<token>` for each card token, and the shop's `shop:receivable`.
CREATE TABLE account (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The currencies met so far, with the number of decimals of their minor unit.
CREATE TABLE currency (
    code     TEXT    PRIMARY KEY CHECK (length(code) = 3),
    exponent INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 9)
) STRICT, WITHOUT ROWID;

-- One row per key that was charged, undone since or not. A charge without its register cannot be committed.
CREATE TABLE charge (
    key      TEXT    PRIMARY KEY REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED,
    token    TEXT    NOT NULL,
    minor    INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT    NOT NULL REFERENCES currency (code),
    at       INTEGER NOT NULL CHECK (at >= 0)
) STRICT, WITHOUT ROWID;

-- Double entry: each charge and each refund is two rows whose amounts add up to zero. The primary key is why a key can
-- be charged once and refunded once, whatever the code above it does.
CREATE TABLE posting (
    key      TEXT    NOT NULL REFERENCES charge (key),
    kind     TEXT    NOT NULL CHECK (kind IN ('charge', 'refund')),
    account  TEXT    NOT NULL REFERENCES account (name),
    minor    INTEGER NOT NULL CHECK (minor <> 0),
    currency TEXT    NOT NULL REFERENCES currency (code),
    at       INTEGER NOT NULL CHECK (at >= 0),
    PRIMARY KEY (key, kind, account)
) STRICT, WITHOUT ROWID;

INSERT INTO account (name) VALUES ('shop:receivable');
