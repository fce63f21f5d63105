#!/usr/bin/env python3
"""Two participants in Python's standard library alone, on the registers of examples/python-participant/points.py.

    python3 services.py stock   --listen 127.0.0.1:4011 --store stock.db --stock mug=10,lamp=2
    python3 services.py letters --listen 127.0.0.1:4012 --store letters.db

`stock` reserves goods, and releases them; `letters` writes letters to customers, which nobody can call back.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python-participant"))

from points import Refused, serve  # noqa: E402 (it is found only once the path is set)


class Stock:
    """Reserves goods. A reservation that is undone is back in the stock."""

    name = "stock"
    schema = """
    CREATE TABLE IF NOT EXISTS available (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL CHECK (quantity >= 0)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS reserved (key TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (key, sku)) WITHOUT ROWID;
    """

    def __init__(self, stock):
        rows = "".join(f"INSERT OR IGNORE INTO available VALUES ('{sku}', {quantity});" for sku, quantity in stock)
        self.schema = Stock.schema + rows

    def act(self, transaction, key, body):
        lines = body.get("lines") if isinstance(body, dict) else None
        if not isinstance(lines, list) or not lines:
            raise Refused("lines_missing")
        for line in lines:
            sku = line.get("sku") if isinstance(line, dict) else None
            quantity = line.get("quantity") if isinstance(line, dict) else None
            if not isinstance(sku, str) or type(quantity) is not int or not 0 < quantity <= 1_000_000:
                raise Refused("line_unusable")
            taken = transaction.execute(
                "UPDATE available SET quantity = quantity - ? WHERE sku = ? AND quantity >= ?", (quantity, sku, quantity)
            )
            if taken.rowcount == 0:
                raise Refused("out_of_stock")
            transaction.execute(
                "INSERT INTO reserved VALUES (?, ?, ?) ON CONFLICT (key, sku) DO UPDATE SET quantity = quantity + excluded.quantity",
                (key, sku, quantity),
            )

    def undo(self, transaction, key):
        transaction.execute(
            "UPDATE available SET quantity = quantity + (SELECT quantity FROM reserved WHERE key = ? AND sku = available.sku) "
            "WHERE sku IN (SELECT sku FROM reserved WHERE key = ?)",
            (key, key),
        )
        transaction.execute("DELETE FROM reserved WHERE key = ?", (key,))
        return True


class Letters:
    """Writes letters. It refuses none, and none can be called back."""

    name = "letters"
    schema = "CREATE TABLE IF NOT EXISTS letter (key TEXT PRIMARY KEY, customer TEXT NOT NULL) WITHOUT ROWID;"

    def act(self, transaction, key, body):
        customer = body.get("customer") if isinstance(body, dict) else None
        transaction.execute("INSERT INTO letter VALUES (?, ?)", (key, customer if isinstance(customer, str) else "unknown"))

    def undo(self, transaction, key):
        return False


def stock_of(text):
    """SKU=N,SKU=N,.."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if not all(sku.replace("-", "").isalnum() and number.isdigit() for sku, _, number in pairs):
        raise argparse.ArgumentTypeError("write it as in mug=10,lamp=2")
    return [(sku, int(number)) for sku, _, number in pairs]


def main():
    parser = argparse.ArgumentParser(description="Reserves goods or writes letters, as a participant of handfast.")
    parser.add_argument("service", choices=["stock", "letters"])
    parser.add_argument("--listen", default="127.0.0.1:4011", metavar="HOST:PORT")
    parser.add_argument("--store", required=True, metavar="FILE")
    parser.add_argument("--stock", default=[], type=stock_of, metavar="SKU=N,..", help="what a new store of stock holds")
    arguments = parser.parse_args()
    service = Stock(arguments.stock) if arguments.service == "stock" else Letters()
    serve(service, arguments.listen, arguments.store)


if __name__ == "__main__":
    main()
