"""LangGraph's own conformance kit for checkpointers: every capability it knows, none missing, none failing; plain, sealed, and on a private database."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from importlib.metadata import version
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES

import brant
from brant.langgraph import BrantSaver


@pytest.mark.parametrize("kind", ["file", "sealed", "memory"])
async def test_checkpointer(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = iter(range(100))

    @checkpointer_test(name=f"BrantSaver ({kind})")
    async def saver() -> AsyncGenerator[BrantSaver, None]:
        with brant.open(":memory:" if kind == "memory" else tmp_path / f"{next(files)}.db") as db:
            if kind == "sealed":
                db.keyring(keys=[brant.Key(version=1, key=os.urandom(32))])
            yield BrantSaver(db, seal=kind == "sealed")

    report = await validate(saver)
    with capsys.disabled():
        for name in ("langgraph", "langgraph-checkpoint", "langgraph-checkpoint-conformance"):
            print(f"\n{name} {version(name)}", end="")
        report.print_report()
    assert {name: result.failures for name, result in report.results.items() if not result.passed} == {}
    assert {result for result in report.results} == {capability.value for capability in ALL_CAPABILITIES}
    assert sum(result.tests_passed for result in report.results.values()) >= 70
