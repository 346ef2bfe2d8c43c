"""Verification: source against folder, folder against its manifest, and every row of the folder against what stands in the target.

Of each part three checksums are compared: that of the source's rows as they are now (where a source is named), that of the folder's file, and that of the rows as they should stand in the target with that of the rows as
they do. Rows that the import rejected or left out are counted; all others must be there, member by member.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..database import Database
from . import convert
from .errors import MigrationError
from .folder import Folder, Row, line_of
from .importer import Import, key_maker
from .mapping import Mapping, restored
from .source import Postgres, Progress, Redis
from .target import Target, find

STATES = {"accounts": "accounts.status", "organizations": "organizations.status", "members": "members.status", "graphs": "graphs.status"}


@dataclass
class PartReport:
    """What was found of one part."""

    part: str
    source: int | None = None
    folder: int = 0
    target: int = 0
    changed: int = 0
    left_out: int = 0
    rejected: int = 0
    checksum: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def source_checks(folder: Folder, mapping: Mapping, reports: dict[str, PartReport], postgres: str | None, redis: str | None) -> None:
    """Read the source again and hold it against the folder."""
    parts: list[tuple[Postgres | Redis, str]] = []
    opened: list[Postgres | Redis] = []
    try:
        if postgres is not None:
            tables = Postgres(postgres, mapping)
            opened.append(tables)
            parts += [(tables, part) for part in tables.parts()]
        if redis is not None:
            streams = Redis(redis, mapping)
            opened.append(streams)
            parts += [(streams, part) for part in streams.parts()]
        for source, part in parts:
            report = reports.setdefault(part, PartReport(part))
            digest = hashlib.sha256()
            report.source = 0
            for row in source.rows(part):
                digest.update(line_of(row))
                report.source += 1
            if part not in folder.parts:
                report.problems.append("it is in the source and not in the folder")
            elif digest.hexdigest() != folder.parts[part]["sha256"]:
                report.problems.append(f"the source has changed since the export: {report.source} rows now, {folder.parts[part]['rows']} then")
    finally:
        for one in opened:
            one.close()


class Verify:
    """What should stand in the target, and what does, row by row."""

    def __init__(self, run: Import, reports: dict[str, PartReport]) -> None:
        self.run = run
        self.mapping = run.mapping
        self.folder = run.folder
        self.main = run.target.main
        self.reports = reports

    def notes(self, db: Database, part: str) -> dict[int, tuple[str, dict[str, Any]]]:
        rows = db.execute("SELECT row, outcome, detail FROM migration_notes WHERE part = ? ORDER BY row", (part,)).rows
        return {row: (outcome, json.loads(detail)) for row, outcome, detail in rows}

    def counts(self, report: PartReport, db: Database, part: str) -> bool:
        """Take over what the import counted; False: it has not ended."""
        found = db.execute("SELECT changed, left_out, rejected, done, source FROM migration_progress WHERE part = ?", (part,)).rows
        if not found or not found[0][3]:
            report.problems.append(f"{part} was not imported to its end")
            return False
        if found[0][4] != self.run.source:
            report.problems.append(f"{part} was imported from another export")
            return False
        report.changed += found[0][0]
        report.left_out += found[0][1]
        report.rejected += found[0][2]
        return True

    def compare(self, report: PartReport, pairs: Iterator[tuple[str, Any, Any]], should: Any, does: Any) -> None:
        for name, expected, actual in pairs:
            wanted, found = canonical(expected), canonical(actual)
            should.update(wanted + b"\n")
            does.update(found + b"\n")
            report.target += actual is not None
            if wanted != found and len(report.problems) < 20:
                where = sorted(m for m in expected if actual.get(m) != expected[m]) if isinstance(actual, dict) and isinstance(expected, dict) else []
                report.problems.append(f"{name}: {'is not there' if actual is None else 'differs in ' + ', '.join(where) if where else 'differs'}")

    def taken(self, db: Database, part: str, source: str, begin: int = 0, end: int | None = None) -> Iterator[tuple[Row, dict[str, Any]]]:
        """Rows that were taken over, with what their note remembers."""
        notes = self.notes(db, part)
        for number, (_, line) in enumerate(self.folder.lines(source, begin, end), 1):
            outcome, detail = notes.get(number, ("", {}))
            if outcome not in ("rejected", "left_out"):
                yield json.loads(line), detail

    # ---- parts ------------------------------------------------------------------------------------------------------------

    def table(self, part: str) -> None:
        report = self.reports[part]
        if not self.counts(report, self.main, part):
            return
        state = PartReport(part)
        if part in STATES and not self.counts(state, self.main, STATES[part]):
            report.problems += state.problems
            return
        report.changed += state.changed
        report.problems += [f"the status of {state.rejected} rows could not be taken over"] if state.rejected else []
        pairs: Iterator[tuple[str, Any, Any]] = getattr(self, part)()
        should, does = hashlib.sha256(), hashlib.sha256()
        self.compare(report, pairs, should, does)
        self.end(report, should, does)

    @staticmethod
    def end(report: PartReport, should: Any, does: Any) -> None:
        report.checksum = does.hexdigest()
        if should.digest() != does.digest() and not report.problems:
            report.problems.append("the checksums of what should be there and what is are different")
        if report.target + report.left_out + report.rejected != report.folder:
            report.problems.append(f"{report.target} are there, {report.left_out} were left out and {report.rejected} rejected, of {report.folder}")

    def accounts(self) -> Iterator[tuple[str, Any, Any]]:
        for row, detail in self.taken(self.main, "accounts", "accounts"):
            expected = convert.account(self.mapping, row, detail.get("email")).members
            expected["status"] = convert.state(self.mapping, "accounts", row)[0]
            actual = find(self.main, "accounts.get", {"id": expected["id"]})
            by_email = find(self.main, "accounts.find", {"email": expected["email"]})
            if actual is not None and by_email is not None and by_email["id"] == actual["id"]:
                actual["email"] = expected["email"]  # it is kept in the form that it is unique in
            yield expected["id"], expected, actual and {name: actual[name] for name in expected}

    def organizations(self) -> Iterator[tuple[str, Any, Any]]:
        orphaned = {org for _, detail in self.notes(self.main, "accounts.status").values() for org in detail.get("suspended", ())}
        for row, detail in self.taken(self.main, "organizations", "organizations"):
            expected = convert.organization(self.mapping, row, detail.get("slug")).members
            expected["owner_id"] = detail.get("owner_id", expected["owner_id"])
            expected["status"] = convert.state(self.mapping, "organizations", row)[0]
            if expected["id"] in orphaned:
                expected["status"] = "suspended"
            actual = find(self.main, "organizations.get", {"id": expected["id"]})
            yield expected["id"], expected, actual and {name: actual[name] for name in expected}

    def members(self) -> Iterator[tuple[str, Any, Any]]:
        for row, detail in self.taken(self.main, "members", "members"):
            expected = convert.member(self.mapping, row)
            expected["level"] = detail.get("level", expected["level"])
            expected["status"] = convert.state(self.mapping, "members", row)[0]
            actual = find(self.main, "members.get", {name: expected[name] for name in ("org_id", "account_id")})
            yield f"{expected['org_id']}/{expected['account_id']}", expected, actual and {name: actual[name] for name in expected}

    def api_keys(self) -> Iterator[tuple[str, Any, Any]]:
        for row, _ in self.taken(self.main, "api_keys", "api_keys"):
            converted, over = convert.api_key(self.mapping, row, self.run.now)
            expected = {**converted.members, "revoked": over}
            hash = expected.pop("hash")
            found = self.main.execute("SELECT id FROM brant_api_keys WHERE kid = ?", (f"legacy-{hash[:16]}",)).rows
            actual = find(self.main, "api_keys.get", {"id": found[0][0]}) if found else None
            if actual is not None:
                actual["revoked"] = actual["revoked_at"] is not None
                expected["scopes"] = self.smallest(expected["scopes"])
            yield str(row["id"]), expected, actual and {name: actual[name] for name in expected}

    @staticmethod
    def smallest(scopes: list[str]) -> list[str]:
        """Scopes as they are shown: none that another covers."""

        def covers(one: str, other: str) -> bool:
            return one != other and all(a in ("*", b) for a, b in zip(one.split(":"), other.split(":")))

        return sorted(scope for scope in scopes if not any(covers(one, scope) for one in scopes))

    def audit(self) -> Iterator[tuple[str, Any, Any]]:
        log = self.audit_rows()
        for row, _ in self.taken(self.main, "audit", "audit"):
            members = convert.audit(self.mapping, row).members
            expected = {name: members.get(name) for name in ("action", "resource", "org_id")}
            expected["former"] = members["detail"]["former"]
            found = next(log, None)
            yield str(row["id"]), expected, found and {**{name: found[name] for name in ("action", "resource", "org_id")}, "former": found["detail"]["former"]}

    def audit_rows(self) -> Iterator[dict[str, Any]]:
        prefix = self.mapping.table("audit")["action_prefix"]
        after = 0
        while True:
            page = self.main.call("audit.list", {"after": after, "limit": 1000})
            yield from (row for row in page["items"] if row["action"].startswith(prefix) and "former" in row["detail"])
            if "next" not in page:
                return
            after = page["next"]

    def graphs(self) -> Iterator[tuple[str, Any, Any]]:
        for row, _ in self.taken(self.main, "graphs", "graphs"):
            plan = self.run.graphs[str(row["id"])]
            assert plan.graph_type is not None
            status = convert.state(self.mapping, "graphs", row)[0]
            owner = None if row.get("owner_id") is None else self.mapping.uuid("accounts", row["owner_id"])
            expected = {"name": plan.name, "graph_type": plan.graph_type.name, "status": status, "owner_id": owner, "migrated": row["id"]}
            actual = find(self.run.target.file(plan.org), "graphs.get", {"name": plan.name})
            if actual is not None:
                actual["migrated"] = actual["metadata"].get("migrated", {}).get("id")
            yield plan.name, expected, actual and {name: actual[name] for name in expected}

    def items(self, part: str) -> None:
        report = self.reports[part]
        kind = part[:-1]
        should, does = hashlib.sha256(), hashlib.sha256()
        for id, begin, end, _ in self.run.ranges(part):
            plan = self.run.graphs.get(id)
            name = f"{part}:{id}"
            file = self.main
            if not file.execute("SELECT 1 FROM migration_progress WHERE part = ?", (name,)).rows and plan is not None:
                file = self.run.target.file(plan.org)
            if self.counts(report, file, name) and plan is not None and plan.graph_type is not None:
                self.compare(report, self.graph_items(file, plan, kind, name, part, begin, end), should, does)
        self.end(report, should, does)

    def graph_items(self, file: Database, plan: Any, kind: str, name: str, part: str, begin: int, end: int) -> Iterator[tuple[str, Any, Any]]:
        key_of = self.run_key(plan)
        encrypted = None
        status = None
        undirected = False
        for row, _ in self.taken(file, name, part, begin, end):
            if encrypted is None:
                encrypted = self.run.encrypted(file, plan.graph_type)
                status = file.call("graphs.get", {"name": plan.name})["status"]
                undirected = file.call("graph_types.get", {"name": plan.graph_type.name})["config"]["directed"] != "directed"
            expected = convert.item(plan.graph_type, kind, row, key_of)
            Import.reopen(file, plan.name, kind, expected, encrypted)
            sealed = [one for one in encrypted.get(f"{kind}:{expected.get('type')}", ())]
            key = expected["key"] if "key" in expected else self.derived(expected)
            if status == "deleted":  # nothing of it can be read: that the rows are there is all that is told
                yield key, {}, {} if self.hidden(file, plan.name, part, key) else None
                continue
            if "key" not in expected and find(file, "edges.get", {"graph": plan.name, "key": key}) is None:
                key = self.turned(expected)
            actual = find(file, f"{part}.get", {"graph": plan.name, "key": key})
            if actual is not None:
                if undirected and kind == "edge" and actual["source"] == expected["target"]:  # they are stored in the order of bytes
                    actual["source"], actual["target"] = actual["target"], actual["source"]
                for pointer in sealed:
                    self.unseal(file, plan.name, part, key, actual["attributes"], pointer)
                actual = {name: actual.get(name) for name in expected}
            yield key, expected, actual

    @staticmethod
    def derived(edge: dict[str, Any]) -> str:
        """The key of an edge that was given none: the text of its ends and type."""
        way = [edge["source"], edge.get("type"), edge["target"]]
        return json.dumps(way, ensure_ascii=False, separators=(",", ":"))

    def turned(self, edge: dict[str, Any]) -> str:
        """Of an undirected one the ends are in the order of bytes."""
        return self.derived({**edge, "source": edge["target"], "target": edge["source"]})

    @staticmethod
    def hidden(file: Database, graph: str, part: str, key: str) -> bool:
        """Has a graph that is marked deleted this node, or any edge?"""
        where = "key = ?" if part == "nodes" else "(key = ? OR key IS NULL)"
        return bool(file.execute(f"SELECT 1 FROM {part} WHERE graph = (SELECT row_id FROM graphs WHERE name = ?) AND {where} LIMIT 1", (graph, key)).rows)

    @staticmethod
    def unseal(file: Database, graph: str, part: str, key: str, attributes: dict[str, Any], pointer: str) -> None:
        """Put the value of an encrypted attribute in the envelope's place, to compare it."""
        segments = [segment.replace("~1", "/").replace("~0", "~") for segment in pointer.split("/")[1:]]
        place: Any = attributes
        for segment in segments[:-1]:
            place = place.get(segment) if isinstance(place, dict) else None
        if isinstance(place, dict) and segments[-1] in place:
            place[segments[-1]] = file.call(f"{part}.open_secret", {"graph": graph, "key": key, "path": f"attributes{pointer}"})["value"]

    def run_key(self, plan: Any) -> Any:
        return key_maker(self.mapping, plan.graph_type)

    def stream(self, name: str) -> None:
        part = f"stream:{name}"
        report = self.reports[part]
        rule = self.mapping.stream(name)
        if rule is None:
            return
        file, why = self.run.stream_file(rule)
        if why:
            report.problems.append(why)
            return
        if not self.counts(report, file, part):
            return
        base = file.execute("SELECT base FROM migration_progress WHERE part = ?", (part,)).rows[0][0]
        notes = self.notes(file, part)
        stream = rule["stream"].replace("{name}", name)
        should, does = hashlib.sha256(), hashlib.sha256()
        events = self.events(file, stream, base)

        def pairs() -> Iterator[tuple[str, Any, Any]]:
            for number, row in enumerate(self.folder.rows(part), 1):
                found = next(events, None)
                if number in notes:
                    continue
                expected = {"offset": base + number, **convert.event(rule, row)}
                yield row["id"], expected, found and {name: found.get(name) for name in expected}

        self.compare(report, pairs(), should, does)
        self.end(report, should, does)
        groups = f"groups:{name}"
        if groups in self.reports and self.counts(self.reports[groups], file, groups):
            offsets = self.run.offsets(name, base)
            noted = self.notes(file, groups)
            for number, row in enumerate(self.folder.rows(groups), 1):
                if noted.get(number, ("",))[0] == "rejected":
                    continue
                pending = [offsets[f"={id}"] for id, _, _ in row["pending"] if f"={id}" in offsets]
                known = find(file, "consumers.get", {"stream": stream, "consumer": row["name"]})
                self.reports[groups].target += known is not None
                expected = min(pending, default=offsets[row["last"]] + 1) - 1
                if known is None or known["offset"] < expected:
                    self.reports[groups].problems.append(f"group {row['name']}: {'is not there' if known is None else 'stands too early'}")

    @staticmethod
    def events(file: Database, stream: str, after: int) -> Iterator[dict[str, Any]]:
        while find(file, "streams.get", {"stream": stream}) is not None:
            page = file.call("streams.read", {"stream": stream, "after": after, "limit": 1000})
            yield from page["items"]
            if "next" not in page:
                return
            after = page["next"]


def verify(
    path: str,
    target: str | None = None,
    *,
    hub: bool | None = None,
    ring: str | None = None,
    mapping: Mapping | None = None,
    postgres: str | None = None,
    redis: str | None = None,
    progress: Progress = lambda *_: None,
) -> list[PartReport]:
    """Verify an export's folder, against its source where `postgres` or `redis` name one, and against `target` where that is named. A report a part; all is well where each is `ok`."""
    folder = Folder(path)
    mapping = mapping or restored(folder.manifest["mapping"])
    reports = {name: PartReport(name) for name in folder.parts}
    for name, report in reports.items():
        report.folder, digest = folder.check(name)
        if digest != folder.parts[name].get("sha256"):
            report.problems.append("the folder's file is not what was exported: its checksum is another")
        progress(name, report.folder, report.folder)
    if not folder.manifest["done"]:
        raise MigrationError(f"{path}: its export has not ended; run it again")
    source_checks(folder, mapping, reports, postgres, redis)
    if target is not None:
        goal = Target(target, hub, ring, mode="rw")
        try:
            checks = Verify(Import(folder, goal, mapping, progress), reports)
            for name in folder.parts:
                if name in ("accounts", "organizations", "members", "api_keys", "audit", "graphs"):
                    checks.table(name)
                elif name in ("nodes", "edges"):
                    checks.items(name)
                elif name.startswith("stream:"):
                    checks.stream(name.partition(":")[2])
        finally:
            goal.close()
    return list(reports.values())
