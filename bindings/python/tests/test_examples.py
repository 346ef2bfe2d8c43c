"""The example files, which the README shows, run as they are and print what it says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import brant

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_planner(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, EXAMPLES / "planner.py", tmp_path / "planner.db"], check=True, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    assert lines[0] == "in order: ['wall', 'roof', 'paint']"
    assert lines[1] == "open and big: ['roof', 'wall']"
    assert sorted(lines[2].removeprefix("about walls: ")) == sorted("['wall', 'paint']")
    assert lines[3] == "why paint waits: paint <- roof <- wall"
    assert lines[4].startswith("refused: ") and "closes a cycle" in lines[4]
    assert lines[5].startswith("flowchart")


def test_vault(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "vault.py"), str(tmp_path / "vault.db")]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == [
            "opened: [secret] of 12 characters",
            "stored: $enc, alg, kv, n, c, ct",
            "without keys: NOT_FOUND",
            "rotated: 1 failed: 0",
            "under the new key: True",
        ]
    keys = tmp_path / "vault.db.keys"
    assert keys.stat().st_mode & 0o777 == 0o600
    assert [key["version"] for key in json.loads(keys.read_text())["keys"]] == [3]
    assert all(b"token-of-ann" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    keys.unlink()
    assert "is lost" in subprocess.run(command, capture_output=True, text=True).stderr and not keys.exists()


def test_mailer(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "mailer.py"), str(tmp_path / "mailer.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = {process.stdout.readline() for _ in range(3)}
    assert lines == {"welcome, ann@example.org\n", "welcome, bob@example.org\n", "reminding\n"}
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0 and "ConnectionError: try again" in err


def ring(folder: Path) -> Path:
    path = folder / "ring.json"
    path.write_text(json.dumps({"keys": [brant.generate_key(purpose).reveal() for purpose in ("audit", "pepper")]}))
    return path


def test_hub(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "hub.py"), str(tmp_path / "hub"), str(ring(tmp_path))]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == ['refused: the session lacks the scope "nodes:write"', "audit: True"]
    assert len(list((tmp_path / "hub").glob("tenant-*.db"))) == 1


def test_agents(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "agents.py"), str(tmp_path / "agents.db"), str(ring(tmp_path))]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == [
            "reads launch",
            'refused: the session lacks the scope "nodes:write"',
            "because ann Grants graph:plans <- ann Delegates planner <- planner Delegates searcher",
            "afterwards: False",
            "audit: True",
        ]
