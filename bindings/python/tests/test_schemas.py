"""Models of operations: one each, judged as the library judges, typed, and answers of every kind."""

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
import pytest

import brant
from brant import schemas
from brant.schemas import EdgesPutMany, GraphsCreate, NodesGet, NodesList, NodesPut, NodesPutMany, QueuesEnqueue, TransactionBegin
from brant.schemas._models import Input

HERE = Path(__file__).resolve().parent
SCENARIOS = HERE.parents[2] / "tests/conformance/scenarios"


def test_no_field_hides_what_a_model_has() -> None:
    for name in {operation["namespace"] for operation in brant.operations()}:
        for model in vars(importlib.import_module(f"brant.schemas.{name}")).values():
            if isinstance(model, type) and issubclass(model, pydantic.BaseModel):
                assert not set(model.model_fields) & set(dir(pydantic.BaseModel)), model


def test_each_operation_has_one() -> None:
    for operation in brant.operations():
        model = schemas.model(operation["name"])
        assert issubclass(model, Input) and model.operation == operation["name"]
        assert {info.alias or name for name, info in model.model_fields.items()} == set(operation["input_schema"].get("properties", {}))
        model.model_rebuild(force=True)
        pydantic.TypeAdapter(model.result).json_schema()


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """The inputs of all conformance scenarios that stand there as they are."""
    known = {operation["name"] for operation in brant.operations()}
    seen = set()
    for path in sorted(SCENARIOS.glob("*.json")):
        for test in json.loads(path.read_text(encoding="utf-8"))["tests"]:
            for step in test["operations"]:
                name, given = step.get("name"), step.get("arguments", {})
                text = json.dumps([name, given], sort_keys=True)
                if name in known and "$$" not in text and len(text) < 100_000 and text not in seen:
                    seen.add(text)
                    yield name, given


def mutants(name: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The input, and what differs from it in one place: a member less, one that is not known, one of another kind."""
    yield given
    yield {**given, "no_such_member": 1}
    for member in given:
        less = copy.copy(given)
        del less[member]
        yield less
        for value in (None, True, -1, 1.5, "", "x", [], {}, [1], {"a": 1}, 10**15):
            if type(value) is not type(given[member]):
                yield {**given, member: value}


# They end or change the handle, or reach beyond it: only judged.
APART = {"transaction.begin", "transaction.commit", "transaction.rollback", "db.backup", "db.restore", "sql.execute", "operations.list"}


def test_they_judge_as_the_library_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model refuses, the library refuses as INVALID; and what the library accepts, a model does."""
    monkeypatch.chdir(tmp_path)
    counts: Counter[str] = Counter()
    mutated: Counter[str] = Counter()
    wrong = []
    with brant.open(":memory:") as db:
        for name, example in examples():
            mutated[name] += 1
            for given in mutants(name, example) if mutated[name] <= 2 and name not in APART else [example]:
                try:
                    schemas.model(name).model_validate(given)
                    verdict = "accepted"
                except pydantic.ValidationError:
                    verdict = "refused"
                code = "" if name in APART else outcome(db, name, given)
                counts[f"{verdict} {code}"] += 1
                # MISUSE: what answers a cursor is not called by name.
                if verdict == "refused" and code not in ("INVALID", "VALIDATION", "MISUSE", ""):
                    wrong.append((name, given, code))
    assert wrong == []
    assert counts["refused INVALID"] > 5000 and counts["accepted OK"] > 500
    # What only the library can tell: names that contradict each other, filters, times.
    assert counts["accepted INVALID"] < counts["refused INVALID"] / 15


def outcome(db: brant.Database, name: str, given: Any) -> str:
    try:
        db.call(name, given, timeout=60)
        return "OK"
    except brant.BrantError as error:
        return error.code


@dataclass
class Note:
    text: str


def test_calls(db: brant.Database) -> None:
    created = db.call(GraphsCreate(name="g", graph_type="open"))
    assert created.name == "g" and created.nodes == 0
    put = db.call(NodesPut(graph="g", key="k", attributes={"note": Note("n")}))
    assert put.created and put.revision == 1
    assert db.call(NodesGet(graph="g", key="k")).attributes == {"note": {"text": "n"}}
    many = db.call(NodesPutMany(graph="g", items=[{"key": "a"}, {"key": "b", "attributes": {"n": 1}}]))
    assert many.created == 2
    assert [item.key for item in db.call(NodesList(graph="g", limit=2)).items] == ["a", "b"]
    job = db.call(QueuesEnqueue(queue="q", payload=None))
    assert job.id > 0 and db.jobs.get(job.id).payload is None
    with pytest.raises(brant.NotFound):
        db.call(NodesGet(graph="none", key="k"))
    with pytest.raises(ZeroDivisionError), db.transaction():
        db.call(NodesPut(graph="g", key="gone"))
        raise ZeroDivisionError
    assert db.graph("g").nodes.count() == 3
    depth = db.call(TransactionBegin(mode="write")).depth
    assert depth == 1
    db.call("transaction.rollback")
    with db.session({"id": "ann", "scopes": ["nodes:read"]}) as session:
        assert session.call(NodesGet(graph="g", key="k")).key == "k"
        with pytest.raises(brant.Denied):
            session.call(NodesPut(graph="g", key="k"))


def test_what_is_not_given_is_not_sent() -> None:
    put = NodesPut(graph="g", key="k", type=None)
    assert put.model_dump() == {"graph": "g", "key": "k", "type": None} and json.loads(put.model_dump_json()) == put.model_dump()
    with pytest.raises(pydantic.ValidationError, match="/graph: must have at least 1 character; /nope: is not a property"):
        NodesPut.model_validate({"graph": "", "key": "k", "nope": 1})
    with pytest.raises(pydantic.ValidationError, match="/items"):
        EdgesPutMany.model_validate({"graph": "g", "items": 7})
    again = NodesPut.model_validate_json('{"graph": "g", "key": "k"}')
    assert again == NodesPut(graph="g", key="k")


def test_pydantic_is_not_loaded_by_brant() -> None:
    code = "import sys, brant; assert 'pydantic' not in sys.modules; sys.modules['pydantic'] = None\ntry: import brant.schemas\nexcept ModuleNotFoundError as error: print(error)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "brant.schemas needs Pydantic: pip install 'brant[pydantic]'\n", run.stderr
