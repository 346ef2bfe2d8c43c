"""The example files, which the README shows, run as they are and print what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_planner(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, EXAMPLES / "planner.py", tmp_path / "planner.db"], check=True, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    assert lines[0] == "in order: ['paint', 'roof', 'wall']"
    assert lines[1] == "open and big: ['roof', 'wall']"
    assert sorted(lines[2].removeprefix("about walls: ")) == sorted("['wall', 'paint']")
    assert lines[3] == "why paint waits: paint <- roof <- wall"
    assert lines[4].startswith("refused: ") and "closes a cycle" in lines[4]
    assert lines[5].startswith("flowchart")
