import json
import pickle
import re
from pathlib import Path

import pytest
from conftest import PACKAGES

import brant
from brant import _native, errors

HEADERS = Path(__file__).resolve().parents[3] / "core" / "include" / "brant"


def codes() -> dict[str, int]:
    text = (HEADERS / "base.h").read_text()
    return {name: int(number) for name, number in re.findall(r"^ +X\((\w+), (\d+),", text, re.M)}


def test_a_class_for_each_code() -> None:
    table = codes()
    assert table.pop("OK") == 0
    assert {code: cls.status for code, cls in errors.CLASSES.items()} == table
    for code, cls in errors.CLASSES.items():
        assert cls.__name__ == "".join(part.capitalize() for part in code.split("_"))
        assert getattr(brant, cls.__name__) is cls
        assert issubclass(cls, brant.BrantError)
        assert _native.brant_status_name(cls.status) == code
        error = errors.raised(cls.status, code, "what", '{"a": 1}')
        assert (type(error), str(error), error.code, error.status, error.detail) == (cls, "what", code, cls.status, {"a": 1})
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.code, again.detail) == (cls, "what", code, {"a": 1})


def test_python_meanings() -> None:
    for cls, base in [
        (brant.NotFound, KeyError),
        (brant.Invalid, ValueError),
        (brant.InvalidJson, ValueError),
        (brant.Validation, ValueError),
        (brant.Timeout, TimeoutError),
        (brant.Misuse, RuntimeError),
        (brant.ReadOnly, PermissionError),
        (brant.Denied, PermissionError),
        (brant.Full, OSError),
        (brant.Io, OSError),
        (brant.NoMemory, MemoryError),
        (brant.Unsupported, NotImplementedError),
    ]:
        assert issubclass(cls, base)


def test_a_code_of_a_newer_library() -> None:
    error = errors.raised(99, "LATER", "what", "{}")
    assert (type(error), error.code, error.status) == (brant.BrantError, "LATER", 99)
    assert pickle.loads(pickle.dumps(error)).code == "LATER"


def test_the_stub_has_what_the_module_has() -> None:
    stub = (Path(brant.__file__).parent / "_native.pyi").read_text()
    names = set(re.findall(r"^def (\w+)", stub, re.M))
    module = {name for name in vars(_native) if name.startswith("brant_")}
    assert names == module | {"pack"}  # what the binding itself has in C
    declared: set[str] = set()
    for header in HEADERS.glob("*.h"):
        declared |= set(re.findall(r"^BRANT_API [\w *]*?(brant_\w+)\(", header.read_text(), re.M))
    hosts = {"brant_open_with", "brant_allocator_set", "brant_last_error", "brant_free", "brant_db_free"}
    hosts |= {"brant_cursor_free", "brant_hub_free", "brant_validator_free"}
    assert declared - hosts == module


@pytest.mark.parametrize("text", ['{"graph":', "nonsense", '{"graph":"g","graph":"h","key":"a"}', '{"graph":"g","key":"\\ud800"}', b'{"\xff":1}'])
def test_broken_json(db: brant.Database, text: str | bytes) -> None:
    with pytest.raises(brant.InvalidJson) as caught:
        db.call_json("nodes.put", text)
    assert isinstance(caught.value.detail["offset"], int)


def test_not_an_object(db: brant.Database) -> None:
    with pytest.raises(brant.Invalid):
        db.call_json("nodes.put", "[]")


def test_surrogates(db: brant.Database, graph: brant.Graph) -> None:
    with pytest.raises(brant.InvalidJson):
        graph.nodes.put("\ud800")
    with pytest.raises(brant.InvalidJson):
        db.call_json("nodes.put", "\udcff")
    with pytest.raises(brant.Invalid):
        db.call_json("nodes.\ud800", "{}")


def test_values_without_json(graph: brant.Graph) -> None:
    with pytest.raises(brant.InvalidJson):
        graph.nodes.put("a", {"x": float("nan")})
    with pytest.raises(brant.InvalidJson):
        graph.nodes.put("a", {"x": 1 << 70})
    with pytest.raises(TypeError, match="object has no JSON form"):
        graph.nodes.put("a", {"x": object()})
    inside: dict[str, object] = {}
    inside["itself"] = inside
    with pytest.raises(brant.Limit):
        graph.nodes.put("a", inside)
    deep: object = 1
    for _ in range(600):
        deep = [deep]
    with pytest.raises(brant.Limit):
        graph.nodes.put("a", {"x": deep})


def test_hundred_megabytes(graph: brant.Graph) -> None:
    with pytest.raises(brant.Limit):
        graph.nodes.put("a", {"text": "x" * 100_000_000})
    with pytest.raises(brant.Limit):
        graph.nodes.put_many([{"key": "a", "attributes": {"text": "x" * 100_000_000}}])
    assert graph.nodes.count() == 0


def test_unknown_operation(db: brant.Database) -> None:
    with pytest.raises(brant.NotFound):
        db.call("nodes.frobnicate")
    with pytest.raises(brant.Misuse):
        db.call("events.listen", {"channels": ["*"]})


def test_unknown_member(db: brant.Database, graph: brant.Graph) -> None:
    with pytest.raises(brant.Invalid) as caught:
        db.call("nodes.put", {"graph": "g", "key": "a", "atributes": {}})
    assert caught.value.detail["violations"]


def test_unknown_type(packages: brant.Graph) -> None:
    with pytest.raises(brant.Invalid, match="Parcel"):
        packages.nodes.put("a", {"name": "a"}, type="Parcel")
    with pytest.raises(brant.Invalid):
        packages.nodes.list(type="Parcel")


def test_wrong_attribute(packages: brant.Graph) -> None:
    with pytest.raises(brant.Validation) as caught:
        packages.nodes.put("libc6", {"name": 6, "colour": "red"}, type="Package")
    violations = caught.value.detail["violations"]
    assert {violation["instance"] for violation in violations} >= {"/name"}
    assert not packages.nodes.exists("libc6")


def test_not_found_is_a_key_error(graph: brant.Graph) -> None:
    with pytest.raises(KeyError) as caught:
        graph.nodes.get("nobody")
    assert "nobody" in str(caught.value) and not str(caught.value).startswith('"')
    assert isinstance(caught.value, brant.NotFound)


def test_codes_of_the_metagraph(db: brant.Database, packages: brant.Graph) -> None:
    with pytest.raises(brant.Exists):
        db.graphs.create("debian", "packages")
    with pytest.raises(brant.NotFound):
        db.graphs.create("x", "no such type")
    with pytest.raises(brant.Constraint):
        db.graph_types.delete("packages")
    with pytest.raises(brant.Denied):
        db.graph_types.delete("open")
    with pytest.raises(brant.Validation):
        db.graph_types.define({"$id": "bad", "$defs": {"XNode": {"type": "strnig"}}})
    packages.nodes.put("a", {"name": "a"}, type="Package")
    with pytest.raises(brant.Conflict):
        packages.nodes.put("a", {"name": "a"}, revision=0)
    with pytest.raises(brant.Constraint):
        packages.nodes.put("a", {}, type="File")
    with pytest.raises(brant.Constraint):
        packages.edges.put("a", "a", type="Depends")
    with pytest.raises(brant.NotFound):
        packages.edges.put("a", "b", type="Depends")
    different = json.loads(json.dumps(PACKAGES))
    different["$defs"]["FileNode"]["required"] = ["path"]
    with pytest.raises(brant.Exists):
        db.graph_types.define(different)


def test_codes_of_sql(db: brant.Database) -> None:
    with pytest.raises(brant.Sql):
        db.execute("SELEKT 1")
    with pytest.raises(brant.Denied):
        db.execute("PRAGMA journal_mode = DELETE")
    with pytest.raises(brant.Invalid):
        db.execute("SELECT ?")
    db.execute("CREATE TABLE t(x UNIQUE)")
    db.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(brant.Constraint):
        db.execute("INSERT INTO t VALUES (1)")


def test_timeouts(db: brant.Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(brant.Timeout) as caught:
        db.execute(endless, timeout=0.1)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(brant.Timeout):
        db.info() if False else db.execute("SELECT 1", timeout=-1)
    assert db.execute("SELECT 1").scalar() == 1


def test_busy(path: Path) -> None:
    with brant.open(path) as one, brant.open(path, busy_timeout=0.05) as two:
        one.graphs.create("g")
        with one.transaction():
            with pytest.raises(brant.Busy):
                two.graph("g").nodes.put("a")
            with pytest.raises(brant.Busy), two.transaction():
                pass
        assert two.graph("g").nodes.put("a").created


def test_raw_module_types(db: brant.Database) -> None:
    with pytest.raises(TypeError):
        _native.brant_db_info(db._handle, 1)  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError)):
        _native.brant_db_info("db", "{}")  # type: ignore[arg-type]
    with pytest.raises(brant.Invalid):
        _native.brant_db_info(None, "{}")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _native.brant_deadline_set(db._handle, "soon")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        _native.brant_deadline_set(db._handle, 1 << 70)
    assert _native.brant_json_compact(b' { "a" : 1 } ') == '{"a":1}'
