"""The loadable extension in Python's sqlite3, beside brant's own package in other processes. See run."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
EXTENSION = os.environ["BRANT_EXTENSION"]
FOLDER = Path(os.environ["BRANT_FOLDER"])
FORMAT = 7

OTHER = """
import sys
sys.path.insert(0, {root!r})
import brant
db = brant.open({path!r}, busy_timeout=600)
"""


def connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.enable_load_extension(True)
    db.load_extension(EXTENSION)
    return db


class Other:
    """Another process, which has brant's package: runs lines of Python, answers with lines."""

    def __init__(self, path: Path, program: str) -> None:
        head = OTHER.format(root=str(ROOT / "bindings" / "python"), path=str(path))
        self.process = subprocess.Popen([sys.executable, "-uc", head + program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Extension(unittest.TestCase):
    def setUp(self) -> None:
        self.path = FOLDER / f"{self.id().rpartition('.')[2]}.db"
        self.db = connect(self.path)
        self.addCleanup(self.db.close)
        self.db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
        self.assertEqual(self.ask("SELECT brant_adopt()"), FORMAT)

    def ask(self, sql: str, *values: Any) -> Any:
        return self.db.execute(sql, values).fetchone()[0]

    def call(self, operation: str, **members: Any) -> Any:
        return json.loads(self.ask("SELECT brant(?, ?)", operation, json.dumps(members)))

    def refuses(self, pattern: str, sql: str, *values: Any) -> None:
        with self.assertRaisesRegex(sqlite3.Error, pattern):
            self.db.execute(sql, values).fetchall()

    def other(self, program: str) -> Other:
        other = Other(self.path, program)
        self.addCleanup(other.end)
        return other

    def test_version(self) -> None:
        version = json.loads(self.ask("SELECT brant_version()"))
        self.assertEqual(version["version"], (ROOT / "VERSION").read_text().strip())
        self.assertEqual("warning" in version, sqlite3.sqlite_version_info < (3, 51, 3))

    def test_adopt(self) -> None:
        self.assertEqual(self.ask("SELECT brant_adopt()"), FORMAT)
        plain = connect(FOLDER / "plain.db")
        with self.assertRaisesRegex(sqlite3.Error, "^NOT_BRANT: .*brant_adopt"):
            plain.execute("SELECT brant_notify('a')")
        plain.execute("CREATE TABLE own (a)")
        plain.execute("BEGIN")
        with self.assertRaisesRegex(sqlite3.Error, "^MISUSE"):
            plain.execute("SELECT brant_adopt()")
        plain.execute("ROLLBACK")
        plain.execute("SELECT brant_adopt()")
        self.assertEqual(plain.execute("SELECT count(*) FROM own").fetchone(), (0,))
        plain.execute("INSERT INTO own VALUES (1)")
        plain.close()
        taken = connect(FOLDER / "taken.db")
        taken.execute("CREATE TABLE nodes (mine)")
        with self.assertRaisesRegex(sqlite3.Error, "^EXISTS"):
            taken.execute("SELECT brant_adopt()")
        taken.close()

    def test_jobs_in_the_hosts_transaction(self) -> None:
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO orders (item) VALUES ('tea')")
        self.assertEqual(self.ask("""SELECT brant_enqueue('mail', '{"order":1}', '{"priority":2}')"""), 1)
        self.db.execute("ROLLBACK")
        self.assertEqual(json.loads(self.ask("SELECT brant_claim('mail')")), [])
        self.db.execute("BEGIN")
        kept = self.ask("SELECT brant_enqueue('mail', 1)")
        self.db.execute("SAVEPOINT inner")
        self.ask("SELECT brant_enqueue('mail', 2)")
        self.ask("SELECT brant_enqueue('other', 2)")
        self.db.execute("ROLLBACK TO inner")
        self.db.execute("COMMIT")
        self.assertNotIn("other", [queue["queue"] for queue in self.call("queues.list")["items"]])
        self.assertEqual(self.ask("SELECT brant_enqueue('other', 3)") > kept, True)
        (job,) = json.loads(self.ask("SELECT brant_claim('mail', 'w', 10)"))
        self.assertEqual((job["id"], job["payload"], job["attempt"]), (kept, 1, 1))
        self.assertGreater(self.ask("SELECT brant_heartbeat(?, ?, 60000)", kept, job["token"]), time.time() * 1000 + 50_000)
        self.assertEqual(self.ask("SELECT brant_ack(?, ?)", kept, job["token"]), 1)
        self.refuses("^(STALE|NOT_FOUND): ", "SELECT brant_ack(?, ?)", kept, job["token"])
        (job,) = json.loads(self.ask("SELECT brant_claim('other')"))
        self.assertEqual(self.ask("SELECT brant_fail(?, ?, 'no')", job["id"], job["token"]), "delayed")

    def test_a_failure_inside_the_hosts_transaction(self) -> None:
        self.db.execute("BEGIN")
        self.ask("SELECT brant_publish('s', 1)")
        self.refuses("^INVALID: /items/1/key", "SELECT brant('streams.publish_many', ?)", json.dumps({"stream": "t", "items": [{}, {"key": "a\0"}]}))
        self.db.execute("COMMIT")
        self.assertEqual([stream["stream"] for stream in self.call("streams.list")["items"]], ["s"])

    def test_the_log_is_bounded(self) -> None:
        payload = json.dumps("x" * 8000)
        for _ in range(1500):
            self.ask("SELECT brant_publish('s', ?)", payload)
        self.assertLess(Path(f"{self.path}-wal").stat().st_size, 12_000_000)

    def test_payloads(self) -> None:
        values = [None, 7, 1.5, '{"a":[1,"ü"]}', '"text"', b"\x00\xff"]
        for value in values:
            self.ask("SELECT brant_enqueue('p', ?)", value)
        jobs = json.loads(self.ask("SELECT brant_claim('p', NULL, 10)"))
        self.assertEqual([job.get("payload") for job in jobs[:5]], [None, 7, 1.5, {"a": [1, "ü"]}, "text"])
        self.assertEqual(jobs[5]["payload_base64"], "AP8=")
        self.refuses("^INVALID: .*json_quote", "SELECT brant_enqueue('p', 'no JSON')")
        self.refuses("^INVALID: .*whole number", "SELECT brant_claim('p', 'w', 1.5)")
        self.refuses("^INVALID: ", "SELECT brant_enqueue('p', 1, '[]')")
        self.refuses("^INVALID_JSON: .*duplicate member name at byte", """SELECT brant_enqueue('p', 1, '{"queue":"q"}')""")
        self.refuses("^INVALID: ", """SELECT brant_enqueue('p', 1, '{"wrong":1}')""")
        self.refuses("wrong number of arguments", "SELECT brant_enqueue('p')")

    def test_triggers_and_many(self) -> None:
        self.db.execute("CREATE TRIGGER ordered AFTER INSERT ON orders BEGIN SELECT brant_enqueue('mail', new.item); END")
        self.db.execute("INSERT INTO orders (item) VALUES ('1'), ('2'), ('3')")
        self.refuses("^INVALID", "INSERT INTO orders (item) VALUES ('4'), ('no JSON')")
        self.assertEqual(self.ask("SELECT count(*) FROM orders"), 3)
        self.assertEqual([job["payload"] for job in json.loads(self.ask("SELECT brant_claim('mail', 'w', 10)"))], [1, 2, 3])
        self.db.execute("DROP TRIGGER ordered")
        self.db.execute("CREATE TABLE sent (id, job)")
        self.db.execute("INSERT INTO sent SELECT id, brant_enqueue('bulk', id) FROM orders")
        self.assertEqual(self.ask("SELECT count(*) FROM sent"), 3)
        self.assertEqual(len(json.loads(self.ask("SELECT brant_claim('bulk', 'w', 10)"))), 3)
        self.assertTrue(self.call("db.doctor")["ok"])

    def test_streams_locks_limits(self) -> None:
        self.assertEqual([self.ask("SELECT brant_publish('s', ?, 'k')", n) for n in range(3)], [1, 2, 3])
        events = json.loads(self.ask("SELECT brant_read('s', 1, 10)"))
        self.assertEqual([(e["offset"], e["payload"], e["key"]) for e in events], [(2, 1, "k"), (3, 2, "k")])
        self.assertEqual(self.ask("SELECT brant_commit('s', 'c', 2)"), 2)
        self.assertEqual(self.ask("SELECT brant_commit('s', 'c', 1)"), 2)
        token = self.ask("SELECT brant_lock_acquire('l', 'me', 60000)")
        self.assertGreater(token, 0)
        self.assertIsNone(self.ask("SELECT brant_lock_acquire('l', 'you')"))
        self.assertEqual(self.ask("SELECT brant_lock_release('l', ?)", token), 1)
        self.assertGreater(self.ask("SELECT brant_lock_acquire('l', 'you')"), token)
        self.assertEqual([self.ask("SELECT brant_rate_limit('api', 2, 60000)") for _ in range(3)], [1, 1, 0])

    def test_any_operation(self) -> None:
        self.call("graphs.create", name="g", graph_type="open")
        self.db.execute("BEGIN")
        self.call("nodes.put", graph="g", key="a", attributes={"n": 1})
        self.db.execute("ROLLBACK")
        self.refuses("^NOT_FOUND: ", "SELECT brant('nodes.get', ?)", '{"graph":"g","key":"a"}')
        self.call("nodes.put_many", graph="g", items=[{"key": f"n{n}"} for n in range(100)])
        self.assertEqual(self.call("nodes.count", graph="g")["count"], 100)
        self.assertEqual(self.ask("SELECT count(*) FROM nodes"), 100)
        self.refuses("^NOT_FOUND: no operation", "SELECT brant('no.such')")
        self.refuses("^INVALID", "SELECT brant(NULL)")
        self.refuses("^INVALID", "SELECT brant('nodes.get', 'no JSON')")
        self.refuses("^MISUSE: .*subscription", "SELECT brant('events.listen', ?)", '{"channels":["a"]}')
        for name in ("transaction.begin", "transaction.commit", "transaction.rollback", "sql.execute", "db.restore"):
            self.refuses("^UNSUPPORTED: ", "SELECT brant(?)", name)
        text_index = '{"graph_type":"open","of":"nodes","kind":"text","paths":["attributes.a"]}'
        if sqlite3.sqlite_version_info < (3, 42):
            self.refuses("^UNSUPPORTED: a text index needs SQLite 3.42", "SELECT brant('indexes.create', ?)", text_index)
        else:
            self.ask("SELECT brant('indexes.create', ?)", text_index)
        self.call("db.maintain")
        self.db.execute("BEGIN")
        self.refuses("^MISUSE: ", "SELECT brant('db.maintain')")
        self.db.execute("COMMIT")

    def test_own_tables(self) -> None:
        self.ask("SELECT brant_enqueue('q', 1)")
        for sql in ("DELETE FROM jobs", "UPDATE jobs SET state = 4", "INSERT INTO locks VALUES ('a','b',1,1,1)", "DROP TABLE jobs", "CREATE TRIGGER t AFTER INSERT ON jobs BEGIN SELECT 1; END", "ALTER TABLE jobs ADD COLUMN x"):
            self.refuses("not authorized", sql)
        self.assertEqual(self.ask("SELECT count(*) FROM jobs"), 1)

    def test_audit_log(self) -> None:
        """It is guarded while brant is loaded, and by its triggers where it is not."""
        self.ask("SELECT brant_enqueue('q', 1)")
        self.refuses("^NOT_FOUND: .*key ring", "SELECT brant('audit.append', ?)", '{"action":"a.b"}')
        row = "INSERT INTO brant_audit_logs VALUES (1, 'i', NULL, 'system', NULL, 'a.b', NULL, '{}', '{}', 1, 1, x'00')"
        changes = ("UPDATE brant_audit_logs SET action = 'x'", "DELETE FROM brant_audit_logs", "REPLACE INTO brant_audit_logs SELECT * FROM brant_audit_logs")
        for sql in (row, *changes, *(f"DROP TRIGGER brant_audit_logs_{verb}" for verb in ("insert", "update", "delete")), "DROP TABLE brant_audit_logs", "UPDATE brant_audit_anchors SET seq = 1", "DELETE FROM brant_audit_subjects"):
            self.refuses("not authorized", sql)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute(row)
        for sql in changes:
            with self.assertRaisesRegex(sqlite3.Error, "only added to"):
                other.execute(sql)
        self.refuses("^CORRUPT: ", "SELECT brant('audit.append', ?)", '{"action":"a.b"}')
        self.assertEqual(self.ask("SELECT action FROM brant_audit_logs"), "a.b")

    def test_temporary_tables_do_not_hide_ours(self) -> None:
        self.ask("SELECT brant_publish('s', 1)")
        self.refuses("not authorized", "CREATE TEMP TABLE stream_events (id, payload, created_at, key)")
        self.refuses("not authorized", "CREATE TEMP VIEW jobs AS SELECT 1")
        self.refuses("not authorized", "CREATE TEMP TRIGGER t AFTER INSERT ON main.jobs BEGIN SELECT 1; END")
        self.db.execute("CREATE TEMP TABLE own (id, payload, created_at, key)")
        self.ask("SELECT brant_publish('s', 2)")
        self.db.execute("ALTER TABLE own RENAME TO stream_events")
        self.refuses("^CONFLICT: .*stream_events", "SELECT brant_publish('s', 3)")
        self.db.execute("DROP TABLE temp.stream_events")
        self.assertEqual(self.ask("SELECT brant_publish('s', 3)"), 3)
        other = connect(self.path)
        other.execute("CREATE TEMP TABLE stream_events (id, payload, created_at, key)")
        with self.assertRaisesRegex(sqlite3.Error, "^CONFLICT: "):
            other.execute("SELECT brant_publish('s', 4)").fetchall()
        other.close()

    def test_half_an_operation_is_not_committed(self) -> None:
        half = json.dumps({"stream": "s", "items": [{"payload": 1}, {"payload": 2, "payload_base64": ""}]})
        insert = "INSERT INTO orders (item) VALUES (brant('streams.publish_many', ?))"
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO orders (item) VALUES ('tea')")
        self.refuses("^INVALID: .*; the transaction was rolled back$", insert, half)
        self.assertFalse(self.db.in_transaction)
        self.refuses("^NOT_FOUND", "SELECT brant_read('s')")
        self.db.execute("CREATE TABLE gone (item)")
        self.db.execute("INSERT INTO gone VALUES (?)", (half,))
        self.db.execute("CREATE TRIGGER went AFTER DELETE ON gone BEGIN SELECT brant('streams.publish_many', old.item); END")
        self.db.execute("BEGIN")
        self.refuses("^INVALID: .*; the transaction was rolled back$", "DELETE FROM gone")
        self.refuses("^INVALID: .*exclude each other$", "DELETE FROM gone")
        self.refuses("^NOT_FOUND", "SELECT brant_read('s')")
        # By a SELECT, or where nothing was written, the transaction goes on.
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO orders (item) VALUES ('tea')")
        self.refuses("^INVALID: .*exclude each other$", "SELECT brant('streams.publish_many', ?)", half)
        self.refuses("^INVALID: ", "INSERT INTO orders (item) VALUES (brant_publish('s', 'no JSON'))")
        self.db.execute("COMMIT")
        self.assertEqual((self.ask("SELECT count(*) FROM orders"), self.ask("SELECT count(*) FROM gone")), (1, 1))
        self.refuses("^NOT_FOUND", "SELECT brant_read('s')")

    def test_interrupted_operations_are_taken_back(self) -> None:
        """At each statement: an interrupt holds while the host's own statement runs, and nothing else can."""
        self.call("graphs.create", name="g", graph_type="open")
        self.call("nodes.put_many", graph="g", items=[{"key": key} for key in ("a", "b0", "b1")])
        interrupted = [self.put_interrupted(at, inside) for at in range(1, 60) for inside in (True, False)]
        self.assertGreater(sum(interrupted), 10)
        self.assertTrue(self.call("db.doctor")["ok"])

    def put_interrupted(self, at: int, inside: bool) -> bool:
        left = at

        def trace(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.db.interrupt()

        items = [{"key": f"{at}/{inside}/{n}", "source": "a", "target": f"b{n}"} for n in range(2)]
        if inside:
            self.db.execute("BEGIN")
            self.db.execute("INSERT INTO orders (item) VALUES ('tea')")
        self.db.set_trace_callback(trace)
        counts = [2]
        try:
            self.call("edges.put_many", graph="g", items=items)
        except sqlite3.OperationalError as error:  # of ours, or of the host's statement when the operation has done all
            counts = [0] if str(error).startswith("INTERRUPTED") else [0, 2]
        self.db.set_trace_callback(None)
        if inside and self.db.in_transaction:
            self.db.execute("COMMIT")
        self.assertFalse(self.db.in_transaction)
        self.assertIn(self.ask("SELECT count(*) FROM edges WHERE key GLOB ?", f"{at}/{inside}/*"), counts, at)
        return counts != [2]

    def test_deep_payloads(self) -> None:
        deep = "[" * 511 + "]" * 511
        self.assertEqual(self.ask("SELECT brant_publish('s', ?)", deep), 1)
        self.assertIn(deep, self.ask("SELECT brant_read('s')"))
        self.ask("SELECT brant_enqueue('q', ?)", deep)
        self.assertIn(deep, self.ask("SELECT brant_claim('q')"))
        self.refuses("^INVALID: .*no number of JSON", "SELECT brant_publish('s', 9e999)")

    def test_wakes_after_the_hosts_commit(self) -> None:
        listener = self.other("import time\nwith db.listen('orders') as l:\n  print('ready')\n  while True:\n    n = l.next(); print(n.payload, time.time())")
        self.assertEqual(listener.line(), "ready")
        worker = self.other("import time\ndb.queue('mail').enqueue(0)\nprint('ready')\nfor job in db.queue('mail').work():\n  print(job.payload, time.time()); job.ack()")
        self.assertEqual(worker.line(), "ready")
        self.assertEqual(worker.line().split()[0], "0")
        delays = []
        for n in range(1, 20):
            time.sleep(0.02)
            self.db.execute("BEGIN")
            self.ask("SELECT brant_notify('orders', -1)")
            self.ask("SELECT brant_enqueue('mail', -1)")
            self.db.execute("ROLLBACK")
            self.db.execute("BEGIN")
            self.ask("SELECT brant_notify('orders', ?)", n)
            self.ask("SELECT brant_enqueue('mail', ?)", n)
            self.db.execute("COMMIT")
            committed = time.time()
            for process in (listener, worker):
                payload, at = process.line().split()
                self.assertEqual(int(payload), n)
                delays.append(float(at) - committed)
        self.assertLess(sorted(delays)[len(delays) // 2], 0.5)  # by the tick it would be a second

    def test_closing(self) -> None:
        self.ask("SELECT brant_enqueue('q', 1)")
        self.db.execute("BEGIN")
        self.ask("SELECT brant_enqueue('q', 2)")
        self.db.close()
        self.assertFalse(Path(f"{self.path}-wal").exists(), "the connection was not closed")
        self.db = connect(self.path)
        self.assertEqual(len(json.loads(self.ask("SELECT brant_claim('q', 'w', 10)"))), 1)
        for _ in range(50):
            connect(self.path).execute("SELECT brant_notify('a')").close()

    def test_busy(self) -> None:
        self.db.execute("PRAGMA busy_timeout = 200")
        other = connect(self.path)
        other.execute("BEGIN IMMEDIATE")
        with self.assertRaisesRegex(sqlite3.OperationalError, "^BUSY: "):
            self.ask("SELECT brant_enqueue('q', 1)")
        other.execute("COMMIT")
        self.assertEqual(self.ask("SELECT brant_enqueue('q', 1)"), 1)
        other.close()

    def test_one_sqlite_a_file_and_process(self) -> None:
        self.ask("SELECT brant_notify('a')")
        sys.path.insert(0, str(ROOT / "bindings" / "python"))
        import brant

        with self.assertRaises(brant.BrantError) as caught:
            brant.open(self.path)
        self.assertEqual(caught.exception.code, "FOREIGN_SQLITE")

    def test_memory(self) -> None:
        db = connect(":memory:")
        db.execute("SELECT brant_adopt()")
        db.execute("SELECT brant_enqueue('q', 1)")
        self.assertEqual(len(json.loads(db.execute("SELECT brant_claim('q')").fetchone()[0])), 1)
        db.close()


if __name__ == "__main__":
    unittest.main(verbosity=0)
