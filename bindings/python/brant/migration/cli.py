"""The command line: `python -m brant.migration`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from ..database import open as open_file
from ..errors import BrantError
from . import mapping as mappings
from .errors import MigrationError
from .files import KINDS, read
from .importer import import_
from .source import export
from .target import Target, ring_text
from .verify import PartReport, verify


class Bar:
    """Progress on standard error: a line that is written over on a terminal, else one a part and every ten seconds."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._part = ""
        self._last = 0.0
        self._begin = time.monotonic()
        self.rows = 0
        self._counted: dict[str, int] = {}

    def __call__(self, part: str, rows: int, total: int | None) -> None:
        self.rows += max(0, rows - self._counted.get(part, 0))
        self._counted[part] = rows
        if self._quiet:
            return
        now = time.monotonic()
        done = total is not None and rows >= total
        if self._terminal:
            if now - self._last > 0.1 or done:
                of = f" of {total}" if total else ""
                sys.stderr.write(f"\r\033[K{part}: {rows}{of}")
                sys.stderr.flush()
                self._last = now
        elif now - self._last > 10:
            sys.stderr.write(f"{part}: {rows}{f' of {total}' if total else ''}\n")
            self._last = now

    def end(self, what: str) -> None:
        took = time.monotonic() - self._begin
        if self._terminal and not self._quiet:
            sys.stderr.write("\r\033[K")
        if not self._quiet:
            sys.stderr.write(f"{what}: {self.rows} rows in {took:.1f} s, {self.rows / max(took, 0.001):.0f} a second\n")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m brant.migration",
        description="Take over a deployment of PostgreSQL and Redis, or graphs of other libraries, into a brant file or hub. Each step can be killed at any moment and called again: it goes on where it was.",
        epilog="First stop what writes to the source: an export is of one moment, and what is written later is not in it (verify tells).",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def source(one: argparse.ArgumentParser) -> None:
        one.add_argument("--postgres", metavar="CONNINFO", help="connection string, or - for what the PG* variables say")
        one.add_argument("--redis", metavar="URL", help="redis://, rediss:// or unix://")

    def goal(one: argparse.ArgumentParser) -> None:
        one.add_argument("--hub", action="store_true", default=None, help="the target is a hub's folder: system.db, and a file for each organization (default: what is there; else one file)")
        one.add_argument("--ring", metavar="FILE", help="key ring, as JSON; made with random keys where there is no such file. Keep it: nobody can open secrets or verify the audit log without it")

    def common(one: argparse.ArgumentParser, map: bool = True) -> None:
        if map:
            one.add_argument("--mapping", metavar="FILE", help="mapping file, TOML or JSON (default: see the command map)")
        one.add_argument("--quiet", action="store_true", help="no progress")
        one.add_argument("--json", action="store_true", help="the report as JSON")

    one = commands.add_parser("map", help="print the default mapping file, commented, to edit")
    one = commands.add_parser("export", help="from PostgreSQL and Redis into a folder of NDJSON with a manifest")
    one.add_argument("folder")
    source(one)
    common(one)
    one = commands.add_parser("import", help="from the folder into a brant file or hub")
    one.add_argument("folder")
    one.add_argument("target")
    goal(one)
    common(one)
    one = commands.add_parser("verify", help="source, folder and target against each other, by counts and checksums")
    one.add_argument("folder")
    one.add_argument("target", nargs="?")
    source(one)
    goal(one)
    common(one)
    one = commands.add_parser("run", help="export, import and verify")
    one.add_argument("folder")
    one.add_argument("target")
    source(one)
    goal(one)
    common(one)
    one = commands.add_parser("graph", help="a graph of another library into a brant file: NetworkX pickle or node-link, graphology, MCP memory, Kuzu or LadybugDB export")
    one.add_argument("source", help="file, or the folder that EXPORT DATABASE wrote")
    one.add_argument("target", help="brant file")
    one.add_argument("--graph", required=True, help="name of the graph, which is made")
    one.add_argument("--kind", choices=KINDS, help="what the source is (default: what it looks like)")
    common(one, map=False)
    return top


def _print(reports: list[PartReport], as_json: bool) -> bool:
    ok = all(report.ok for report in reports)
    if as_json:
        json.dump({"ok": ok, "parts": [{**vars(report), "ok": report.ok} for report in reports]}, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return ok
    print(f"{'part':32} {'source':>9} {'folder':>9} {'target':>9} {'changed':>9} {'left out':>9} {'rejected':>9}  checksum")
    for report in reports:
        source = "-" if report.source is None else str(report.source)
        print(
            f"{report.part[:32]:32} {source:>9} {report.folder:>9} {report.target:>9} {report.changed:>9} {report.left_out:>9} {report.rejected:>9}  "
            f"{report.checksum[:12] if report.ok else 'DIFFERENT'}"
        )
        for problem in report.problems:
            print(f"    {report.part}: {problem}")
    print("verified" if ok else "NOT verified")
    return ok


def notes(target: Target) -> list[dict[str, Any]]:
    """What was not taken over as it was, of all files."""
    found = []
    for db in target.files():
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migration_notes'").rows:
            for part, row, outcome, id, code, message in db.execute("SELECT part, row, outcome, id, code, message FROM migration_notes ORDER BY part, row LIMIT 100000").rows:
                found.append({"part": part, "row": row, "outcome": outcome, "id": id, "code": code, "message": message})
    return found


def _report(path: str, hub: bool | None, as_json: bool) -> None:
    target = Target(path, hub, None, mode="rw")
    try:
        found = notes(target)
    finally:
        target.close()
    if as_json:
        json.dump({"notes": found}, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return
    for note in found:
        code = f" {note['code']}" if note["code"] else ""
        print(f"{note['part']} row {note['row']} ({note['id']}): {note['outcome']}{code}: {note['message']}")


def _run(options: argparse.Namespace) -> int:
    if options.command == "map":
        sys.stdout.write(mappings.default_text())
        return 0
    if options.command == "graph":
        bar = Bar(options.quiet)
        with open_file(options.target) as db:
            counts = read(db, options.source, graph=options.graph, kind=options.kind, progress=bar)
        print(json.dumps(counts) if options.json else f"{counts['nodes']} nodes, {counts['edges']} edges")
        return 0
    given = mappings.load(options.mapping) if options.mapping else None
    if options.command in ("export", "verify", "run"):
        options.postgres = "" if options.postgres == "-" else options.postgres
    if options.command in ("export", "run"):
        bar = Bar(options.quiet)
        folder = export(options.folder, given or mappings.load(None), options.postgres, options.redis, bar)
        bar.end("exported")
        if options.command == "export":
            if options.json:
                print(json.dumps(folder.manifest, ensure_ascii=False))
            return 0
    ring = ring_text(options.ring) if options.ring else None
    if options.command in ("import", "run"):
        bar = Bar(options.quiet)
        import_(options.folder, options.target, hub=options.hub, ring=ring, mapping=given, progress=bar)
        bar.end("imported")
        if not (options.command == "run" and options.json):
            _report(options.target, options.hub, options.json)
    if options.command in ("verify", "run"):
        bar = Bar(options.quiet)
        reports = verify(options.folder, options.target, hub=options.hub, ring=ring, mapping=given, postgres=options.postgres, redis=options.redis, progress=bar)
        bar.end("verified")
        return 0 if _print(reports, options.json) else 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done; 1: it cannot go on, or what was verified is not the same, and standard error says why; 2: the arguments are wrong."""
    try:
        code = _run(parser().parse_args(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (MigrationError, BrantError, OSError) as error:
        sys.stderr.write(f"brant.migration: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("brant.migration: interrupted; call it again to go on\n")
        return 130
