"""What the README shows runs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import brant

README = Path(__file__).parent.parent / "README.md"
BEFORE = """
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal
import brant
"""


def test_the_blocks_after_the_first(db: brant.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "large.ndjson").write_text("".join(json.dumps({"node": {"key": f"n{n}", "attributes": {"title": "x"}}}) + "\n" for n in range(9)))
    # packaging/pip/test runs the block that wants a Python whose sqlite3 loads extensions, tests/langgraph/run and tests/sqlalchemy/run those that want these libraries.
    blocks = re.findall(r"(?<!<!-- test: host -->\n)(?<!<!-- test: langgraph -->\n)(?<!<!-- test: sqlalchemy -->\n)```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 12
    names: dict[str, Any] = {"db": db, "__name__": "readme", "tasks": [{"key": "new", "attributes": {"title": "New"}}, {"key": "new"}]}
    exec(BEFORE, names)
    for block in blocks[1:]:
        exec(block, names)
    assert [total for (total,) in db.execute("SELECT total FROM totals")] == [10, 20, 30]
    assert db.queue("mail").stats().completed == 4 and db.schedules.get("report").timezone == "Europe/Berlin"
    assert names["node"].attributes.title == "Write it"
    assert names["secret"].reveal()["password"] == "hunter2" and not names["ring"].attached
    assert db.secrets.status().keys == [brant.KeyCount(2, 1, "unknown")]
    assert names["graph"].nodes.count() == db.graph("copy").nodes.count() > 9
    assert json.loads((tmp_path / "plan.json").read_text())["options"]["type"] == "directed"
