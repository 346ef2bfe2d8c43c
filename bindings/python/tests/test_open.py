import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import python, sqlite

import brant


def test_new_file(path: Path) -> None:
    with brant.open(path) as db:
        assert not db.closed
        assert db.path == str(path)
        assert repr(db) == f"<brant.Database {str(path)!r} create>"
        info = db.info()
        assert (info.path, info.role, info.mode, info.durability) == (str(path), "single", "create", "normal")
        assert info.version == brant.version() == brant.__version__
        assert (info.graphs, info.nodes, info.edges) == (0, 0, 0)
    assert db.closed
    assert repr(db) == f"<brant.Database {str(path)!r} create closed>"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_option(path: Path) -> None:
    limits: brant.Limits = {"document": 4096, "depth": 8, "key": 10, "batch": 5}
    with brant.open(
        path,
        mode="create",
        durability="full",
        role="tenant",
        busy_timeout=0.5,
        permissions="group",
        adopt=False,
        network=False,
        system=True,
        foreign_keys=True,
        limits=limits,
        cache=1 << 20,
    ) as db:
        info = db.info()
        assert (info.role, info.durability) == ("tenant", "full")
        assert db.execute("PRAGMA foreign_keys").rows == [(1,)]
        db.graphs.create("g")
        with pytest.raises(brant.Limit):
            db.graph("g").nodes.put("k" * 11)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with pytest.raises(brant.Conflict):
        brant.open(path, role="system")


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (str(tmp_path / "a.db"), os.fsencode(tmp_path / "b.db"), tmp_path / "ç.db"):
        brant.open(path).close()
    monkeypatch.chdir(tmp_path)
    with brant.open("relative.db") as db:
        assert db.info().path == str(tmp_path / "relative.db")
    assert sorted(p.name for p in tmp_path.glob("*.db")) == ["a.db", "b.db", "relative.db", "ç.db"]


def test_memory() -> None:
    with brant.open(":memory:") as db:
        db.graphs.create("g")
        assert db.graph("g").nodes.put("a").created


@pytest.mark.parametrize(
    "options",
    [{"mode": "sideways"}, {"busy_timeout": -1}, {"limits": {"depth": 0}}, {"limits": {"x": 1}}, {"cache": -1}],
)
def test_bad_option(path: Path, options: dict[str, object]) -> None:
    with pytest.raises(brant.Invalid):
        brant.open(path, **options)  # type: ignore[arg-type]
    assert not path.exists()


def test_unknown_option(path: Path) -> None:
    with pytest.raises(TypeError):
        brant.open(path, durable=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="a span is a number of seconds"):
        brant.open(path, busy_timeout="long")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["", b"\xff.db", "a\0b", "\udcff.db"])
def test_bad_path(bad: str | bytes) -> None:
    with pytest.raises(brant.Invalid):
        brant.open(bad)


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_missing_file(path: Path, mode: str) -> None:
    with pytest.raises(brant.NotFound):
        brant.open(path, mode=mode)  # type: ignore[arg-type]
    with pytest.raises(brant.NotFound):
        brant.open(path / "below" / "x.db")
    assert not path.exists()


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(brant.NotBrant):
        brant.open(tmp_path)


def test_not_a_database(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(brant.NotBrant):
        brant.open(path)


def test_other_programs_database(path: Path) -> None:
    sqlite(path, "CREATE TABLE mine(x); INSERT INTO mine VALUES(7)")
    with pytest.raises(brant.NotBrant):
        brant.open(path)
    with brant.open(path, adopt=True) as db:
        assert db.execute("SELECT x FROM mine").rows == [(7,)]


def test_newer_file(path: Path) -> None:
    brant.open(path).close()
    newer = "PRAGMA user_version = 2000000000; "
    sqlite(path, newer)
    brant.open(path).close()  # a newer format that says nothing else leaves older writers working
    sqlite(path, "UPDATE brant_meta SET value = '2000000000' WHERE name = 'min_writer'")
    with pytest.raises(brant.NewerFormat):
        brant.open(path)
    brant.open(path, mode="ro").close()
    sqlite(path, "UPDATE brant_meta SET value = '2000000000' WHERE name = 'min_reader'")
    with pytest.raises(brant.NewerFormat):
        brant.open(path, mode="ro")


def test_read_only(path: Path) -> None:
    with brant.open(path) as db:
        db.graphs.create("g")
    with brant.open(path, mode="ro") as db:
        assert [graph.name for graph in db.graphs] == ["g"]
        with pytest.raises(brant.ReadOnly) as caught:
            db.graphs.create("h")
        assert isinstance(caught.value, PermissionError)


@pytest.mark.skipif(sys.platform != "linux", reason="changes its user")
def test_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "test.db"
    brant.open(path).close()
    os.chmod(path, 0o444)
    os.chmod(folder, 0o555)
    code = """
import os, sys, brant
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    brant.open(sys.argv[1], busy_timeout=60); print("opened")
except brant.ReadOnly as error:
    print(error.code)
try:
    brant.open(os.path.dirname(sys.argv[1]) + "/new.db"); print("made")
except brant.ReadOnly as error:
    print(error.code)
"""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    assert python(code, path).split() == ["READ_ONLY", "READ_ONLY"]


def test_foreign_sqlite(path: Path, tmp_path: Path) -> None:
    """Python's sqlite3 beside ours in one process: refused on one file, fine on two."""
    brant.open(path).close()
    code = """
import sqlite3, sys, brant
path = sys.argv[1]
connection = sqlite3.connect(path)
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
try:
    brant.open(path)
except brant.ForeignSqlite as error:
    print(error.code)
with brant.open(path + "2") as db:
    db.graphs.create("g")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    print(db.graph("g").nodes.put("a").created)
connection.close()
with brant.open(path) as db:
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    try:
        db.maintain()
    except brant.ForeignSqlite as error:
        print(error.code)
    # Closing it first would drop our locks: see the design's limits.
    import os; sys.stdout.flush(); os._exit(0)
"""
    assert python(code, path).split() == ["FOREIGN_SQLITE", "True", "FOREIGN_SQLITE"]


def test_closed_handle(path: Path) -> None:
    db = brant.open(path)
    db.graphs.create("g")
    nodes = db.graph("g").nodes
    listener = db.listen("*")
    db.close()
    db.close()
    for call in (
        db.info,
        db.doctor,
        db.maintain,
        lambda: db.execute("SELECT 1"),
        lambda: db.notify("x"),
        lambda: db.listen("x"),
        lambda: db.graphs.create("h"),
        lambda: nodes.put("a"),
        lambda: nodes.put_many([{"key": "a"}]),
        lambda: db.transaction().begin(),
        lambda: db.call("db.info"),
        lambda: listener.next(0),
    ):
        with pytest.raises(brant.Closed):
            call()
    assert list(listener) == []
    listener.close()


def test_unclosed_handle_warns(path: Path) -> None:
    with pytest.warns(ResourceWarning, match="unclosed <brant.Database"):
        brant.open(path)  # no cycle: gone at once


def test_fork(path: Path) -> None:
    code = """
import os, sys, warnings, brant
warnings.simplefilter("ignore")
db = brant.open(sys.argv[1], busy_timeout=60)
db.graphs.create("g")
listener = db.listen("*")
db._lock.acquire()  # as if another thread were inside
child = os.fork()
if child == 0:
    codes = []
    for call in (db.info, lambda: db.graph("g").nodes.put("a"), lambda: listener.next(0.1)):
        try:
            call()
            codes.append("OK")
        except brant.BrantError as error:
            codes.append(error.code)
    print(*codes, flush=True)
    del listener, db
    with brant.open(sys.argv[1], busy_timeout=60) as own:
        print(own.graph("g").nodes.put("b").created, flush=True)
    os._exit(0)
os.waitpid(child, 0)
db._lock.release()
print([node.key for node in db.graph("g").nodes], listener.next(5).channel, db.doctor().ok, flush=True)
db.close()
"""
    assert python(code, path).splitlines() == ["FORKED FORKED FORKED", "True", "['b'] nodes:created True"]


def test_backup_and_restore(db: brant.Database, path: Path, tmp_path: Path) -> None:
    db.graphs.create("g")
    nodes = db.graph("g").nodes
    nodes.put("a")
    copy = tmp_path / "copy.db"
    copied = db.backup(copy)
    assert (copied.path, copied.size) == (str(copy), copy.stat().st_size)
    with pytest.raises(brant.Exists):
        db.backup(copy)
    nodes.put("b")
    assert db.backup(str(copy), overwrite=True).pages > 0
    nodes.put("c")
    db.restore(copy)
    assert [node.key for node in nodes] == ["a", "b"]
    with pytest.raises(brant.NotFound):
        db.restore(tmp_path / "nothing.db")
    with db.transaction(), pytest.raises(brant.Misuse):
        db.backup(tmp_path / "other.db")


def test_doctor_and_maintain(db: brant.Database, graph: brant.Graph) -> None:
    graph.nodes.put("a")
    health = db.doctor(timeout=30)
    assert health and health.ok and all(check.ok and check.problems == [] for check in health.checks)
    maintained = db.maintain()
    assert (maintained.pruned, maintained.wal_pages >= 0) == (0, True)


def test_import_opens_nothing() -> None:
    """No environment, no file, no thread, and no asyncio for those who do not use it."""
    code = """
import os, sys, threading
before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
import brant
after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
print(after - before, threading.active_count(), "asyncio" in sys.modules, "sqlite3" in sys.modules)
"""
    assert python(code) == "0 1 False False"


def test_modules_entry_point_is_all_it_exports() -> None:
    if sys.platform != "linux":
        pytest.skip("ELF only")
    from brant import _native

    symbols = subprocess.run(["nm", "-D", "--defined-only", str(_native.__file__)], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in symbols.stdout.splitlines()] == ["PyInit__native"]
