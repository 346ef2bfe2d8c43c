"""Import: an export's folder into a brant file, or into a hub with a tenant for each organization.

Each batch of rows is one transaction with the progress that it makes, in the user's table `migration_progress` of the very file it writes; `migration_notes` has a row for whatever was not taken over as it was. So an
import that was killed goes on behind its last commit, and no row is lost or comes twice. Both tables are what `verify` goes by, and can be dropped when the migration is over.

Order: the audit log's history first, then accounts, organizations, members, keys, graphs, streams; what suspends or deactivates comes last, since nothing can be added for who is not active.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..database import Database
from ..errors import BrantError
from . import convert
from .convert import GraphType, Rejected
from .errors import MigrationError
from .folder import Folder, Row
from .mapping import TABLES, Mapping, restored
from .source import Progress, entry_order, milliseconds
from .target import Target, find, pages

ROW_FAULTS = {"INVALID", "INVALID_JSON", "VALIDATION", "CONSTRAINT", "EXISTS", "NOT_FOUND", "CONFLICT", "DENIED", "LIMIT", "AUTH", "UNSUPPORTED"}
"""What says that a row is at fault; anything else ends the import, to be gone on with."""

ACTOR = {"reason": "migration"}
BATCH = 1000

@dataclass
class Outcome:
    """What became of a row that was not simply imported: "changed", "left_out" or "rejected"."""

    outcome: str
    code: str = ""
    message: str = ""
    detail: dict[str, Any] | None = None


Handler = Callable[[Database, list[tuple[int, Row]]], "list[Outcome | None]"]


@dataclass
class PlannedGraph:
    """Where a graph of the former deployment goes."""

    name: str
    org: str | None
    graph_type: GraphType | None
    row: Row
    rejected: Rejected | None = None
    changes: tuple[str, ...] = ()


def row_id(row: Row) -> str:
    for name in ("id", "key", "name"):
        if row.get(name) not in (None, ""):
            return str(row[name])[:500]
    return "/".join(str(row.get(name)) for name in ("org_id", "account_id", "source", "target") if row.get(name) is not None)[:500]


def plan_graphs(folder: Folder, mapping: Mapping, hub: bool) -> tuple[list[GraphType], dict[str, PlannedGraph]]:
    """The graph types, and each graph by its former id: the same at each run, since it looks at the export alone."""
    of_type: dict[str, tuple[list[Row], list[Row]]] = {}
    for at, part in enumerate(("node_types", "edge_types")):
        for row in folder.rows(part):
            of_type.setdefault(str(row["graph_type_id"]), ([], []))[at].append(row)
    types = [GraphType(mapping, row, *of_type.get(str(row["id"]), ([], []))) for row in folder.rows("graph_types")]
    by_id = {str(one.row["id"]): one for one in types} | {str(one.row["name"]): one for one in types}
    taken: set[tuple[str | None, str]] = set()
    graphs: dict[str, PlannedGraph] = {}
    for row in folder.rows("graphs"):
        id = str(row["id"])
        org = None if row.get("org_id") is None else mapping.uuid("organizations", row["org_id"])
        place = org if hub else None
        graph_type = by_id.get(str(row["graph_type_id"]))
        changes = []
        name = wanted = str(row.get("name") or id).replace("\0", "")
        if graph_type is not None and graph_type.name == "access" and (place, "access") not in taken:
            name = "access"  # where access.check looks
        elif (place, name) in taken:
            name = f"{name}-{id[:8]}" if (place, f"{name}-{id[:8]}") not in taken else f"{name}-{id}"
        name = name.encode()[:255].decode("utf-8", "ignore")
        if name != wanted:
            changes.append(f'name "{name}" in place of "{wanted[:100]}"')
        taken.add((place, name))
        rejected = None if graph_type else Rejected("NOT_FOUND", f"there is no graph type {row['graph_type_id']}")
        graphs[id] = PlannedGraph(name, place, graph_type, row, rejected, tuple(changes))
    return types, graphs


def key_maker(mapping: Mapping, graph_type: GraphType) -> Callable[[str], str]:
    """Keys of nodes; in access graphs those of accounts follow the accounts' ids."""
    if graph_type.name != "access":
        return lambda key: key
    return lambda key: f"account:{mapping.uuid('accounts', key[8:])}" if key.startswith("account:") else key


class Import:
    """One run over one folder and one target."""

    def __init__(self, folder: Folder, target: Target, mapping: Mapping, progress: Progress) -> None:
        self.folder = folder
        self.target = target
        self.mapping = mapping
        self.progress = progress
        self.source = folder.id
        self.now = int(folder.manifest.get("now") or 0) or _export_time(folder)
        target.prepare(target.main)
        self.types, self.graphs = plan_graphs(folder, mapping, target.hub is not None)
        self._owners: dict[str, str] | None = None
        self._encrypted: dict[tuple[int, str], dict[str, list[str]]] = {}

    # ---- the loop ---------------------------------------------------------------------------------------------------------

    def part(self, db: Database, part: str, source: str, handle: Handler, begin: int = 0, end: int | None = None, total: int | None = None, batch: int = BATCH, base: int = 0) -> None:
        """Import a part of the export, or a range of its bytes, in batches that each are a transaction with their progress."""
        found = db.execute("SELECT source, position, rows, done FROM migration_progress WHERE part = ?", (part,)).rows
        if found and found[0][0] != self.source:
            raise MigrationError(f"{self.target.path}: was begun from another export; import into a new file")
        if not found:
            db.execute("INSERT INTO migration_progress VALUES (?, ?, ?, 0, 0, 0, 0, 0, ?, 0)", (part, self.source, begin, base))
            found = [(self.source, begin, 0, 0)]
        _, position, number, done = found[0]
        lines = iter(()) if done or (end is not None and position >= end) else self.folder.lines(source, position, end)
        while not done:
            rows: list[tuple[int, Row]] = []
            for position, line in lines:
                number += 1
                rows.append((number, json.loads(line)))
                if len(rows) == batch:
                    break
            done = len(rows) < batch
            with db.transaction():
                outcomes = handle(db, rows) if rows else []
                counts = {"imported": 0, "changed": 0, "left_out": 0, "rejected": 0}
                for (at, row), outcome in zip(rows, outcomes):
                    counts["imported" if outcome is None or outcome.outcome == "changed" else outcome.outcome] += 1
                    if outcome is not None:
                        counts["changed"] += outcome.outcome == "changed"
                        detail = json.dumps(outcome.detail or {}, ensure_ascii=True)
                        db.execute(
                            "INSERT INTO migration_notes VALUES (?, ?, ?, ?, ?, ?, ?)",
                            (part, at, outcome.outcome, _clean(row_id(row)), outcome.code, _clean(outcome.message)[:2000], detail),
                        )
                db.execute(
                    "UPDATE migration_progress SET position = ?, rows = ?, imported = imported + ?, changed = changed + ?, left_out = left_out + ?, rejected = rejected + ?, done = ? WHERE part = ?",
                    (position, number, counts["imported"], counts["changed"], counts["left_out"], counts["rejected"], int(done), part),
                )
            self.progress(part, number, total)

    def each(self, one: Callable[[Database, Row], Outcome | None]) -> Handler:
        """A handler that does row by row, each in a savepoint."""

        def handle(db: Database, rows: list[tuple[int, Row]]) -> list[Outcome | None]:
            return [attempt(db, lambda row=row: one(db, row)) for _, row in rows]  # type: ignore[misc]

        return handle

    def table(self, part: str, one: Callable[[Database, Row], Outcome | None], named: str | None = None, batch: int = 200) -> None:
        if part in self.folder.parts:
            self.part(self.target.main, named or part, part, self.each(one), total=self.folder.parts[part]["rows"], batch=batch)

    # ---- identity ---------------------------------------------------------------------------------------------------------

    def audit(self, db: Database, row: Row) -> Outcome | None:
        converted = convert.audit(self.mapping, row)
        db.call("audit.append", converted.members)
        return _changed(converted.changes)

    def account(self, db: Database, row: Row) -> Outcome | None:
        converted = convert.account(self.mapping, row)
        try:
            with db.transaction():
                db.call("accounts.create", {**converted.members, "actor": ACTOR})
            return _changed(converted.changes)
        except BrantError as error:
            if error.code not in ("INVALID", "EXISTS") or find(db, "accounts.get", {"id": converted.members["id"]}):
                raise
            reason = "is another account's" if error.code == "EXISTS" else "is none that mail could be sent to"
        email = convert.stand_in(self.mapping, row)
        converted = convert.account(self.mapping, row, email)
        db.call("accounts.create", {**converted.members, "actor": ACTOR})
        return _changed([f'email "{email}" in place of "{row.get("email")}", which {reason}', *converted.changes], email=email)

    def owners(self) -> dict[str, str]:
        """An owner of each organization among its members, for those whose own is not there."""
        if self._owners is None:
            self._owners = {}
            ranks: dict[str, int] = {}
            for row in self.folder.rows("members"):
                try:
                    member = convert.member(self.mapping, row)
                except Rejected:
                    continue
                rank = {"owner": 2, "admin": 1}.get(member["level"], 0)
                if rank > ranks.get(member["org_id"], 0) and find(self.target.main, "accounts.get", {"id": member["account_id"]}):
                    ranks[member["org_id"]] = rank
                    self._owners[member["org_id"]] = member["account_id"]
        return self._owners

    def organization(self, db: Database, row: Row) -> Outcome | None:
        changes: list[str] = []
        detail: dict[str, Any] = {}
        converted = convert.organization(self.mapping, row)
        members = converted.members
        if members["owner_id"] is None or not find(db, "accounts.get", {"id": members["owner_id"]}):
            owner = self.owners().get(members["id"])
            if owner is None:
                raise Rejected("NOT_FOUND", "its owner is not there, and no member is an owner or admin")
            changes.append(f"owner {owner} in place of {row.get('owner_id')}, who is not there")
            detail["owner_id"] = owner
        if find(db, "organizations.get", {"slug": members["slug"]}):
            other = f"{members['slug'][:50].rstrip('-')}-{members['id'][:8]}"
            converted = convert.organization(self.mapping, row, other)
            detail["slug"] = other
        created = {**converted.members, **{name: detail[name] for name in ("owner_id",) if name in detail}}
        db.call("organizations.create", {**created, "actor": ACTOR})
        return _changed([*converted.changes, *changes], **detail)

    def member(self, db: Database, row: Row) -> Outcome | None:
        members = convert.member(self.mapping, row)
        named = {name: members[name] for name in ("org_id", "account_id")}
        known = find(db, "members.get", named)
        if known is None:
            db.call("members.add", {**members, "actor": ACTOR})
            return None
        if known["level"] == members["level"]:
            return None  # the owner, who came with the organization
        if known["level"] == "owner":
            return _changed([f"level owner in place of {members['level']}: it owns the organization"], level="owner")
        raise Rejected("EXISTS", f"the account is a member already, of level {known['level']}")

    def api_key(self, db: Database, row: Row) -> Outcome | None:
        converted, over = convert.api_key(self.mapping, row, self.now)
        key = db.call("api_keys.import", {**converted.members, "actor": ACTOR})
        if over:
            db.call("api_keys.revoke", {"id": key["id"], "actor": ACTOR})
        return _changed(converted.changes)

    # What suspends, after all else is there.

    def member_state(self, db: Database, row: Row) -> Outcome | None:
        try:
            members = convert.member(self.mapping, row)
        except Rejected:
            return Outcome("left_out", "NOT_FOUND", "it was not taken over")
        status, changes = convert.state(self.mapping, "members", row)
        if status == "suspended":
            named = {name: members[name] for name in ("org_id", "account_id")}
            if find(db, "members.get", named) is None:
                return Outcome("left_out", "NOT_FOUND", "it was not taken over")
            db.call("members.suspend", {**named, "actor": ACTOR})
        return _changed(changes)

    def account_state(self, db: Database, row: Row) -> Outcome | None:
        convert.deleted(row)
        id = self.mapping.uuid("accounts", row["id"])
        status, changes = convert.state(self.mapping, "accounts", row)
        if status == "active":
            return None
        if find(db, "accounts.get", {"id": id}) is None:
            return Outcome("left_out", "NOT_FOUND", "it was not taken over")
        try:
            with db.transaction():
                db.call("accounts.deactivate", {"id": id, "actor": ACTOR})
            return _changed(changes)
        except BrantError as error:
            if error.code != "CONSTRAINT":
                raise
        # The last active owner of organizations that are active: they are suspended with it, since neither may do more here than it did.
        suspended = []
        for member in pages(db, "members.list", {"filter": {"account_id": id, "level": "owner"}}):
            org = db.call("organizations.get", {"id": member["org_id"]})
            owners = [one for one in pages(db, "members.list", {"filter": {"org_id": org["id"], "level": "owner", "status": "active"}}) if one["account_id"] != id]
            if org["status"] == "active" and not any(db.call("accounts.get", {"id": one["account_id"]})["status"] == "active" for one in owners):
                db.call("organizations.suspend", {"id": org["id"], "actor": ACTOR})
                suspended.append(org["id"])
        db.call("accounts.deactivate", {"id": id, "actor": ACTOR})
        return _changed([*changes, f"organizations whose only active owner it was are suspended: {', '.join(suspended)}"], suspended=suspended)

    def organization_state(self, db: Database, row: Row) -> Outcome | None:
        convert.deleted(row)
        id = self.mapping.uuid("organizations", row["id"])
        status, changes = convert.state(self.mapping, "organizations", row)
        if status == "suspended":
            if find(db, "organizations.get", {"id": id}) is None:
                return Outcome("left_out", "NOT_FOUND", "it was not taken over")
            db.call("organizations.suspend", {"id": id, "actor": ACTOR})
        return _changed(changes)

    # ---- graphs -----------------------------------------------------------------------------------------------------------

    def graph(self, db: Database, row: Row) -> Outcome | None:
        plan = self.graphs[str(row["id"])]
        convert.deleted(row)
        if plan.rejected is not None or plan.graph_type is None:
            raise plan.rejected or Rejected("NOT_FOUND", "it has no graph type")
        if plan.org is not None and find(self.target.main, "organizations.get", {"id": plan.org}) is None:
            raise Rejected("NOT_FOUND", f"its organization {row['org_id']} was not taken over")
        changes = list(plan.changes)
        kept = {"id": row["id"]} | ({"name": row.get("name")} if plan.changes else {})
        members: dict[str, Any] = {"name": plan.name, "graph_type": plan.graph_type.name, "metadata": convert.metadata(row, kept, changes, None)}
        if row.get("owner_id") is not None:
            members["owner_id"] = self.mapping.uuid("accounts", row["owner_id"])
        if row.get("project_id") is not None:
            members["project_id"] = str(row["project_id"])
        file = self.target.file(plan.org)
        if not self.ours(file, plan):  # its file is another: it may be there from before a crash
            with file.transaction():
                self.define(file, plan.graph_type)
                file.call("graphs.create", members)
        return _changed(changes, graph=plan.name)

    @staticmethod
    def ours(file: Database, plan: PlannedGraph) -> bool:
        """Is the graph there, made of this row?"""
        known = find(file, "graphs.get", {"name": plan.name})
        return known is not None and known["metadata"].get("migrated", {}).get("id") == plan.row["id"]

    def define(self, file: Database, graph_type: GraphType) -> None:
        if graph_type.module is not None:
            scope = graph_type.scope if graph_type.scope in ("tenant", "user") else "tenant"
            file.call("graph_types.define", {"module": graph_type.module, "name": graph_type.name, "version": graph_type.version, "scope": scope})

    def graph_state(self, db: Database, row: Row) -> Outcome | None:
        convert.deleted(row)
        plan = self.graphs[str(row["id"])]
        status, changes = convert.state(self.mapping, "graphs", row)
        if status == "active":
            return None
        if plan.org is not None and find(self.target.main, "organizations.get", {"id": plan.org}) is None:
            return Outcome("left_out", "NOT_FOUND", "it was not taken over")
        file = self.target.file(plan.org)
        if not self.ours(file, plan):
            return Outcome("left_out", "NOT_FOUND", "it was not taken over")
        if file.call("graphs.get", {"name": plan.name})["status"] != status:
            file.call("graphs.delete" if status == "deleted" else "graphs.update", {"name": plan.name} | ({} if status == "deleted" else {"status": status}))
        return _changed(changes)

    def ranges(self, part: str) -> Iterator[tuple[str, int, int, int]]:
        """The bytes of each graph's rows in a part: (former id, begin, end, rows)."""
        graph: str | None = None
        begin = last = count = 0
        for offset, line in self.folder.lines(part):
            id = str(json.loads(line)["graph_id"])
            if id != graph:
                if graph is not None:
                    yield graph, begin, last, count
                graph, begin, count = id, last, 0
            last = offset
            count += 1
        if graph is not None:
            yield graph, begin, last, count

    def items(self, part: str) -> None:
        """Nodes, or edges, graph by graph, each in the file that has the graph."""
        kind = part[:-1]
        for id, begin, end, count in self.ranges(part):
            plan = self.graphs.get(id)
            file, why = self.target.main, ""
            if plan is None or plan.graph_type is None:
                why = "there is no such graph"
            elif plan.org is not None and find(self.target.main, "organizations.get", {"id": plan.org}) is None:
                why = "its organization was not taken over"
            else:
                file = self.target.file(plan.org)
                if not self.ours(file, plan):
                    file, why = self.target.main, "its graph was not taken over"

            def reject(db: Database, rows: list[tuple[int, Row]], why: str = why) -> list[Outcome | None]:
                return [Outcome("rejected", "NOT_FOUND", f"{why}: {row['graph_id']}") for _, row in rows]

            handle = reject if why or plan is None else self.writer(kind, plan)
            self.part(file, f"{part}:{id}", part, handle, begin, end, count)

    def writer(self, kind: str, plan: PlannedGraph) -> Handler:
        graph_type = plan.graph_type
        assert graph_type is not None
        key_of = key_maker(self.mapping, graph_type)
        operation = f"{kind}s.put_many"

        def handle(db: Database, rows: list[tuple[int, Row]]) -> list[Outcome | None]:
            outcomes: list[Outcome | None] = [None] * len(rows)
            items: list[tuple[int, dict[str, Any]]] = []
            encrypted = self.encrypted(db, graph_type)
            for at, (_, row) in enumerate(rows):
                try:
                    item = convert.item(graph_type, kind, row, key_of)
                    if graph_type.name == "access" and item.get("type") == "BelongsTo" and item["attributes"].get("derived"):
                        raise Rejected("DERIVED", "it follows from the members, and is made anew from them", left_out=True)
                    self.reopen(db, plan.name, kind, item, encrypted)
                    items.append((at, item))
                except Rejected as rejected:
                    outcomes[at] = Outcome("left_out" if rejected.left_out else "rejected", rejected.code, rejected.message)
                except BrantError as error:
                    if error.code not in ROW_FAULTS:
                        raise
                    outcomes[at] = Outcome("rejected", error.code, error.message)
            self.put(db, operation, plan.name, items, outcomes)
            return outcomes

        return handle

    def put(self, db: Database, operation: str, graph: str, items: list[tuple[int, dict[str, Any]]], outcomes: list[Outcome | None]) -> None:
        """Write items; those at fault get their outcome. An answer lists 100 faults: where there are more, by the hundred."""
        if not items:
            return
        fault: BrantError | None = None
        answer: dict[str, Any] = {"failed": 0, "items": []}
        point = db.transaction()
        point.begin()
        try:
            answer = db.call(operation, {"graph": graph, "errors": "skip", "items": [item for _, item in items]})
        except BrantError as error:
            if error.code not in ROW_FAULTS:
                point.rollback()
                raise
            fault = error
        if fault is None and answer["failed"] <= len(answer["items"]):
            point.commit()
            for one in answer["items"]:
                found = "; ".join(f"{violation['instance'] or '/'}: {violation['message']}" for violation in one.get("violations", [])[:3])
                outcomes[items[one["index"]][0]] = Outcome("rejected", one["code"], f"{one['message']}{': ' if found else ''}{found}")
            return
        point.rollback()
        if len(items) == 1:
            assert fault is not None
            outcomes[items[0][0]] = Outcome("rejected", fault.code, fault.message)
            return
        step = 100 if len(items) > 100 else (len(items) + 1) // 2
        for at in range(0, len(items), step):
            self.put(db, operation, graph, items[at : at + step], outcomes)

    def encrypted(self, db: Database, graph_type: GraphType) -> dict[str, list[str]]:
        """Pointers of the encrypted attributes of each type."""
        name = (id(db), graph_type.name)
        if name not in self._encrypted:
            module = db.call("graph_types.get", {"name": graph_type.name})["module"]
            types = db.call("modules.types", {"module": module})
            self._encrypted[name] = {f"{kind}:{one['name']}": one["encrypted"] for kind in ("node", "edge") for one in types[f"{kind}_types"] if one["encrypted"]}
        return self._encrypted[name]

    @staticmethod
    def reopen(db: Database, graph: str, kind: str, item: dict[str, Any], encrypted: dict[str, list[str]]) -> None:
        """Older envelopes where an encrypted attribute stands are opened; the write seals them anew."""
        for pointer in encrypted.get(f"{kind}:{item.get('type')}", ()):
            at, *way = [segment.replace("~1", "/").replace("~0", "~") for segment in reversed(pointer.split("/")[1:])]
            place: Any = item["attributes"]
            for segment in reversed(way):
                place = place.get(segment) if isinstance(place, dict) else None
            if isinstance(place, dict) and convert.older_envelope(place.get(at)):
                context = {"graph_id": graph, "kind": kind, "key": item.get("key", ""), "path": pointer}
                place[at] = db.call("envelopes.open", {"envelope": place[at], "context": context})["value"]

    # ---- streams ----------------------------------------------------------------------------------------------------------

    def stream_file(self, rule: dict[str, Any]) -> tuple[Database, str | None]:
        """The file that a stream goes to; or why it cannot."""
        if self.target.hub is None or not rule["org"]:
            return self.target.main, None
        named = {"id": self.mapping.uuid("organizations", rule["org"])}
        org = find(self.target.main, "organizations.get", named) or find(self.target.main, "organizations.get", {"slug": rule["org"]})
        if org is None:
            return self.target.main, f'there is no organization "{rule["org"]}"'
        return self.target.file(org["id"]), None

    def stream(self, name: str) -> None:
        rule = self.mapping.stream(name)
        if rule is None:
            return
        file, why = self.stream_file(rule)
        if why:
            raise self.mapping.fault("streams.org", why)
        stream = rule["stream"].replace("{name}", name)
        part = f"stream:{name}"
        known = find(file, "streams.get", {"stream": stream})

        def handle(db: Database, rows: list[tuple[int, Row]]) -> list[Outcome | None]:
            outcomes: list[Outcome | None] = [None] * len(rows)
            items = [convert.event(rule, row) for _, row in rows]
            if attempt(db, lambda: db.call("streams.publish_many", {"stream": stream, "items": items}) and None) is None:
                return outcomes
            for at, item in enumerate(items):
                outcomes[at] = attempt(db, lambda item=item: db.call("streams.publish", {"stream": stream, **item}) and None)  # type: ignore[misc]
                if outcomes[at] is not None:  # something stands at its offset, so that positions of consumers stay true
                    db.call("streams.publish", {"stream": stream, "key": rows[at][1]["id"], "payload": {"$left_out": "an entry that could not be taken over"}})
            return outcomes

        self.part(file, part, part, handle, total=self.folder.parts[part]["rows"], base=known["last"] if known else 0)
        if f"groups:{name}" in self.folder.parts:
            base = file.execute("SELECT base FROM migration_progress WHERE part = ?", (part,)).rows[0][0]
            offsets = self.offsets(name, base)
            self.part(file, f"groups:{name}", f"groups:{name}", self.each(lambda db, row: self.group(db, stream, row, base, offsets)), batch=1)

    def offsets(self, name: str, base: int) -> dict[str, int]:
        """The offset of each entry that a group speaks of: of its own, or of the last before it."""
        wanted = sorted({id for row in self.folder.rows(f"groups:{name}") for id in (row["last"], *(one[0] for one in row["pending"]))}, key=entry_order)
        order = [entry_order(id) for id in wanted]
        result = {id: base for id in wanted}
        exact: dict[str, int] = {}
        at = 0
        count = 0
        for count, row in enumerate(self.folder.rows(f"stream:{name}"), 1):
            here = entry_order(row["id"])
            stop = bisect.bisect_left(order, here, at)
            for index in range(at, stop):  # gone: the one before counts
                result.setdefault(wanted[index], base + count - 1)
                result[wanted[index]] = base + count - 1
            at = stop
            if at < len(order) and order[at] == here:
                result[wanted[at]] = exact[wanted[at]] = base + count
                at += 1
        for index in range(at, len(wanted)):
            result[wanted[index]] = base + count
        return {**result, **{f"={id}": offset for id, offset in exact.items()}}

    @staticmethod
    def group(db: Database, stream: str, row: Row, base: int, offsets: dict[str, int]) -> Outcome | None:
        """A group stands behind what it was given last; what was pending is handed out anew, all else up to there is acknowledged."""
        name = row["name"]
        if not isinstance(name, str):
            raise Rejected("INVALID", "its name is no UTF-8")
        if find(db, "streams.get", {"stream": stream}) is None:
            db.call("streams.configure", {"stream": stream})
        if find(db, "consumers.get", {"stream": stream, "consumer": name}) is not None:
            raise Rejected("EXISTS", "the stream has a group or consumer of that name")
        last = offsets[row["last"]]
        pending = {offsets[f"={id}"] for id, _, _ in row["pending"] if f"={id}" in offsets}
        first = min(pending, default=last + 1)
        member = "migration"
        begin = min(first - 1, last)
        held: list[dict[str, int]] = []
        group = {"stream": stream, "group": name}
        offset = begin
        if offset == last:  # nothing to hand out: it is only made, where it stands
            found = db.call("consumers.claim", {**group, "member": member, "limit": 1, "from": begin, "lease": 60000})
            held = [{"offset": one["offset"], "token": one["token"]} for one in found["items"]]
        while offset < last:
            found = db.call("consumers.claim", {**group, "member": member, "limit": min(1000, last - offset), "from": begin, "lease": 600000})
            if not found["items"]:
                break
            done: list[dict[str, int]] = []
            for one in found["items"]:
                offset = one["offset"]
                (held if offset in pending else done).append({"offset": offset, "token": one["token"]})
            if done:
                db.call("consumers.ack", {**group, "items": done})
        for at in range(0, len(held), 1000):
            db.call("consumers.release", {**group, "items": held[at : at + 1000]})
        lost = len(row["pending"]) - len(pending)
        return _changed([f"{lost} of its pending entries are in the stream no more"] if lost else [])

    # ---- all --------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        names = self.folder.parts
        self.table("audit", self.audit, batch=BATCH)
        self.table("accounts", self.account)
        self.table("organizations", self.organization)
        self.table("members", self.member)
        self.table("api_keys", self.api_key)
        for org in dict.fromkeys(plan.org for plan in self.graphs.values() if plan.org):  # a tenant's file cannot be made while the system file is being written
            if find(self.target.main, "organizations.get", {"id": org}) is not None:
                self.target.file(org)
        self.table("graphs", self.graph, batch=50)
        for part in ("nodes", "edges"):
            if part in names:
                self.items(part)
        for part in names:
            if part.startswith("stream:"):
                self.stream(part.partition(":")[2])
        self.table("graphs", self.graph_state, "graphs.status", batch=50)
        self.sync()
        self.target.release()
        self.table("organizations", self.organization_state, "organizations.status")
        self.table("members", self.member_state, "members.status")
        self.table("accounts", self.account_state, "accounts.status")
        self.sync()

    def sync(self) -> None:
        """Bring what access graphs derive from members into step."""
        if self.target.hub is not None:
            for _ in pages(self.target.main, "tenants.maintain", {}):
                pass
        elif find(self.target.main, "graphs.get", {"name": "access"}) is not None:
            self.target.main.call("access.sync", {})


def _export_time(folder: Folder) -> int:
    """What "expired" is judged by: the time of the export, the same at each run."""
    return milliseconds(str(folder.manifest.get("exported_at", ""))) or 0


def _clean(text: str) -> str:
    return text.replace("\0", "\\0").encode("utf-8", "replace").decode()


def _changed(changes: list[str], **detail: Any) -> Outcome | None:
    return Outcome("changed", "", "; ".join(changes), detail) if changes else None


def attempt(db: Database, one: Callable[[], Outcome | None]) -> Outcome | None:
    """Run it in a savepoint; a fault of the row is its outcome."""
    try:
        with db.transaction():
            return one()
    except Rejected as rejected:
        return Outcome("left_out" if rejected.left_out else "rejected", rejected.code, rejected.message)
    except BrantError as error:
        if error.code not in ROW_FAULTS:
            raise
        return Outcome("rejected", error.code, error.message)


def import_(path: str, target: str, *, hub: bool | None = None, ring: str | None = None, mapping: Mapping | None = None, progress: Progress = lambda *_: None) -> None:
    """Import an export's folder into a file, or a hub's folder (`hub`; left out: what is there says), or go on with an import. `ring`: the key ring's text; without one nothing of identity or the
    audit log can be taken over. `mapping`: in place of the one that the export was made with; only what is about values and types counts. Raises MigrationError, BrantError."""
    folder = Folder(path)
    if not folder.manifest["done"]:
        raise MigrationError(f"{path}: its export has not ended; run it again")
    mapping = mapping or restored(folder.manifest["mapping"])
    goal = Target(target, hub, ring)
    try:
        keys = goal.main.call("keyring.info", {})["keys"]
        if not any(key["purpose"] == "audit" and key["state"] == "active" for key in keys) and any(name in folder.parts for name in TABLES[:5]):
            raise MigrationError("accounts and the audit log need a key ring with an active audit key: --ring FILE")
        Import(folder, goal, mapping, progress).run()
    finally:
        goal.close()
