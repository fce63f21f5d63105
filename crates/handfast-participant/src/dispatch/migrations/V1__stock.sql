-- What there is of each SKU. NULL is without limit. Rows come from the stock that was given when the store was made, and
-- from the first shipment of any other SKU.
CREATE TABLE stock (
    sku       TEXT    PRIMARY KEY,
    initial   INTEGER CHECK (initial >= 0),
    available INTEGER CHECK (available >= 0),
    CHECK ((initial IS NULL) = (available IS NULL))
) STRICT, WITHOUT ROWID;

-- One row per key that was shipped. A shipment without its register cannot be committed.
CREATE TABLE shipment (
    key TEXT    PRIMARY KEY REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED,
    at  INTEGER NOT NULL CHECK (at >= 0)
) STRICT, WITHOUT ROWID;

-- What was in it.
CREATE TABLE shipment_line (
    key      TEXT    NOT NULL REFERENCES shipment (key),
    sku      TEXT    NOT NULL REFERENCES stock (sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (key, sku)
) STRICT, WITHOUT ROWID;

CREATE INDEX shipment_line_by_sku ON shipment_line (sku, quantity);
