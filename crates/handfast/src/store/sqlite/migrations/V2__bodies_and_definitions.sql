-- No table is another one: from here on `placed.bodies` may name a body that lies elsewhere instead of repeating it, which a
-- program that knows the first format only could not read. Rows that were written before stay as they are.

-- That a person lets an order follow another definition than the one it was placed with, or go on with its own: which, from
-- which entry of its journal on, who, and why.
CREATE TABLE adopted (
    saga       INTEGER NOT NULL,
    nth        INTEGER NOT NULL,
    flow       BLOB NOT NULL,
    seq        INTEGER NOT NULL,
    same_books INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    by         TEXT NOT NULL,
    why        TEXT NOT NULL,
    PRIMARY KEY (saga, nth)
) STRICT, WITHOUT ROWID;
