"""What the README shows of LangGraph runs."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import brant

README = Path(__file__).resolve().parents[2] / "bindings/python/README.md"


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class State(TypedDict):
        messages: Annotated[list[str], operator.add]

    builder = StateGraph(State)
    builder.add_node("answer", lambda state: {"messages": ["well"]})
    builder.add_edge(START, "answer")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"<!-- test: langgraph -->\n```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {"brant": brant, "builder": builder}
    names["embed"] = lambda texts: [[float(text.count(chr(97 + n))) for n in range(26)] for text in texts]
    exec(block, names)
    assert capsys.readouterr().out == "{'text': 'likes figs'}\n"
