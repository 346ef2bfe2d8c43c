"""Export and import are killed at random points, many times, and go on: what stands there in the end is what stands there without."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import brant
import brant.migration as migration
import former
import pytest
from conftest import ring
from servers import Servers


def until_done(command: list[str], seed: int, longest: float, least: int) -> int:
    """Run it and kill it at random points until it ends by itself; how often it was killed."""
    order = random.Random(seed)
    killed = 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", "brant.migration", *command, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # The interpreter takes its time to start: what counts is what comes after. Later runs live longer and longer, so that it ends on a busy machine too.
        wait = 0.1 + order.random() * longest * (1 if killed < least else 10 * 1.3 ** min(killed - least, 20))
        try:
            _, errors = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
            continue
        assert process.returncode == 0, errors.decode()
        return killed


def contents(path: Path) -> Any:
    """What stands in the files, but for what differs from one import to another: ids and times that the library makes."""
    found: dict[str, Any] = {}
    for file in sorted(path.glob("*.db")) if path.is_dir() else [path]:
        name = file.name if path.is_dir() else "file"
        with brant.open(file, mode="rw") as db:
            rows = lambda sql: db.execute(sql).rows  # noqa: E731
            found[name] = {
                "nodes": rows("SELECT g.name, n.key, n.attributes, n.metadata, n.revision FROM nodes n JOIN graphs g ON g.row_id = n.graph WHERE g.name NOT IN ('vault', 'access') ORDER BY 1, 2"),
                "edges": rows("SELECT g.name, e.key, e.source, e.target, e.attributes, e.revision FROM edges e JOIN graphs g ON g.row_id = e.graph WHERE g.name NOT IN ('access') ORDER BY 1, e.row_id"),
                "audit": rows("SELECT action, resource, detail FROM brant_audit_logs WHERE action LIKE 'former.%' ORDER BY seq"),
                # Access graphs are brought into step at the end: by a run that was killed then, and by the one that goes on.
                "log": rows("SELECT action, count(*) FROM brant_audit_logs WHERE action <> 'access.sync' GROUP BY action ORDER BY action"),
                "events": [(stream.stream, [(event.offset, event.key, event.payload) for event in db.stream(stream.stream).read(limit=100000)])
                           for stream in db.streams.list().items if not stream.stream.startswith("audit")],
                "progress": rows("SELECT part, position, rows, imported, changed, left_out, rejected, done FROM migration_progress ORDER BY part"),
            }  # fmt: skip
            if name in ("file", "system.db"):
                found[name]["accounts"] = rows("SELECT id, email, name, access_level, status, metadata FROM brant_accounts ORDER BY id")
                found[name]["members"] = rows("SELECT org_id, account_id, level, status FROM brant_members ORDER BY 1, 2")
                found[name]["keys"] = rows("SELECT kid, owner_id, org_id, scopes, revoked_at IS NULL FROM brant_api_keys ORDER BY kid")
    return found


@pytest.fixture(scope="module")
def whole(servers: Servers, made: former.Former, ring_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is exported and imported in one go."""
    folder = tmp_path_factory.mktemp("whole")
    migration.export(str(folder / "export"), migration.load(None), servers.postgres, servers.redis)
    for hub in (False, True):
        migration.import_(str(folder / "export"), str(folder / ("hub" if hub else "file.db")), hub=hub, ring=ring_file.read_text())
    return folder


def test_export(servers: Servers, whole: Path, tmp_path: Path) -> None:
    killed = until_done(["export", str(tmp_path / "export"), "--postgres", servers.postgres, "--redis", servers.redis], 1, 0.5, 6)
    print(f"\nexport: killed {killed} times")
    parts, others = migration.Folder(whole / "export").parts, migration.Folder(tmp_path / "export").parts
    assert {name: part["sha256"] for name, part in others.items()} == {name: part["sha256"] for name, part in parts.items()}
    assert not list((tmp_path / "export").glob("*.part"))


@pytest.mark.parametrize("kind", ["file.db", "hub"])
def test_import(whole: Path, ring_file: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / kind
    began = time.monotonic()
    arguments = ["import", str(whole / "export"), str(target), "--ring", str(ring_file), *(["--hub"] if kind == "hub" else [])]
    killed = until_done(arguments, len(kind), 0.45, 12)
    print(f"\nimport into a {kind}: killed {killed} times in {time.monotonic() - began:.0f} s")
    assert killed >= 3  # how often it can be depends on the machine
    expected, found = contents(whole / kind), contents(target)
    assert found.keys() == expected.keys()
    for name in expected:
        for part in expected[name]:
            assert found[name][part] == expected[name][part], (name, part)
    assert all(report.ok for report in migration.verify(str(whole / "export"), str(target), ring=ring_file.read_text()))
    with brant.open(target / "system.db" if kind == "hub" else target) as db:
        db.keyring(ring())
        assert db.audit.verify().ok and db.doctor().ok


def test_part_that_was_torn(servers: Servers, whole: Path, tmp_path: Path) -> None:
    """A line that was half written when the machine went down, and a table that is another since."""
    migration_folder = tmp_path / "export"
    process = subprocess.Popen([sys.executable, "-m", "brant.migration", "export", str(migration_folder), "--postgres", servers.postgres, "--quiet"])
    process.wait()
    found = migration.Folder(migration_folder)
    found.manifest["done"] = False
    found.parts["nodes"]["done"] = False
    found.save()
    lines = (migration_folder / "nodes.ndjson").read_bytes().splitlines(keepends=True)
    os.remove(migration_folder / "nodes.ndjson")
    (migration_folder / "nodes.ndjson.part").write_bytes(b"".join(lines[:100]) + lines[100][:20])
    migration.export(str(migration_folder), migration.load(None), servers.postgres)
    assert (migration_folder / "nodes.ndjson").read_bytes() == b"".join(lines)
