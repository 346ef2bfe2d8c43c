"""The former deployment, and its export: PostgreSQL's tables in one REPEATABLE READ snapshot, Redis' streams page by page.

Export goes on where it was killed. The new run has a snapshot of its own; so that the folder is of one state all the same, each table has a digest that the server computes over its rows. A table whose digest is
still that is kept as far as it was written; any other is read anew. Rows are read by server-side cursors, in an order that is total, so that "as far as it was written" is a number of rows.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .errors import MigrationError
from .folder import Folder, Row
from .mapping import ORDER, TABLES, Mapping

if TYPE_CHECKING:
    import psycopg
    import redis

PAGE = 2000
"""Rows that are fetched at a time."""

Progress = Callable[[str, int, "int | None"], None]
"""Told of a part, its rows so far, and how many there will be (None: not known)."""

_TIME = re.compile(r"(\d{4,})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?|Z)?( BC)?$")


class Source(Protocol):
    """What export and verify read."""

    def parts(self) -> list[str]:
        """The names of what is there."""

    def rows(self, part: str, skip: int = 0) -> Iterator[Row]:
        """The rows of one."""


def milliseconds(text: str) -> int | None:
    """ms of a timestamp as PostgreSQL and ISO 8601 write it (UTC where it has no zone); None: it is none, or infinite."""
    found = _TIME.match(text.strip())
    if not found or found.group(12):
        return None
    year, month, day = (int(found.group(n)) for n in (1, 2, 3))
    hour, minute, second = (int(found.group(n) or 0) for n in (4, 5, 6))
    fraction = int(((found.group(7) or "") + "000")[:3])
    try:
        days = datetime.date(year, month, day).toordinal() - 719163
    except ValueError:
        return None
    offset = int(found.group(9) or 0) * 3600 + int(found.group(10) or 0) * 60 + int(found.group(11) or 0)
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - (offset if found.group(8) != "-" else -offset)
    return seconds * 1000 + fraction


def plain(value: Any) -> Any:
    """A column's value as JSON: times are ms already, bytes {"$bytes": base64}, what JSON has no number for is text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else str(value)
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else str(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value)


# ---- PostgreSQL -------------------------------------------------------------------------------------------------------------


class Postgres:
    """One connection with one snapshot."""

    def __init__(self, conninfo: str, mapping: Mapping) -> None:
        try:
            import psycopg
        except ImportError:
            raise MigrationError("reading PostgreSQL needs psycopg: pip install 'brant[migration]'") from None
        self._psycopg = psycopg
        self._mapping = mapping
        try:
            self._connection: psycopg.Connection[Any] = psycopg.connect(conninfo, application_name="brant migration")
        except psycopg.Error as error:
            raise MigrationError(f"PostgreSQL: {' '.join(str(error).split()) or type(error).__name__}") from None
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True

        class Time(psycopg.adapt.Loader):
            """Infinite ones and those before Christ, which Python has not, are None."""

            def load(self, data: Any) -> int | None:
                return milliseconds(bytes(data).decode())

        for name in ("timestamp", "timestamptz", "date"):
            self._connection.adapters.register_loader(name, Time)
        with self._connection.cursor() as cursor:
            cursor.execute("SET LOCAL TimeZone = 'UTC'")
            cursor.execute("SET LOCAL DateStyle = 'ISO, YMD'")
            cursor.execute("SHOW server_version")
            row = cursor.fetchone()
            self.version = str(row[0]) if row else ""
        self._columns = {name: self._statement(name) for name in TABLES if mapping.enabled(name)}

    def _statement(self, name: str) -> Any:
        """The SELECT of a table, with the mapping's names held against what is there."""
        from psycopg import sql

        table = self._mapping.table(name)
        origin: sql.Composable
        if "query" in table and "table" not in table:
            where, origin = f"{name}.query", sql.SQL("(") + sql.SQL(table["query"].rstrip().rstrip(";")) + sql.SQL("\n) AS source")
        else:
            where, origin = f"{name}.table", sql.Identifier(*table["table"].split("."))
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(origin))
                there = [column.name for column in cursor.description or ()]
        except self._psycopg.Error as error:
            raise self._mapping.fault(where, f"PostgreSQL says: {str(error).strip().splitlines()[0]}") from None
        chosen = []
        for member, column in table["columns"].items():
            if column is False:
                continue
            if column not in there:
                raise self._mapping.fault(f"{name}.columns.{member}", f'there is no column "{column}"; there are: {", ".join(there)} (false: leave it out)')
            chosen.append((member, column))
        names = {member for member, _ in chosen}
        inner = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(sql.SQL("{} AS {}").format(sql.Identifier(column), sql.Identifier(member)) for member, column in chosen), origin
        )
        order = [member for member in ORDER.get(name, ("id",)) if member in names]
        # What is equal in all of these is put in order by its text.
        total = sql.SQL(", ").join([*(sql.SQL("t.{}").format(sql.Identifier(member)) for member in order), sql.SQL("md5(t::text)")])
        return inner, total

    def parts(self) -> list[str]:
        return list(self._columns)

    def digest(self, part: str) -> tuple[int, str]:
        """How many rows a table has, and what tells whether they are the same."""
        from psycopg import sql

        inner, _ = self._columns[part]
        with self._connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM ({}) AS t").format(inner))
            row = cursor.fetchone()
        assert row is not None
        return int(row[0]), str(row[1])

    def rows(self, part: str, skip: int = 0) -> Iterator[Row]:
        from psycopg import sql

        inner, total = self._columns[part]
        try:
            with self._connection.cursor(name=f"brant_{part}") as cursor:
                cursor.itersize = PAGE
                cursor.execute(sql.SQL("SELECT * FROM ({}) AS t ORDER BY {}").format(inner, total))
                names = [column.name for column in cursor.description or ()]
                if skip:
                    cursor.scroll(skip)
                for row in cursor:
                    yield {name: plain(value) for name, value in zip(names, row)}
        except self._psycopg.Error as error:
            raise MigrationError(f"PostgreSQL, {part}: {str(error).strip().splitlines()[0]}") from None

    def close(self) -> None:
        self._connection.close()


# ---- Redis ------------------------------------------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    """Redis' bytes as text, or {"$bytes": ..} where they are none."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"$bytes": base64.b64encode(value).decode()}
    return value


def entry_order(id: str) -> tuple[int, int]:
    """By which ids of entries follow each other: "1526919030474-55"."""
    time, _, number = id.partition("-")
    return int(time), int(number or 0)


class Redis:
    """The streams of a Redis that the mapping takes."""

    def __init__(self, url: str, mapping: Mapping) -> None:
        try:
            import redis
        except ImportError:
            raise MigrationError("reading Redis needs redis: pip install 'brant[migration]'") from None
        self._error = redis.RedisError
        try:
            self._client: redis.Redis = redis.Redis.from_url(url, decode_responses=False)
            # As they come: a dict would lose what an entry has twice.
            self._client.set_response_callback("XRANGE", lambda answer, **_: answer)
            info: Any = self._client.info("server")
        except (redis.RedisError, ValueError) as error:
            raise MigrationError(f"Redis: {error}") from None
        self.version = str(info.get("redis_version", ""))
        names = set()
        for found in self._client.scan_iter(count=1000, _type="stream"):
            name = _text(found)
            if not isinstance(name, str):
                raise MigrationError(f"Redis: the name of the stream {found!r} is no UTF-8")
            if mapping.stream(name) is not None:
                names.add(name)
        self._names = sorted(names)

    def parts(self) -> list[str]:
        return [f"{kind}:{name}" for name in self._names for kind in ("stream", "groups")]

    def state(self, name: str) -> tuple[int, str]:
        """How many entries a stream has, and the id of the last that it was given."""
        info: Any = self._client.xinfo_stream(name)
        return int(info["length"]), str(_text(info["last-generated-id"]))

    def entries(self, name: str, after: str | None, until: str) -> Iterator[Row]:
        """Entries behind one id up to another: {"id", "fields": [[name, value]..]}."""
        begin = "-" if after is None else f"({after}"
        while True:
            page: Any = self._client.xrange(name, begin, until, PAGE)
            for id, flat in page:
                begin = f"({id.decode()}"
                yield {"id": id.decode(), "fields": [[_text(flat[at]), _text(flat[at + 1])] for at in range(0, len(flat), 2)]}
            if len(page) < PAGE:
                return

    def groups(self, name: str) -> Iterator[Row]:
        """Consumer groups: {"name", "last", "pending": [[id, consumer, deliveries]..]}."""
        found: Any = self._client.xinfo_groups(name)
        for group in sorted(found, key=lambda one: bytes(one["name"])):
            pending: list[list[Any]] = []
            begin = "-"
            while True:
                page: Any = self._client.xpending_range(name, group["name"], min=begin, max="+", count=PAGE)
                for one in page:
                    id = _text(one["message_id"])
                    pending.append([id, _text(one["consumer"]), int(one["times_delivered"])])
                    begin = f"({id}"
                if len(page) < PAGE:
                    break
            yield {"name": _text(group["name"]), "last": _text(group["last-delivered-id"]), "pending": pending}

    def rows(self, part: str, skip: int = 0, after: str | None = None, until: str = "+") -> Iterator[Row]:
        kind, _, name = part.partition(":")
        try:
            yield from self.entries(name, after, until) if kind == "stream" else self.groups(name)
        except self._error as error:
            raise MigrationError(f"Redis, stream {name}: {error}") from None

    def close(self) -> None:
        self._client.close()


# ---- export -----------------------------------------------------------------------------------------------------------------


def part_file(part: str) -> str:
    kind, colon, name = part.partition(":")
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:16]}.ndjson" if colon else f"{part}.ndjson"


def _export_table(postgres: Postgres, folder: Folder, part: str, progress: Progress) -> None:
    count, digest = postgres.digest(part)
    known = folder.parts.get(part, {})
    same = known.get("digest") == digest and known.get("expected") == count
    if known.get("done") and same:
        progress(part, count, count)
        return
    writer = folder.writer(part, part_file(part))
    try:
        if not same:
            writer.restart()
            folder.parts[part] = {"digest": digest, "expected": count, "done": False}
            folder.save()
        for row in postgres.rows(part, writer.rows):
            writer.write(row)
            if writer.rows % PAGE == 0:
                progress(part, writer.rows, count)
        if writer.rows != count:
            raise MigrationError(f"{part}: {writer.rows} rows were written of {count}; delete the folder and export anew")
        writer.finish()
    finally:
        writer.close()
    progress(part, count, count)


def _export_stream(source: Redis, folder: Folder, name: str, progress: Progress) -> None:
    part = f"stream:{name}"
    if folder.parts.get(part, {}).get("done"):
        return
    count, last = source.state(name)
    writer = folder.writer(part, part_file(part))
    try:
        known = folder.parts.get(part)
        after = json.loads(writer.last)["id"] if writer.last else None
        if known is None or entry_order(last) < entry_order(known["until"]) or (after and entry_order(after) > entry_order(last)):
            writer.restart()
            after = None
            folder.parts[part] = {"until": last, "done": False}
            folder.save()
        until = folder.parts[part]["until"]
        for row in source.rows(part, after=after, until=until):
            writer.write(row)
            if writer.rows % PAGE == 0:
                progress(part, writer.rows, count)
        writer.finish()
    finally:
        writer.close()
    progress(part, writer.rows, writer.rows)


def _export_groups(source: Redis, folder: Folder, name: str, progress: Progress) -> None:
    part = f"groups:{name}"
    if folder.parts.get(part, {}).get("done"):
        return
    writer = folder.writer(part, part_file(part))
    try:
        writer.restart()  # short, and of one moment
        for row in source.rows(part):
            writer.write(row)
        writer.finish()
    finally:
        writer.close()
    progress(part, writer.rows, writer.rows)


def export(path: str, mapping: Mapping, postgres: str | None = None, redis: str | None = None, progress: Progress = lambda *_: None) -> Folder:
    """Export into a folder, or go on with an export that was ended before its end. `postgres`: a connection string; `redis`: a URL. Raises MigrationError."""
    if postgres is None and redis is None:
        raise MigrationError("nothing to export: neither PostgreSQL nor Redis is named")
    folder = Folder(path, create=True)
    try:
        before = folder.manifest.get("mapping")
        if before is not None and before != mapping.document:
            raise MigrationError(f"{path}: was begun with another mapping; export into another folder")
        if folder.manifest["done"]:
            return folder
        folder.manifest["mapping"] = mapping.document
        versions = folder.manifest.setdefault("source", {})
        if postgres is not None:
            tables = Postgres(postgres, mapping)
            try:
                versions["postgresql"] = tables.version
                folder.save()
                for part in tables.parts():
                    _export_table(tables, folder, part, progress)
            finally:
                tables.close()
        if redis is not None:
            streams = Redis(redis, mapping)
            try:
                versions["redis"] = streams.version
                folder.save()
                for part in streams.parts():
                    kind, _, name = part.partition(":")
                    (_export_stream if kind == "stream" else _export_groups)(streams, folder, name, progress)
            finally:
                streams.close()
        folder.manifest["done"] = True
        folder.manifest["exported_at"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        folder.save()
        return folder
    finally:
        folder.close()
