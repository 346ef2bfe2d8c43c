"""``python -m brant`` becomes the command. That the package has it: packaging/pip/test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import brant
from brant import _command

ROOT = Path(brant.__file__).parents[1]


def run(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": str(path)}
    return subprocess.run([sys.executable, "-m", "brant", *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_becomes_the_command(tmp_path: Path) -> None:
    program = tmp_path / "brant"
    program.write_text('#!/bin/sh\necho "$$ $*"\nexit 7\n')
    program.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-m", "brant", "info", "a b"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        said, _ = process.communicate(timeout=60)
    assert said == f"{process.pid} info a b\n"  # in place of Python
    assert process.returncode == 7
    assert "--concurrency" in run("worker", "--help", path=tmp_path).stdout  # this one is Python's own


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = run("info", "a.db", path=tmp_path)
    assert answer.returncode == 2 and "not installed" in answer.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(brant.Unsupported):
        _command.command_path()
