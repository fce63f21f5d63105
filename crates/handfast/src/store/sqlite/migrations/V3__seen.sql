-- Changes of participants' registers that answers have shown: what requests to that incarnation have to name.
CREATE TABLE seen (
    incarnation TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    mark        TEXT    NOT NULL,
    opening     TEXT,
    PRIMARY KEY (incarnation, key, seq, mark)
) STRICT, WITHOUT ROWID;
