"""The store: LangGraph's long-term memory as rows of brant's file, with times to live and exact semantic search.

A namespace is its labels with periods between them, which no label has, so that everything below one lies together in the index. SQLite has no index of vectors: a semantic
search compares the query with every vector below its namespace prefix. It reads them in pages and holds a page and the best so far, so memory is bounded and the answer is exact; the time
grows with the number of vectors (bindings/python/README.md has figures). Give searches a namespace prefix that is as narrow as it can be.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import logging
import math
import operator
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
    validate_op_namespace,
)

from .._json import encode
from ..errors import Limit
from ._opening import Opened, Path, handle
from ._sealing import Sealing
from ._tables import STORE, parsed, set_up

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from typing_extensions import Self

    from ..database import Database

log = logging.getLogger("brant")

Names = tuple[str, ...]

PAGE = 500  # items that a filtered search reads at a time
VECTORS = 4 << 20  # bytes of vectors that a semantic search reads at a time
NAMESPACES = 1000
SWEPT = 1000  # items that a sweep deletes in a transaction
MINUTE = 60_000

_COLUMNS = "namespace, key, type, value, created_at, updated_at, ttl"
_GET = f"SELECT {_COLUMNS} FROM langgraph_items WHERE namespace = ?1 AND key = ?2 AND (?3 IS NULL OR expires_at IS NULL OR expires_at > ?3)"
_REFRESH = "UPDATE langgraph_items SET expires_at = ?3 + CAST(ttl * 60000 AS INTEGER) WHERE namespace = ?1 AND key = ?2 AND ttl IS NOT NULL"
_PUT = """INSERT INTO langgraph_items (namespace, key, type, value, created_at, updated_at, ttl, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)
    ON CONFLICT DO UPDATE SET type = excluded.type, value = excluded.value, updated_at = excluded.updated_at, ttl = excluded.ttl, expires_at = excluded.expires_at"""
_DELETE = "DELETE FROM langgraph_items WHERE namespace = ? AND key = ?"
_DELETE_VECTORS = "DELETE FROM langgraph_vectors WHERE namespace = ? AND key = ?"
_PUT_VECTOR = "INSERT INTO langgraph_vectors (namespace, key, path, type, vector) VALUES (?, ?, ?, ?, ?)"

# Each namespace once, by a seek for each: {below} narrows, ?1 is where to go on.
_NAMESPACES = """WITH RECURSIVE n (namespace) AS (
        SELECT min(namespace) FROM langgraph_items WHERE namespace > :after {below}
        UNION ALL
        SELECT (SELECT min(namespace) FROM langgraph_items WHERE namespace > n.namespace {below}) FROM n WHERE n.namespace IS NOT NULL LIMIT :limit)
    SELECT namespace FROM n WHERE namespace IS NOT NULL"""
_ALIVE = "SELECT EXISTS (SELECT 1 FROM langgraph_items WHERE namespace = ? AND (expires_at IS NULL OR expires_at > ?))"

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq, "$ne": operator.ne, "$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le,
}  # fmt: skip

Distance = Literal["cosine", "l2", "inner_product"]


class BrantStore(BaseStore):
    """A LangGraph store over an open `brant.Database`: ``builder.compile(store=BrantStore(db))``; sync and async, any thread, any number of processes.

    A batch is one transaction: its gets, searches and listings see what was there before it, then its puts are written, of several to one key the last. Inside ``with
    db.transaction():``, by the thread or task that began it, it is part of that.

    `index`: have texts embedded and search by meaning, ``{"dims": 384, "embed": function, "fields": ["text"]}``, as of LangGraph's other stores; ``"distance_type"`` is "cosine"
    (default), "inner_product" or "l2", of which scores are the negated distance. Search is exact. `ttl`: ``{"default_ttl": minutes, "refresh_on_read": True, "omit_expired": False,
    "sweep_interval_minutes": 5}``; expired items are removed by `sweep_ttl`, or by ``start_ttl_sweeper()``, which ``with store:`` does when there is an interval.

    `seal`: store values and vectors as envelopes by the key ring of `db`, each bound to its item. Namespaces, keys and times stay readable; filters then open each item that
    they look at.

    Filters compare members of the value by name: ``{"status": "open", "score": {"$gte": 0.5}}``, with $eq, $ne, $gt, $gte, $lt and $lte; an object inside one is compared
    by the members it names. What cannot be compared (a text with a number, a member that is not there) does not match. Without a query the newest come first.
    """

    supports_ttl = True

    __slots__ = ("_database", "_sealing", "_stopped", "_sweeper", "embeddings", "index_config", "ttl_config")

    def __init__(
        self, database: Database, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None, seal: bool = False
    ) -> None:
        self._database = handle(database, BrantStore)
        self._sealing = Sealing(database, seal)
        self._sweeper: threading.Thread | None = None
        self._stopped = threading.Event()
        self.ttl_config = ttl
        self.index_config: dict[str, Any] | None = None
        self.embeddings: Embeddings | None = None
        if index is not None:
            made = cast("dict[str, Any]", dict(index))
            if not isinstance(made.get("dims"), int) or made["dims"] < 1:
                raise ValueError("an index says how many dimensions its vectors have: index={'dims': 384, 'embed': ...}")
            if made.get("distance_type", "cosine") not in ("cosine", "l2", "inner_product"):
                raise ValueError(f"no distance_type {made['distance_type']!r}: it is 'cosine', 'l2' or 'inner_product'")
            made["fields"] = list(made.get("fields") or made.get("text_fields") or ["$"])  # the latter as LangGraph's SqliteStore has it
            self.embeddings = ensure_embeddings(made.get("embed"))
            self.index_config = made
        if database._mode != "ro":
            set_up(database, "store", STORE)

    @classmethod
    def from_conn_string(cls, path: Path, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None, **options: Any) -> Opened[Self]:
        """One on a file of its own: as `BrantSaver.from_conn_string`. It is entered: where `ttl` has an interval, the sweeper runs."""
        return Opened(lambda database: cls(database, index=index, ttl=ttl), path, options)

    def __repr__(self) -> str:
        return f"<brant.langgraph.BrantStore on {self._database!r}{' sealing' if self._sealing.on else ''}>"

    # ---- batches --------------------------------------------------------------------------------------------------------------

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        ops = list(ops)
        puts = self._puts(ops)
        queries, texts = self._to_embed(ops, puts)
        vectors: dict[str, Sequence[float]] = {}
        asked: dict[str, Sequence[float]] = {}
        if self.embeddings is not None:
            if texts:
                vectors.update(zip(texts, self.embeddings.embed_documents(texts), strict=True))
            asked.update((query, self.embeddings.embed_query(query)) for query in queries)
        return self._run(self._database, ops, puts, asked, vectors)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        ops = list(ops)
        puts = self._puts(ops)
        queries, texts = self._to_embed(ops, puts)
        vectors: dict[str, Sequence[float]] = {}
        asked: dict[str, Sequence[float]] = {}
        if self.embeddings is not None:
            if texts:
                vectors.update(zip(texts, await self.embeddings.aembed_documents(texts), strict=True))
            if queries:
                found = await asyncio.gather(*(self.embeddings.aembed_query(query) for query in queries))
                asked.update(zip(queries, found))
        if self._database._owns():
            return self._run(self._database, ops, puts, asked, vectors)
        return await asyncio.to_thread(self._run, self._database._beside("thread"), ops, puts, asked, vectors)

    def _puts(self, ops: Sequence[Op]) -> dict[tuple[Names, str], PutOp]:
        """Those that are to be done, by what they are of; and a check of all."""
        puts: dict[tuple[Names, str], PutOp] = {}
        for op in ops:
            validate_op_namespace(op)
            if isinstance(op, PutOp):
                puts.pop((op.namespace, op.key), None)
                puts[op.namespace, op.key] = op
            elif not isinstance(op, (GetOp, SearchOp, ListNamespacesOp)):
                raise ValueError(f"Unknown operation type: {type(op)}")
        return puts

    def _to_embed(self, ops: Sequence[Op], puts: dict[tuple[Names, str], PutOp]) -> tuple[list[str], list[str]]:
        """The queries and the texts whose vectors are needed, each once."""
        if self.index_config is None:
            return [], []
        queries = dict.fromkeys(op.query for op in ops if isinstance(op, SearchOp) and op.query)
        return list(queries), list(dict.fromkeys(text for op in puts.values() for _, text in self._texts(op)))

    def _texts(self, op: PutOp) -> Iterator[tuple[str, str]]:
        """What of an item is embedded, by the path of each text."""
        if op.value is None or op.index is False or self.index_config is None:
            return
        for path in self.index_config["fields"] if op.index is None else op.index:
            texts = get_text_at_path(op.value, path if path == "$" else tokenize_path(path))
            for n, text in enumerate(texts):
                yield path if len(texts) == 1 else f"{path}.{n}", text

    def _run(
        self,
        database: Database,
        ops: Sequence[Op],
        puts: dict[tuple[Names, str], PutOp],
        queries: dict[str, Sequence[float]],
        vectors: dict[str, Sequence[float]],
    ) -> list[Result]:
        now = time.time_ns() // 1_000_000
        refreshing = any(isinstance(op, (GetOp, SearchOp)) and op.refresh_ttl for op in ops)
        if not puts and not (refreshing and self._has_ttl(database)):
            if len(ops) == 1 or database._owns():
                return [self._read(database, op, queries, now, False) for op in ops]
            with database.transaction("read"):
                return [self._read(database, op, queries, now, False) for op in ops]
        with database.transaction():
            results = [None if isinstance(op, PutOp) else self._read(database, op, queries, now, True) for op in ops]
            for op in puts.values():
                self._put(database, op, vectors, now)
            return results

    def _has_ttl(self, database: Database) -> bool:
        """Is there anything that expires? Then a read writes."""
        return database._mode != "ro" and bool(database.execute("SELECT 1 FROM langgraph_items WHERE expires_at IS NOT NULL LIMIT 1").rows)

    def _read(self, database: Database, op: Op, queries: dict[str, Sequence[float]], now: int, refresh: bool) -> Result:
        if isinstance(op, GetOp):
            rows = database.execute(_GET, [".".join(op.namespace), op.key, self._omitted(now)]).rows
            if rows and refresh and op.refresh_ttl:
                self._refresh(database, rows, now)
            return self._item(rows[0]) if rows else None
        if isinstance(op, SearchOp):
            vector = queries.get(op.query) if op.query else None
            found = self._plain(database, op, now) if vector is None else self._semantic(database, op, vector, now)
            if refresh and op.refresh_ttl:
                self._refresh(database, [row for row, _ in found], now)
            return [self._search_item(row, score) for row, score in found]
        assert isinstance(op, ListNamespacesOp)
        return self._namespaces(database, op, now)

    def _omitted(self, now: int) -> int | None:
        """The time at which what has expired is passed over; None: it is not."""
        return now if self.ttl_config and self.ttl_config.get("omit_expired", False) else None

    def _refresh(self, database: Database, rows: Iterable[tuple[Any, ...]], now: int) -> None:
        for namespace, key, *_, ttl in rows:
            if ttl is not None:
                database.execute(_REFRESH, [namespace, key, now])

    # ---- items ----------------------------------------------------------------------------------------------------------------

    def _put(self, database: Database, op: PutOp, vectors: dict[str, Sequence[float]], now: int) -> None:
        namespace = ".".join(op.namespace)
        if self.index_config is not None or op.value is None:
            database.execute(_DELETE_VECTORS, [namespace, op.key])
        if op.value is None:
            database.execute(_DELETE, [namespace, op.key])
            return
        kind, data = self._sealing.seal(("json", encode(op.value).encode()), "item", namespace, op.key)
        expires = None if op.ttl is None else now + int(op.ttl * MINUTE)
        database.execute(_PUT, [namespace, op.key, kind, data.decode(), now, op.ttl, expires])
        for path, text in dict(self._texts(op)).items():
            vector = self._packed(vectors[text])
            kind, data = self._sealing.seal(("float32", vector), "vector", namespace, op.key, path)
            database.execute(_PUT_VECTOR, [namespace, op.key, path, kind, data])

    def _value(self, row: tuple[Any, ...]) -> dict[str, Any]:
        namespace, key, kind, value, *_ = row
        if kind == "json" and not self._sealing.on:
            return cast("dict[str, Any]", parsed(value))
        return cast("dict[str, Any]", parsed(self._sealing.open((kind, value.encode()), "item", namespace, key)[1].decode()))

    def _item(self, row: tuple[Any, ...]) -> Item:
        namespace, key, _, _, created, updated, _ = row
        return Item(
            value=self._value(row), key=key, namespace=tuple(namespace.split(".")), created_at=_moment(created), updated_at=_moment(updated)
        )

    def _search_item(self, row: tuple[Any, ...], score: float | None) -> SearchItem:
        namespace, key, _, _, created, updated, _ = row
        return SearchItem(tuple(namespace.split(".")), key, self._value(row), _moment(created), _moment(updated), score)

    # ---- searching ------------------------------------------------------------------------------------------------------------

    def _below(self, names: Names, now: int, filter: dict[str, Any] | None, table: str = "langgraph_items.") -> tuple[str, dict[str, Any]]:
        """What narrows a search in SQL: the namespace, the time, and of the filter what SQLite answers alike."""
        conditions: list[str] = []
        parameters: dict[str, Any] = {}
        if names:
            conditions.append(f"({table}namespace = :ns OR ({table}namespace > :low AND {table}namespace < :high))")
            joined = ".".join(names)
            parameters |= {"ns": joined, "low": joined + ".", "high": joined + "/"}  # "/" comes after "."
        if (omitted := self._omitted(now)) is not None:
            conditions.append(f"({table}expires_at IS NULL OR {table}expires_at > :now)")
            parameters["now"] = omitted
        if filter and not self._sealing.on:
            for n, (name, wanted) in enumerate(filter.items()):
                if isinstance(wanted, str) and "." not in name:
                    conditions.append(f"EXISTS (SELECT 1 FROM json_each({table}value) AS f WHERE f.key = :name{n} AND f.value = :value{n})")
                    parameters |= {f"name{n}": name, f"value{n}": wanted}
        return " AND ".join(conditions) or "1", parameters

    def _plain(self, database: Database, op: SearchOp, now: int) -> list[tuple[tuple[Any, ...], None]]:
        """The newest that match."""
        condition, parameters = self._below(op.namespace_prefix, now, op.filter)
        order = "ORDER BY updated_at DESC, namespace, key LIMIT :limit"
        if not op.filter and op.limit <= PAGE:
            bounds = {"limit": max(0, op.limit), "offset": max(0, op.offset)}
            # The rows are chosen without their values, which a sort would carry along.
            chosen = f"SELECT rowid FROM langgraph_items WHERE {condition} {order} OFFSET :offset"
            try:
                rows = database.execute(
                    f"SELECT {_COLUMNS} FROM langgraph_items WHERE rowid IN ({chosen}) ORDER BY updated_at DESC, namespace, key", parameters | bounds
                ).rows
                return [(row, None) for row in rows]
            except Limit:  # together they are longer than an answer may be: read in parts
                pass
        found = self._matching(database, condition, parameters, op.filter or {})
        return [(row, None) for row in itertools.islice(found, max(0, op.offset), max(0, op.offset) + max(0, op.limit))]

    def _matching(
        self, database: Database, condition: str, parameters: dict[str, Any], filter: dict[str, Any]
    ) -> Iterator[tuple[Any, ...]]:
        after = "(updated_at < :time OR updated_at = :time AND (namespace, key) > (:name, :key))"
        last: dict[str, Any] = {}
        size = PAGE
        while True:
            more = f" AND {after}" if last else ""
            statement = f"SELECT {_COLUMNS} FROM langgraph_items WHERE {condition}{more} ORDER BY updated_at DESC, namespace, key LIMIT {size}"
            try:
                rows = database.execute(statement, parameters | last).rows
            except Limit:
                if size == 1:
                    raise
                size = max(1, size // 4)
                continue
            for row in rows:
                if not filter or matches(self._value(row), filter):
                    yield row
            if len(rows) < size:
                return
            last = {"time": rows[-1][5], "name": rows[-1][0], "key": rows[-1][1]}

    def _semantic(
        self, database: Database, op: SearchOp, query: Sequence[float], now: int
    ) -> list[tuple[tuple[Any, ...], float | None]]:
        """The best by meaning: each item counts by its best vector. Where vectors are too few, items without any follow."""
        assert self.index_config is not None
        wanted = max(0, op.offset) + max(0, op.limit)
        compare = comparison(self._checked(query), self.index_config.get("distance_type", "cosine"))
        best: list[tuple[float, int, tuple[str, str]]] = []  # the worst first
        order = itertools.count(0, -1)  # of equals the first
        for key, pages in itertools.groupby(self._scores(database, op, compare, now), key=lambda scored: scored[0]):
            score = max(score for _, score in pages)
            entry = (score, next(order), key)
            if len(best) < wanted:
                heapq.heappush(best, entry)
            elif best and entry > best[0]:
                heapq.heapreplace(best, entry)
        ranked = sorted(best, reverse=True)
        chosen: list[tuple[tuple[Any, ...], float | None]] = []
        for score, _, key in ranked[max(0, op.offset) :]:
            chosen += [(row, score) for row in database.execute(_GET, [*key, None]).rows]
        if len(ranked) < wanted:  # these are all that have any
            first = max(0, op.offset - len(ranked))
            rest = itertools.islice(self._without_vectors(database, op, now), first, first + max(0, op.limit) - len(chosen))
            chosen += [(row, None) for row in rest]
        return chosen

    def _scores(
        self, database: Database, op: SearchOp, compare: Callable[[list[bytes]], list[float]], now: int
    ) -> Iterator[tuple[tuple[str, str], float]]:
        """The score of every vector below the prefix whose item matches, those of an item together."""
        assert self.index_config is not None
        condition, parameters = self._below(op.namespace_prefix, now, op.filter, "i.")
        size = self.index_config["dims"] * 4
        columns = "i.namespace, i.key, i.type, i.value, i.created_at, i.updated_at, i.ttl" if op.filter else "i.namespace, i.key, '', '', 0, 0, NULL"
        limit = max(1, VECTORS // (size * (3 if self._sealing.on else 1)))
        last: dict[str, Any] = {}
        known: dict[tuple[str, str], bool] = {}  # whether the item at hand matches
        while True:
            more = " AND (v.namespace, v.key, v.path) > (:lastns, :lastkey, :lastpath)" if last else ""
            rows = database.execute(
                f"SELECT v.path, v.type, v.vector, {columns} FROM langgraph_vectors AS v JOIN langgraph_items AS i ON i.namespace = v.namespace AND i.key = v.key "
                f"WHERE {condition.replace('i.namespace', 'v.namespace')}{more} ORDER BY v.namespace, v.key, v.path LIMIT {limit}",
                parameters | last,
            ).rows
            keys: list[tuple[str, str]] = []
            vectors: list[bytes] = []
            for path, kind, vector, *row in rows:
                key = (row[0], row[1])
                if op.filter:
                    if key not in known:
                        known = {key: matches(self._value(tuple(row)), op.filter)}
                    if not known[key]:
                        continue
                data = self._sealing.open((kind, vector), "vector", *key, path)[1]
                if len(data) == size:  # of another model's index otherwise
                    keys.append(key)
                    vectors.append(data)
            yield from zip(keys, compare(vectors))
            if len(rows) < limit:
                return
            last = {"lastns": rows[-1][3], "lastkey": rows[-1][4], "lastpath": rows[-1][0]}

    def _without_vectors(self, database: Database, op: SearchOp, now: int) -> Iterator[tuple[Any, ...]]:
        condition, parameters = self._below(op.namespace_prefix, now, op.filter)
        condition += " AND NOT EXISTS (SELECT 1 FROM langgraph_vectors AS v WHERE v.namespace = langgraph_items.namespace AND v.key = langgraph_items.key)"
        return self._matching(database, condition, parameters, op.filter or {})

    def _checked(self, vector: Sequence[float]) -> Sequence[float]:
        assert self.index_config is not None
        if len(vector) != self.index_config["dims"]:
            raise ValueError(f"the embedding has {len(vector)} dimensions, the index {self.index_config['dims']}")
        return vector

    def _packed(self, vector: Sequence[float]) -> bytes:
        packed = array("f", self._checked(vector))
        if sys.byteorder == "big":
            packed.byteswap()
        return packed.tobytes()

    # ---- namespaces -------------------------------------------------------------------------------------------------------------

    def _namespaces(self, database: Database, op: ListNamespacesOp, now: int) -> list[Names]:
        conditions = op.match_conditions or ()
        prefix: Names = ()
        for condition in conditions:
            if condition.match_type == "prefix":
                fixed = tuple(itertools.takewhile(lambda label: label != "*", condition.path))
                prefix = max(prefix, fixed, key=len)
        found: dict[Names, None] = {}
        wanted = max(0, op.offset) + max(0, op.limit)
        for names in self._all_namespaces(database, prefix, now):
            if all(_namespace_matches(condition, names) for condition in conditions):
                found[names if op.max_depth is None else names[: op.max_depth]] = None
        return sorted(found)[max(0, op.offset) : wanted]

    def _all_namespaces(self, database: Database, prefix: Names, now: int) -> Iterator[Names]:
        joined = ".".join(prefix)
        omitted = self._omitted(now)
        below = "AND namespace < :high" if prefix else ""
        parameters = {"high": joined + "/"} if prefix else {}
        if prefix:
            alone = "SELECT 1 FROM langgraph_items WHERE namespace = ? LIMIT 1"
            if database.execute(alone, [joined]).rows and self._alive(database, joined, omitted):
                yield prefix
        after = joined + "." if prefix else ""
        while True:
            rows = database.execute(_NAMESPACES.format(below=below), {**parameters, "after": after, "limit": NAMESPACES}).rows
            for (namespace,) in rows:
                if self._alive(database, namespace, omitted):
                    yield tuple(namespace.split("."))
            if len(rows) < NAMESPACES - 1:
                return
            after = rows[-1][0]

    def _alive(self, database: Database, namespace: str, omitted: int | None) -> bool:
        return omitted is None or bool(database.execute(_ALIVE, [namespace, omitted]).rows[0][0])

    # ---- times to live ----------------------------------------------------------------------------------------------------------

    def sweep_ttl(self) -> int:
        """Delete what has expired; returns how many. Some at a time, so that others write meanwhile."""
        return self._sweep(self._database)

    async def asweep_ttl(self) -> int:
        """As `sweep_ttl`, for a task."""
        return await asyncio.to_thread(self._sweep, self._database._beside("thread"))

    def _sweep(self, database: Database) -> int:
        swept = 0
        while True:
            now = time.time_ns() // 1_000_000
            with database.transaction():
                rows = database.execute(
                    "SELECT namespace, key FROM langgraph_items WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", [now, SWEPT]
                ).rows
                which = "(namespace, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
                for table in ("langgraph_vectors", "langgraph_items") if rows else ():
                    database.execute(f"DELETE FROM {table} WHERE {which}", [json.dumps(rows, ensure_ascii=False)])
            swept += len(rows)
            if len(rows) < SWEPT:
                return swept

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> None:
        """Sweep each so many minutes (those of `ttl`, or 5), in a thread, until `stop_ttl_sweeper` or the end of ``with store:``."""
        if self._sweeper is not None and self._sweeper.is_alive():
            return
        minutes = sweep_interval_minutes or (self.ttl_config or {}).get("sweep_interval_minutes") or 5
        self._stopped = stopped = threading.Event()

        def run() -> None:
            while not stopped.wait(minutes * 60):
                if self._database.closed:
                    return
                try:
                    self._sweep(self._database._beside("thread"))
                except Exception as error:
                    log.warning("%r: a sweep failed, it is tried again: %s", self, error)

        self._sweeper = threading.Thread(target=run, name="brant-langgraph-sweeper", daemon=True)
        self._sweeper.start()

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the sweeper; True: it has ended within `timeout` seconds."""
        sweeper, self._sweeper = self._sweeper, None
        self._stopped.set()
        if sweeper is None:
            return True
        sweeper.join(timeout)
        return not sweeper.is_alive()

    def __enter__(self) -> Self:
        if self.ttl_config and self.ttl_config.get("sweep_interval_minutes"):
            self.start_ttl_sweeper()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop_ttl_sweeper()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.stop_ttl_sweeper)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def matches(value: Any, filter: dict[str, Any]) -> bool:
    """Has this value the members that the filter asks for?"""
    return all(_compares(_member(value, name), wanted) for name, wanted in filter.items())


def _member(value: Any, name: str) -> Any:
    """A member by its name, or if there is none of that name by a path ("author.name")."""
    if name in value or "." not in name:
        return value.get(name)
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _compares(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        if any(isinstance(name, str) and name.startswith("$") for name in wanted):
            return all(_applies(found, name, operand) for name, operand in wanted.items())
        return isinstance(found, dict) and all(_compares(found.get(name), inner) for name, inner in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_compares, found, wanted))
    if isinstance(found, bool) != isinstance(wanted, bool):
        return False
    return bool(found == wanted)


def _applies(found: Any, name: str, operand: Any) -> bool:
    compare = _OPERATORS.get(name)
    if compare is None:
        raise ValueError(f"Unsupported operator: {name}")
    if name == "$eq":
        return _compares(found, operand)
    if name == "$ne":
        return not _compares(found, operand)
    if isinstance(found, str) and isinstance(operand, (int, float)) or isinstance(found, (int, float)) and isinstance(operand, str):
        try:
            return compare(float(found), float(operand))  # "10" as a number, as LangGraph's other stores have it
        except ValueError:
            return False
    try:
        return bool(compare(found, operand))
    except TypeError:
        return False


def _namespace_matches(condition: MatchCondition, names: Names) -> bool:
    path = condition.path
    if len(names) < len(path):
        return False
    if condition.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {condition.match_type}")
    part = names[: len(path)] if condition.match_type == "prefix" else names[len(names) - len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(part, path))


def comparison(query: Sequence[float], distance: Distance) -> Callable[[list[bytes]], list[float]]:
    """What scores vectors, packed as float32, against a query; more is nearer. By numpy where it is installed."""
    try:
        import numpy
    except ModuleNotFoundError:
        return _comparison(list(query), distance)
    own = numpy.asarray(query, dtype=numpy.float64)
    norm = float(numpy.linalg.norm(own))

    def compare(vectors: list[bytes]) -> list[float]:
        if not vectors:
            return []
        matrix = numpy.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1).astype(numpy.float64)
        if distance == "l2":
            return cast("list[float]", (-numpy.linalg.norm(matrix - own, axis=1)).tolist())
        products = matrix @ own
        if distance == "cosine":
            norms = numpy.linalg.norm(matrix, axis=1) * norm
            products = numpy.divide(products, norms, out=numpy.zeros_like(products), where=norms > 0)
        return cast("list[float]", products.tolist())

    return compare


def _comparison(query: list[float], distance: Distance) -> Callable[[list[bytes]], list[float]]:
    norm = math.sqrt(sum(map(operator.mul, query, query)))

    def score(data: bytes) -> float:
        vector = array("f", data)
        if sys.byteorder == "big":
            vector.byteswap()
        if distance == "l2":
            return -math.dist(query, vector)
        product: float = sum(map(operator.mul, query, vector))
        if distance == "cosine":
            norms = norm * math.sqrt(sum(map(operator.mul, vector, vector)))
            return float(product / norms) if norms > 0 else 0.0
        return product

    return lambda vectors: [score(data) for data in vectors]
