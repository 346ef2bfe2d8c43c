"""The checkpointer: LangGraph's checkpoints, channel values and pending writes as rows of brant's file.

A channel's value is stored once for each version of it, and checkpoints say which versions they have, so that a step writes what changed and nothing else. A checkpoint is read
by one statement, which sees one state of the file whatever other processes write meanwhile.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
    writes_sort_key,
)

from .. import _native
from .._json import encode
from ..errors import Limit
from ._opening import Opened, Path, handle
from ._sealing import MARK, Sealing
from ._tables import CHECKPOINTS, many, parsed, set_up

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from ..database import Database

R = TypeVar("R")
Place = tuple[str, str]  # thread_id, checkpoint_ns

PAGE = 50  # checkpoints that `list` reads at a time
RESEALED = 200  # payloads that `reseal` brings along in a transaction

_PUT_BLOBS = "INSERT INTO langgraph_blobs (thread_id, checkpoint_ns, channel, version, type, value) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_CHECKPOINT = """INSERT INTO langgraph_checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_id, run_id, versions, metadata, type, checkpoint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET parent_id = excluded.parent_id, run_id = excluded.run_id, versions = excluded.versions,
    metadata = excluded.metadata, type = excluded.type, checkpoint = excluded.checkpoint"""
_PUT_WRITES = """INSERT INTO langgraph_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO """
_REPLACE = "UPDATE SET task_path = excluded.task_path, channel = excluded.channel, type = excluded.type, value = excluded.value"

# Those of these channels' versions that are not stored: {channels} is {channel: version}.
_NOT_STORED = """FROM json_each({channels}) AS v WHERE NOT EXISTS (SELECT 1 FROM langgraph_blobs AS b
    WHERE b.thread_id = ?1 AND b.checkpoint_ns = ?2 AND b.channel = v.key AND b.version = v.value)"""
_MISSING = "SELECT v.key " + _NOT_STORED.format(channels="?3")
_PUT_AND_ASK = f"{_PUT_CHECKPOINT} RETURNING (SELECT json_group_array(v.key) {_NOT_STORED.format(channels='?10')})"

# What the chosen checkpoints are made of, in one statement: themselves (0), the values that they share (1), their pending writes (2). MATERIALIZED: they are chosen once. CROSS
# JOIN has SQLite look up what they name, by its index, instead of reading whole tables beside so few rows.
_READ = """WITH c AS MATERIALIZED (SELECT thread_id, checkpoint_ns, checkpoint_id, parent_id, versions, metadata, type, checkpoint
        FROM langgraph_checkpoints {where} ORDER BY checkpoint_id DESC, thread_id DESC, checkpoint_ns DESC LIMIT {limit})
    SELECT 0, thread_id, checkpoint_ns, checkpoint_id, parent_id, versions, metadata, 0, type, checkpoint FROM c
    UNION ALL
    SELECT 1, b.thread_id, b.checkpoint_ns, b.channel, b.version, NULL, NULL, 0, b.type, b.value
        FROM (SELECT DISTINCT c.thread_id, c.checkpoint_ns, v.key AS channel, v.value AS version FROM c, json_each(c.versions) AS v) AS n
        CROSS JOIN langgraph_blobs AS b ON b.thread_id = n.thread_id AND b.checkpoint_ns = n.checkpoint_ns AND b.channel = n.channel AND b.version = n.version
    UNION ALL
    SELECT 2, w.thread_id, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.task_path, w.channel, w.idx, w.type, w.value
        FROM c CROSS JOIN langgraph_writes AS w ON w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns AND w.checkpoint_id = c.checkpoint_id"""

_ONE_BLOB = "SELECT type, value FROM langgraph_blobs WHERE thread_id = ? AND checkpoint_ns = ? AND channel = ? AND version = ?"
_ONE_WRITE = "SELECT value FROM langgraph_writes WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ? AND task_id = ? AND idx = ?"
_ANCESTORS = """WITH RECURSIVE line (checkpoint_id, parent_id, versions, depth) AS (
        SELECT checkpoint_id, parent_id, versions, 0 FROM langgraph_checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3
        UNION ALL
        SELECT p.checkpoint_id, p.parent_id, p.versions, line.depth + 1 FROM line CROSS JOIN langgraph_checkpoints AS p
        ON p.thread_id = ?1 AND p.checkpoint_ns = ?2 AND p.checkpoint_id = line.parent_id WHERE line.depth < ?4)
    SELECT checkpoint_id, parent_id, (SELECT json_group_array(v.key) FROM json_each(line.versions) AS v CROSS JOIN langgraph_blobs AS b
        ON b.thread_id = ?1 AND b.checkpoint_ns = ?2 AND b.channel = v.key AND b.version = v.value WHERE v.key IN (SELECT value FROM json_each(?5))),
        versions FROM line ORDER BY depth"""
_WRITES_OF = """SELECT checkpoint_id, task_id, task_path, idx, channel, type, value FROM langgraph_writes
    WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id IN (SELECT value FROM json_each(?3)) AND channel IN (SELECT value FROM json_each(?4))"""

_UNUSED_BLOBS = """DELETE FROM langgraph_blobs WHERE thread_id = ?1 AND (checkpoint_ns, channel, version) NOT IN
    (SELECT c.checkpoint_ns, v.key, v.value FROM langgraph_checkpoints AS c, json_each(c.versions) AS v WHERE c.thread_id = ?1)"""
_UNUSED_WRITES = """DELETE FROM langgraph_writes WHERE thread_id = ?1 AND (checkpoint_ns, checkpoint_id) NOT IN
    (SELECT checkpoint_ns, checkpoint_id FROM langgraph_checkpoints WHERE thread_id = ?1)"""

# For each table: its name, what its payloads are, the columns beside the thread that a payload is bound to, the others, and the payload's.
_PAYLOADS = (
    ("langgraph_checkpoints", "checkpoint", ("checkpoint_ns", "checkpoint_id"), ("parent_id", "run_id", "versions", "metadata"), "checkpoint"),
    ("langgraph_blobs", "blob", ("checkpoint_ns", "channel", "version"), (), "value"),
    ("langgraph_writes", "write", ("checkpoint_ns", "checkpoint_id", "task_id", "idx"), ("task_path", "channel"), "value"),
)

STEP = 64  # ancestors that are read at a time


def _config(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns, "checkpoint_id": checkpoint_id}}


def _place(config: RunnableConfig) -> Place:
    configurable = config["configurable"]
    return str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))


class BrantSaver(BaseCheckpointSaver[str]):
    """A LangGraph checkpointer over an open `brant.Database`: ``builder.compile(checkpointer=BrantSaver(db))``.

    All methods, and the same ones with an ``a`` before their names for asyncio, which work in a thread on a handle of their own beside `db`, so that the loop goes on. Any thread and
    any number of processes may use one file, one thread_id too: a put is one transaction, and versions of channels of two processes never meet.

    Called inside ``with db.transaction():``, by the thread or task that began it, `put`, `put_writes` and what else writes (also `graph.update_state`) is part of it: it commits or
    rolls back with your rows, jobs and notifications. LangGraph saves the steps of `invoke` from threads of its own; do not hold a transaction around it.

    `seal`: store what LangGraph's serializer makes (checkpoints, channels' values, writes) as envelopes by the key ring of `db` (`Database.keyring`), each bound to its row. Metadata,
    names and ids stay readable: `list` filters by them. `serde`: another serializer. `channel`: have each `put` notify it, in its transaction, with
    ``{"thread_id", "checkpoint_ns", "checkpoint_id", "source", "step"}``.
    """

    def __init__(
        self, database: Database, *, serde: SerializerProtocol | None = None, seal: bool = False, channel: str | None = None
    ) -> None:
        super().__init__(serde=serde)
        self._database = handle(database, BrantSaver)
        self._sealing = Sealing(database, seal)
        self._channel = channel
        if database._mode != "ro":
            set_up(database, "checkpoints", CHECKPOINTS)

    @classmethod
    def from_conn_string(
        cls, path: Path, *, serde: SerializerProtocol | None = None, channel: str | None = None, **options: Any
    ) -> Opened[Self]:
        """One on a file of its own, as LangGraph's other checkpointers have it: ``with BrantSaver.from_conn_string("agent.db") as saver``, or ``async with``, opens the file
        (":memory:" too) with the `options` of `brant.open` and closes it. Where the rest of the program uses the file, and to seal, open it once and give its handle to `BrantSaver`."""
        return Opened(lambda database: cls(database, serde=serde, channel=channel), path, options)

    def __repr__(self) -> str:
        return f"<brant.langgraph.BrantSaver on {self._database!r}{' sealing' if self._sealing.on else ''}>"

    # ---- writing ------------------------------------------------------------------------------------------------------------

    def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        return self._put(self._database, config, checkpoint, metadata, new_versions)

    def _put(
        self, database: Database, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        thread_id, ns = _place(config)
        id = checkpoint["id"]
        values = checkpoint["channel_values"]
        versions = {channel: str(version) for channel, version in checkpoint["channel_versions"].items()}
        # What has no version has no blob: it stays in the checkpoint.
        document = {**checkpoint, "channel_values": {channel: value for channel, value in values.items() if channel not in versions}}
        document_type, document_bytes = self._sealing.seal(self.serde.dumps_typed(document), "checkpoint", thread_id, ns, id)
        told = get_serializable_checkpoint_metadata(config, metadata)
        run_id = told.get("run_id")
        fresh = [channel for channel in new_versions if channel in values and channel in versions]
        blobs = [self._blob(thread_id, ns, channel, versions[channel], values[channel]) for channel in fresh]
        older = {channel: version for channel, version in versions.items() if channel in values and channel not in new_versions}
        row = [
            thread_id, ns, id, config["configurable"].get("checkpoint_id"), None if run_id is None else str(run_id),
            encode(versions), encode(told), document_type, document_bytes,
        ]  # fmt: skip
        with database.transaction():
            if older:
                # The graph loaded them from here, so they are there, unless they were pruned meanwhile or come from another checkpointer.
                missing = parsed(database.execute(_PUT_AND_ASK, [*row, encode(older)]).scalar())
                blobs += [self._blob(thread_id, ns, channel, older[channel], values[channel]) for channel in missing]
            else:
                database.execute(_PUT_CHECKPOINT, row)
            for batch in many(_PUT_BLOBS, blobs):
                database._run(_native.brant_sql_run, batch)
            if self._channel is not None:
                names = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": id}
                database.notify(self._channel, {**names, "source": told.get("source"), "step": told.get("step")})
        return _config(thread_id, ns, id)

    def _blob(self, thread_id: str, ns: str, channel: str, version: str, value: Any) -> tuple[Any, ...]:
        sealed = self._sealing.seal(self.serde.dumps_typed(value), "blob", thread_id, ns, channel, version)
        return thread_id, ns, channel, version, *sealed

    def put_writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        self._put_writes(self._database, config, writes, task_id, task_path)

    def _put_writes(
        self, database: Database, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        thread_id, ns = _place(config)
        id = str(config["configurable"]["checkpoint_id"])
        # Special ones (an error, an interrupt) replace what the task said before; ordinary ones are written once.
        statement = _PUT_WRITES + (_REPLACE if all(channel in WRITES_IDX_MAP for channel, _ in writes) else "NOTHING")
        rows = []
        for n, (channel, value) in enumerate(writes):
            idx = WRITES_IDX_MAP.get(channel, n)
            sealed = self._sealing.seal(self.serde.dumps_typed(value), "write", thread_id, ns, id, task_id, str(idx))
            rows.append((thread_id, ns, id, task_id, idx, task_path, channel, *sealed))
        batches = many(statement, rows)
        with database.transaction() if len(batches) > 1 else nullcontext():
            for batch in batches:
                database._run(_native.brant_sql_run, batch)

    # ---- reading ------------------------------------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self._get(self._database, config)

    def _get(self, database: Database, config: RunnableConfig) -> CheckpointTuple | None:
        place = _place(config)
        where = "WHERE thread_id = ?1 AND checkpoint_ns = ?2"
        parameters: list[Any] = [*place]
        if id := get_checkpoint_id(config):
            where += " AND checkpoint_id = ?3"
            parameters.append(str(id))
        for found in self._read(database, where, parameters, 1):
            return found if not id else found._replace(config=config)
        return None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """The checkpoints that match, the newest first, read some at a time. `filter`: members of the metadata and their values."""
        for page in self._pages(config, filter, before, limit):
            yield from page(self._database)

    def _pages(
        self, config: RunnableConfig | None, filter: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None
    ) -> Iterator[Callable[[Database], Iterable[CheckpointTuple]]]:
        """What reads one page after the other; asked for the next only after the last was called."""
        conditions: builtins.list[str] = []
        parameters: builtins.list[Any] = []

        def where(condition: str, *values: Any) -> None:
            conditions.append(condition)
            parameters.extend(values)

        if config is not None:
            configurable = config.get("configurable") or {}
            if "thread_id" in configurable:
                where("thread_id = ?", str(configurable["thread_id"]))
            if configurable.get("checkpoint_ns") is not None:
                where("checkpoint_ns = ?", str(configurable["checkpoint_ns"]))
            if id := configurable.get("checkpoint_id"):
                where("checkpoint_id = ?", str(id))
        if before is not None and (id := get_checkpoint_id(before)):
            where("checkpoint_id < ?", str(id))
        for name, value in (filter or {}).items():
            if name == "run_id" and isinstance(value, str):
                where("run_id = ?", value)
            elif isinstance(value, (str, int, float)):
                where("EXISTS (SELECT 1 FROM json_each(metadata) AS m WHERE m.key = ? AND m.value = ?)", name, value)
        left = limit
        last: builtins.list[tuple[str, str, str]] = []

        def page(database: Database) -> builtins.list[CheckpointTuple]:
            after = "(checkpoint_id, thread_id, checkpoint_ns) < (?, ?, ?)"
            text = " AND ".join([*conditions, after] if last else conditions)
            size = PAGE if left is None else min(PAGE, max(left, 1))
            while True:
                try:
                    found = [*self._read(database, f"WHERE {text}" if text else "", [*parameters, *(last[0] if last else ())], size)]
                    break
                except Limit:  # together they are longer than an answer may be
                    if size == 1:
                        raise
                    size = max(1, size // 4)
            last.clear()
            if len(found) == size:
                end = found[-1].config["configurable"]
                last.append((end["checkpoint_id"], end["thread_id"], end["checkpoint_ns"]))
            kept = [one for one in found if not filter or all(one.metadata.get(name) == value for name, value in filter.items())]
            counts.append(len(kept))
            return kept if left is None else kept[:left]

        counts: list[int] = []
        while left is None or left > 0:
            yield page
            if left is not None:
                left -= min(left, counts[-1])
            if not last:
                return

    def _read(self, database: Database, where: str, parameters: builtins.list[Any], limit: int) -> Iterator[CheckpointTuple]:
        heads: builtins.list[tuple[Any, ...]] = []
        values: dict[tuple[str, str, str, str], tuple[str, bytes]] = {}
        writes: dict[tuple[str, str, str], builtins.list[tuple[Any, ...]]] = {}
        statement = _READ.format(where=where, limit=int(limit))
        try:
            rows = database.execute(statement, parameters).rows
        except Limit:
            if limit > 1:
                raise
            rows = self._apart(database, statement, parameters)
        for kind, thread_id, ns, third, fourth, fifth, sixth, idx, type_, payload in rows:
            if kind == 0:
                heads.append((thread_id, ns, third, fourth, fifth, sixth, type_, payload))
            elif kind == 1:
                values[thread_id, ns, third, fourth] = (type_, payload)
            else:
                writes.setdefault((thread_id, ns, third), []).append((fifth, fourth, idx, sixth, type_, payload))
        opened, loads = self._sealing.open, self.serde.loads_typed
        heads.sort(key=lambda head: (head[2], head[0], head[1]), reverse=True)
        for thread_id, ns, id, parent_id, versions, metadata, type_, payload in heads:
            checkpoint = cast("Checkpoint", loads(opened((type_, payload), "checkpoint", thread_id, ns, id)))
            channels = checkpoint["channel_values"]
            for channel, version in parsed(versions).items():
                blob = values.get((thread_id, ns, channel, version))
                if blob is not None:
                    channels[channel] = loads(opened(blob, "blob", thread_id, ns, channel, version))
            pending = [
                (task_id, channel, loads(opened((kind, data), "write", thread_id, ns, id, task_id, str(idx))))
                for _, task_id, idx, channel, kind, data in sorted(writes.get((thread_id, ns, id), ()), key=lambda write: writes_sort_key(*write[:3]))
            ]
            yield CheckpointTuple(
                config=_config(thread_id, ns, id),
                checkpoint=checkpoint,
                metadata=cast("CheckpointMetadata", json.loads(metadata)),
                parent_config=_config(thread_id, ns, parent_id) if parent_id else None,
                pending_writes=pending,
            )

    def _apart(self, database: Database, statement: str, parameters: builtins.list[Any]) -> builtins.list[tuple[Any, ...]]:
        """The rows of one checkpoint whose payloads together are longer than an answer may be: one payload after the other, of one state of the file."""
        rows: builtins.list[tuple[Any, ...]] = []
        with nullcontext() if database._owns() else database.transaction("read"):
            bare = statement.replace("b.type, b.value", "b.type, NULL").replace("w.type, w.value", "w.type, NULL")
            for row in database.execute(bare, parameters).rows:
                kind, thread_id, ns, third, fourth, _, _, idx, _, payload = row
                if kind == 1:
                    payload = database.execute(_ONE_BLOB, [thread_id, ns, third, fourth]).rows[0][1]
                elif kind == 2:
                    payload = database.execute(_ONE_WRITE, [thread_id, ns, third, fourth, idx]).rows[0][0]
                rows.append((*row[:-1], payload))
        return rows

    def get_delta_channel_history(self, *, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        """What a delta channel is rebuilt from: see `BaseCheckpointSaver`. Reads ancestors a few at a time, and of them the writes and values that are asked for, nothing else."""
        return self._history(self._database, config, channels)

    def _history(self, database: Database, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        thread_id, ns = _place(config)
        collected: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        seeds: dict[str, Any] = {}
        with nullcontext() if database._owns() else database.transaction("read"):
            id = get_checkpoint_id(config)
            if not id and channels:
                newest = "SELECT max(checkpoint_id) FROM langgraph_checkpoints WHERE thread_id = ? AND checkpoint_ns = ?"
                id = database.execute(newest, [thread_id, ns]).rows[0][0]
            remaining = set(channels)
            for ancestors in self._line(database, thread_id, ns, id, channels):
                writes: dict[str, builtins.list[tuple[Any, ...]]] = {}
                for own, *write in self._writes(database, thread_id, ns, [one[0] for one in ancestors], json.dumps(sorted(remaining))):
                    writes.setdefault(own, []).append(tuple(write))
                for own, stored, versions in ancestors:
                    found = sorted(writes.get(own, ()), key=lambda write: writes_sort_key(write[1], write[0], write[2]), reverse=True)
                    for task_id, _, idx, channel, type_, payload in found:
                        if channel in remaining:
                            opened = self._sealing.open((type_, payload), "write", thread_id, ns, own, task_id, str(idx))
                            collected[channel].append((task_id, channel, self.serde.loads_typed(opened)))
                    for channel in remaining & set(stored):
                        payload = database.execute(_ONE_BLOB, [thread_id, ns, channel, versions[channel]]).rows[0]
                        opened = self._sealing.open(cast("tuple[str, bytes]", payload), "blob", thread_id, ns, channel, versions[channel])
                        seeds[channel] = self.serde.loads_typed(opened)
                        remaining.discard(channel)
                if not remaining:
                    break
        history: dict[str, DeltaChannelHistory] = {}
        for channel in channels:
            history[channel] = {"writes": collected[channel][::-1]}
            if channel in seeds:
                history[channel]["seed"] = seeds[channel]
        return history

    def _writes(self, database: Database, thread_id: str, ns: str, ids: builtins.list[str], channels: str) -> builtins.list[tuple[Any, ...]]:
        """The writes of these checkpoints to these channels, in as many parts as an answer's length asks for."""
        try:
            return database.execute(_WRITES_OF, [thread_id, ns, json.dumps(ids), channels]).rows
        except Limit:
            if len(ids) == 1:
                raise
        half = len(ids) // 2
        return self._writes(database, thread_id, ns, ids[:half], channels) + self._writes(database, thread_id, ns, ids[half:], channels)

    def _line(
        self, database: Database, thread_id: str, ns: str, id: str | None, channels: Sequence[str]
    ) -> Iterator[builtins.list[tuple[str, builtins.list[str], dict[str, str]]]]:
        """The ancestors of a checkpoint, the nearest first, some at a time: its id, those of the channels that have a value there, the versions."""
        names = json.dumps([*channels])
        while id is not None:
            rows = database.execute(_ANCESTORS, [thread_id, ns, id, STEP, names]).rows
            if len(rows) > 1:
                yield [(own, parsed(stored), parsed(versions)) for own, _, stored, versions in rows[1:]]
            id = rows[-1][0] if len(rows) > STEP else None

    # ---- threads and runs -----------------------------------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        self._delete_thread(self._database, str(thread_id))

    def _delete_thread(self, database: Database, thread_id: str) -> None:
        with database.transaction():
            for table, *_ in _PAYLOADS:
                database.execute(f"DELETE FROM {table} WHERE thread_id = ?", [thread_id])

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that these runs made, with what only they had. See `BaseCheckpointSaver` about delta channels."""
        self._delete_for_runs(self._database, run_ids)

    def _delete_for_runs(self, database: Database, run_ids: Sequence[str]) -> None:
        runs = json.dumps([str(run_id) for run_id in run_ids])
        with database.transaction():
            which = "run_id IN (SELECT value FROM json_each(?))"
            threads = database.execute(f"SELECT DISTINCT thread_id FROM langgraph_checkpoints WHERE {which}", [runs]).rows
            database.execute(f"DELETE FROM langgraph_checkpoints WHERE {which}", [runs])
            for (thread_id,) in threads:
                self._tidy(database, thread_id)

    def _tidy(self, database: Database, thread_id: str) -> None:
        """Remove what no checkpoint of the thread has any more."""
        database.execute(_UNUSED_WRITES, [thread_id])
        database.execute(_UNUSED_BLOBS, [thread_id])

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints of a thread, in all namespaces, with their values and writes. What is sealed is sealed anew for its new place."""
        self._copy_thread(self._database, str(source_thread_id), str(target_thread_id))

    def _copy_thread(self, database: Database, source: str, target: str) -> None:
        if source == target:
            return
        with database.transaction():
            for table, kind, place, others, payload in _PAYLOADS:
                columns = ", ".join((*place, *others, "type", payload))
                copied = f"INSERT OR REPLACE INTO {table} (thread_id, {columns})"
                sealed = f"substr(type, -{len(MARK)}) = '{MARK}'"
                database.execute(f"{copied} SELECT ?, {columns} FROM {table} WHERE thread_id = ? AND NOT {sealed}", [target, source])
                at = 0
                while rows := database.execute(
                    f"SELECT rowid, {columns} FROM {table} WHERE thread_id = ? AND rowid > ? AND {sealed} ORDER BY rowid LIMIT 100", [source, at]
                ).rows:
                    at = rows[-1][0]
                    for _, *row in rows:
                        own = [str(part) for part in row[: len(place)]]
                        moved = self._sealing.reseal((row[-2], row[-1]), kind, source, *own, to=(kind, target, *own))
                        row[-2:] = moved or row[-2:]
                        database.execute(f"{copied} VALUES (?{', ?' * len(row)})", [target, *row])

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Have threads keep the newest checkpoint of each namespace ("keep_latest"), and what its delta channels are rebuilt from; or nothing ("delete")."""
        self._prune(self._database, thread_ids, strategy)

    def _prune(self, database: Database, thread_ids: Sequence[str], strategy: str) -> None:
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"no strategy {strategy!r}: it is 'keep_latest' or 'delete'")
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                self._delete_thread(database, thread_id)
                continue
            with database.transaction():
                newest = "SELECT checkpoint_ns, max(checkpoint_id) FROM langgraph_checkpoints WHERE thread_id = ? GROUP BY checkpoint_ns"
                kept = [[ns, id] for ns, id in database.execute(newest, [thread_id]).rows]
                for ns, id in [*kept]:
                    kept += [[ns, own] for own in self._needed(database, thread_id, ns, id)]
                which = "SELECT value ->> 0, value ->> 1 FROM json_each(?)"
                database.execute(
                    f"DELETE FROM langgraph_checkpoints WHERE thread_id = ? AND (checkpoint_ns, checkpoint_id) NOT IN ({which})",
                    [thread_id, json.dumps(kept)],
                )
                self._tidy(database, thread_id)

    def _needed(self, database: Database, thread_id: str, ns: str, id: str) -> builtins.list[str]:
        """The ancestors that delta channels of a checkpoint are rebuilt from: up to the nearest that has a value, or the first of all."""
        row = "SELECT metadata, versions FROM langgraph_checkpoints WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
        metadata, versions = database.execute(row, [thread_id, ns, id]).rows[0]
        delta = json.loads(metadata).get("counters_since_delta_snapshot") or {}
        own = {channel: version for channel, version in parsed(versions).items() if channel in delta}
        if not own:
            return []
        remaining = {channel for (channel,) in database.execute(_MISSING, [thread_id, ns, json.dumps(own, ensure_ascii=False)]).rows}
        needed: builtins.list[str] = []
        if remaining:
            for ancestors in self._line(database, thread_id, ns, id, sorted(remaining)):
                for ancestor, stored, _ in ancestors:
                    if remaining:
                        needed.append(ancestor)
                        remaining.difference_update(stored)
                if not remaining:
                    break
        return needed

    def reseal(self, *, progress: Callable[[int], object] | None = None) -> int:
        """Bring all payloads under the active key of the ring, and seal what was stored before `seal` was: after a change of keys, or to begin. Some hundred in a transaction, so
        that others write meanwhile; broken off, it begins again and passes over what is done. Returns how many were changed; `progress` is told so far."""
        changed = 0
        for table, kind, place, _, payload in _PAYLOADS:
            names = ", ".join(("thread_id", *place, "type", payload))
            at = 0
            while True:
                with self._database.transaction():
                    rows = self._database.execute(
                        f"SELECT rowid, {names} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {RESEALED}", [at]
                    ).rows
                    for rowid, *row in rows:
                        new = self._sealing.reseal((row[-2], row[-1]), kind, *map(str, row[:-2]))
                        if new is not None:
                            self._database.execute(f"UPDATE {table} SET type = ?, {payload} = ? WHERE rowid = ?", [*new, rowid])
                            changed += 1
                if not rows:
                    break
                at = rows[-1][0]
                if progress is not None:
                    progress(changed)
        return changed

    # ---- asyncio --------------------------------------------------------------------------------------------------------------

    async def _aside(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call with a handle: the caller's own where it has a transaction open, which this is to be part of; or else in a thread, on one beside it."""
        if self._database._owns():
            return function(self._database, *arguments)
        return await asyncio.to_thread(function, self._database._beside("thread"), *arguments)

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        return await self._aside(self._put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await self._aside(self._put_writes, config, writes, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._aside(self._get, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        for page in self._pages(config, filter, before, limit):
            for found in await self._aside(page):
                yield found

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        return await self._aside(self._history, config, channels)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._aside(self._delete_thread, str(thread_id))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._aside(self._delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._aside(self._copy_thread, str(source_thread_id), str(target_thread_id))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._aside(self._prune, thread_ids, strategy)

    # ---- versions -------------------------------------------------------------------------------------------------------------

    def get_next_version(self, current: str | None, channel: None) -> str:
        """One more, with something random behind it: two processes that go on from one checkpoint make different versions."""
        number = 0 if current is None else current if isinstance(current, int) else int(str(current).split(".")[0])
        return f"{number + 1:032}.{random.getrandbits(53):016x}"

