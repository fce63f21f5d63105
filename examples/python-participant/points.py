#!/usr/bin/env python3
"""A participant of handfast in Python's standard library alone: it credits loyalty points, and takes them back.

    python3 points.py --listen 127.0.0.1:4010 --store points.db
    handfast conform http://127.0.0.1:4010/points --body '{"customer":"c-1","points":10}' \
                                                  --refused-body '{"customer":"c-1","points":0}'

The contract is in docs/contract.md. All of it that has to do with safety is in `Registers.receive`: one transaction
that looks at the key's row, performs the effect, and writes the row. What this service is for is `Points` alone;
examples/warehouse makes two others of the same file.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCHEMA = """
CREATE TABLE IF NOT EXISTS store (only INTEGER PRIMARY KEY CHECK (only = 1), incarnation TEXT NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS register (key TEXT PRIMARY KEY, state TEXT NOT NULL, body_hash TEXT, seq INTEGER NOT NULL,
                                     at INTEGER NOT NULL, detail TEXT, mark TEXT NOT NULL, first_seq INTEGER, first_mark TEXT) WITHOUT ROWID;
"""
# For a store of before the marks.
MARKS = """
BEGIN;
ALTER TABLE register ADD COLUMN mark TEXT NOT NULL DEFAULT '';
ALTER TABLE register ADD COLUMN first_seq INTEGER;
ALTER TABLE register ADD COLUMN first_mark TEXT;
UPDATE register SET mark = lower(hex(randomblob(16)));
COMMIT;
"""
MOST_BYTES = 65_536
KEY = re.compile(r"[A-Za-z0-9._~-]{1,200}")
HASH = re.compile(r"[0-9a-f]{64}")
CHANGE = re.compile(r"([A-Za-z0-9._~-]{1,200}):([0-9]{1,18}):([A-Za-z0-9._~-]{1,64})")
COLUMNS = "state, body_hash, seq, at, detail, mark, first_seq, first_mark"


class Refused(Exception):
    """The service declines, for good; the text says why, in a word."""


class BadRequest(Exception):
    """A request that makes no sense: its status, its kind, and what to do about it."""

    def __init__(self, status, kind, detail):
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


class Points:
    """What this service is for. Both effects write through the transaction and reach nothing outside it."""

    name = "points"
    about = "Credits loyalty points, as a participant of handfast."
    schema = "CREATE TABLE IF NOT EXISTS credit (key TEXT PRIMARY KEY, customer TEXT NOT NULL, points INTEGER NOT NULL) WITHOUT ROWID;"

    def act(self, transaction, key, body):
        """The effect."""
        if not isinstance(body, dict) or not isinstance(body.get("customer"), str):
            raise Refused("customer_missing")
        points = body.get("points")
        if type(points) is not int or not 0 < points <= 1_000_000:
            raise Refused("points_unusable")
        transaction.execute("INSERT INTO credit VALUES (?, ?, ?)", (key, body["customer"], points))

    def undo(self, transaction, key):
        """Undoes the effect. Says whether it could."""
        transaction.execute("DELETE FROM credit WHERE key = ?", (key,))
        return True


class Registers:
    """One register per key, each changed in one transaction together with the effect."""

    def __init__(self, path, service):
        self.service = service
        self.lock = threading.Lock()
        # All answers of one opening are of one history: nobody can have put the store back in between.
        self.opening = uuid.uuid4().hex
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # FULL: an answer leaves only after its commit is on the disk.
        self.connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA + service.schema)
        self.connection.execute("INSERT OR IGNORE INTO store VALUES (1, ?, 0)", (uuid.uuid4().hex,))
        if "mark" not in [column[1] for column in self.connection.execute("PRAGMA table_info(register)")]:
            self.connection.executescript(MARKS)

    def receive(self, operation, key, body=None, body_hash=None, not_after=None, seen=None, changes=()):
        """One request to one register: a status, and the receipt as a dict."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                answer = self.step(operation, key, body, body_hash, not_after, seen, changes)
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
            return answer

    def row(self, key):
        return self.connection.execute(f"SELECT {COLUMNS} FROM register WHERE key = ?", (key,)).fetchone()

    def confirms(self, key, number, mark):
        """Whether this very change is in the history of this store: both changes of a register are kept."""
        row = self.row(key)
        return row is not None and (number, mark) in ((row[2], row[5]), (row[6], row[7]))

    def step(self, operation, key, body, body_hash, not_after, seen, changes):
        incarnation, seq = self.connection.execute("SELECT incarnation, seq FROM store").fetchone()
        is_behind = seen is not None and (seen[0] != incarnation or seen[1] > seq)
        if is_behind or not all(self.confirms(*change) for change in changes):
            return 412, {"key": key, "state": "behind", "seq": seq, "incarnation": incarnation}
        row = self.row(key)
        if operation == "peek" and row is None:
            return 404, {"key": key, "state": "absent", "seq": seq, "incarnation": incarnation}
        another_body = row is not None and row[1] is not None and body_hash is not None and body_hash != row[1]
        # A late act is told that it is late, whatever its body; everything else first proves whose effect it means.
        late = operation == "act" and row is not None and row[0] in ("closed", "undone")
        if another_body and not late:
            return 422, receipt(key, row, incarnation, self.opening)
        changed = self.change(operation, key, row, body, body_hash, not_after)
        if changed is not None:
            now = int(time.time() * 1000)
            self.connection.execute("UPDATE store SET seq = seq + 1")
            first = (None, None) if row is None else (row[2], row[5])
            row = (changed[0], changed[1], seq + 1, now, changed[2], uuid.uuid4().hex, *first)
            self.connection.execute("INSERT OR REPLACE INTO register VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (key, *row))
        statuses = {"done": 200, "refused": 409, "closed": 410, "undone": 410} if operation == "act" else {}
        return statuses.get(row[0], 200), receipt(key, row, incarnation, self.opening)

    def change(self, operation, key, row, body, body_hash, not_after):
        """The state that the request leads to, whose body it is, and why; None where it changes nothing."""
        if row is not None:
            if operation == "undo" and row[0] == "done":
                return ("undone", row[1], None) if self.service.undo(self.connection, key) else None
            return None
        if operation in ("close", "undo"):
            # The tombstone: from now on a late act finds the key closed.
            return "closed", None, None
        if not_after is not None and time.time() * 1000 > not_after:
            return "closed", None, "expired"
        self.connection.execute("SAVEPOINT effect")
        try:
            self.service.act(self.connection, key, body)
        except Refused as refused:
            self.connection.execute("ROLLBACK TO effect")
            return "refused", body_hash, str(refused)
        return "done", body_hash, None


def receipt(key, row, incarnation, opening):
    state, body_hash, seq, at, detail, mark = row[:6]
    told = {"key": key, "state": state, "body_hash": body_hash, "seq": seq, "incarnation": incarnation, "mark": mark}
    told |= {"opening": opening, "at": at}
    return told if detail is None else {**told, "detail": detail}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet; otherwise every answer waits for the caller's delayed acknowledgement.
    wbufsize = -1
    registers = None

    def do_PUT(self):
        self.answer("act", "PUT")

    def do_POST(self):
        self.answer("close", "POST")

    def do_DELETE(self):
        self.answer("undo", "DELETE")

    def do_GET(self):
        self.answer("peek", "GET")

    def answer(self, operation, method):
        try:
            # The body is read first, so that the connection can be used again whatever is wrong with the request.
            raw = self.read_body()
            status, told = self.registers.receive(operation, self.key(operation), **self.arguments(operation, raw))
            self.reply(status, told, "application/json")
        except BadRequest as bad:
            told = {"type": f"urn:handfast:problem:{bad.kind}", "status": bad.status, "title": bad.kind, "detail": bad.detail}
            self.reply(bad.status, told, "application/problem+json")
        except sqlite3.Error as error:
            self.log_error("%s %s: %s", method, self.path, error)
            told = {"type": "urn:handfast:problem:store-error", "status": 503, "title": "store-error", "detail": "ask again"}
            self.reply(503, told, "application/problem+json")

    def key(self, operation):
        name = self.registers.service.name
        key, base = self.path, f"/{name}/"
        if not key.startswith(base) or (operation == "close") != key.endswith("/close"):
            raise BadRequest(404, "not-found", f"keys are below /{name}, and closed at /{name}/KEY/close")
        key = key[len(base) :].removesuffix("/close")
        if not KEY.fullmatch(key) or key in (".", ".."):
            raise BadRequest(400, "key-invalid", "a key is 1 to 200 of A-Z a-z 0-9 . _ ~ -")
        return key

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            # Closing with bytes unread would reset the connection, and the caller might never see the answer.
            self.rfile.read(min(length, 16 * MOST_BYTES))
            self.close_connection = length > 16 * MOST_BYTES
            raise BadRequest(413, "body-too-large", f"a body has at most {MOST_BYTES} bytes")
        return self.rfile.read(length)

    def header(self, name, read):
        values = self.headers.get_all(name) or []
        try:
            return read(*values) if values else None
        except (AttributeError, TypeError, ValueError):
            raise BadRequest(400, "header-invalid", f"{name} makes no sense, or is there twice") from None

    def arguments(self, operation, raw):
        arguments = {"seen": self.header("Handfast-Seen", position)}
        arguments["changes"] = self.header("Handfast-Seen-Changes", changes) or []
        if arguments["changes"] and arguments["seen"] is None:
            raise BadRequest(400, "header-invalid", "Handfast-Seen-Changes goes with Handfast-Seen")
        if operation == "act":
            if self.headers.get_content_type() != "application/json":
                raise BadRequest(415, "media-type", "Content-Type: application/json")
            try:
                arguments["body"] = json.loads(raw)
            except ValueError:
                raise BadRequest(400, "body-invalid", "send valid JSON, all of it") from None
            arguments["body_hash"] = hashlib.sha256(raw).hexdigest()
            arguments["not_after"] = self.header("Handfast-Not-After", natural)
        elif operation in ("close", "undo"):
            arguments["body_hash"] = self.header("Handfast-Body", digest)
        return arguments

    def reply(self, status, told, content_type):
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not logged; errors are."""

    def log_error(self, text, *values):
        sys.stderr.write(text % values + "\n")


def natural(text):
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(text)
    return int(text)


def position(text):
    incarnation, seq = text.rsplit(":", 1)
    return incarnation, natural(seq)


def changes(text):
    read = [CHANGE.fullmatch(change.strip()) for change in text.split(",")]
    return [(key, int(number), mark) for key, number, mark in (change.groups() for change in read)]


def digest(text):
    if not HASH.fullmatch(text.lower()):
        raise ValueError(text)
    return text.lower()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(service, listen, store):
    """Serves it, and says where."""
    host, port = listen.rsplit(":", 1)
    Handler.registers = Registers(store, service)
    with Server((host, int(port)), Handler) as server:
        host, port = server.server_address
        print(f"http://{host}:{port}/{service.name}", flush=True)
        server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=Points.about)
    parser.add_argument("--listen", default="127.0.0.1:4010", metavar="HOST:PORT")
    parser.add_argument("--store", default="points.db", metavar="FILE")
    arguments = parser.parse_args()
    serve(Points(), arguments.listen, arguments.store)


if __name__ == "__main__":
    main()
