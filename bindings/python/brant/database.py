"""One connection to one file: opening, transactions, SQL, health, and the lock that lets any thread call."""

from __future__ import annotations

import logging
import math
import os
import random
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from . import _native
from ._clock import Seconds, deadline, milliseconds
from ._common import given, texts
from ._json import decode, encode, stored
from ._keeper import Keeper
from ._payload import body
from ._returns import Returns
from ._wakes import Family, Wakes
from .access import Access
from .audit import Audit
from .errors import BrantError, Busy, Closed, Misuse
from .events import Channels, Fan, Listener
from .calls import Calls
from .graph import Graph
from .graph_types import GraphTypes
from .graphs import Graphs
from .identity import Accounts, ApiKeys, Authenticated, Invitations, Members, Organizations, Token, authenticate
from .indexes import Indexes
from .jobs import Jobs
from .keys import Attached, Key, KeyFields, KeyRing, KeyRingInfo, RingFields, attach, keyring_info
from .locks import Lock, Locks
from .outbox import Outbox
from .queues import Queue, Queues
from .rate_limits import RateLimit, RateLimits
from .records import Copied, Health, Info, Limits, Operation, Result, health, known
from .results import Erased, Maintained, erased, maintained
from .schedules import Misfire, ScheduleOptions, Scheduler, Schedules
from .secrets import Envelopes, Secrets
from .streams import Stream, Streams
from .tasks import P, T, Task
from .typed import Types

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .queues import TaskOptions
    from .session import Identity, Session

R = TypeVar("R")
Input = TypeVar("Input")

log = logging.getLogger("brant")

DOCUMENT_LIMIT = 64 << 20
BATCH_LIMIT = 100_000
BUSY_TIMEOUT = 5.0
LOOP_PATIENCE = 5  # ms that a handle of a loop waits for another writer, before its task sleeps

_TRANSACTION = {
    "transaction.begin": _native.brant_transaction_begin,
    "transaction.commit": _native.brant_transaction_commit,
    "transaction.rollback": _native.brant_transaction_rollback,
}


def open(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    *,
    mode: Literal["create", "rw", "ro"] = "create",
    durability: Literal["normal", "full"] | None = None,
    role: Literal["single", "system", "tenant"] | None = None,
    busy_timeout: float | None = None,
    permissions: Literal["private", "group"] | None = None,
    adopt: bool | None = None,
    network: bool | None = None,
    system: bool | None = None,
    foreign_keys: bool | None = None,
    limits: Limits | None = None,
    cache: int | None = None,
) -> Database:
    """Open a file and bring it to this version's format.

    `mode`: "create" (default), "rw" (the file must exist) or "ro". `durability`: "normal" survives any crash of any process, a power cut
    may lose the last commits but never consistency; "full" survives power cuts. `role` is given to a new file and must match an existing
    one's. `busy_timeout`: seconds to wait for another writer (5). `permissions`: "private" (0600) or "group" (0660), for what this call
    creates. `adopt`: add brant's tables to an SQLite database that is not brant's yet. `network`: open on a network file system all the
    same. `system`: may change graph types of scope "system". `foreign_keys`: those of your own tables are enforced (else, as SQLite has it, not). `limits`: document (64 MiB), depth (512), key (1024), batch (100 000).
    `cache`: bytes of page cache. ":memory:" is a private database.

    Raises Invalid, NotFound (mode "rw" or "ro" and no file; no folder), NotBrant, NewerFormat, ForeignSqlite, NetworkFs, ReadOnly,
    Conflict (another role), Busy (another process is migrating).
    """
    options: dict[str, Any] = {
        "mode": mode,
        "durability": durability,
        "role": role,
        "busy_timeout": milliseconds(busy_timeout),
        "permissions": permissions,
        "adopt": adopt,
        "network": network,
        "system": system,
        "foreign_keys": foreign_keys,
        "limits": limits,
        "cache": cache,
    }
    given = {name: value for name, value in options.items() if value is not None}
    name = os.fspath(path)
    return Database(_native.brant_open(name, encode(given)), name, given)


def operations(namespace: str | None = None) -> list[Operation]:
    """Every operation as data, in order of name; those of one namespace ("nodes") if given."""
    text = encode({} if namespace is None else {"namespace": namespace})
    return cast("list[Operation]", decode(_native.brant_operation_list(None, text))["items"])


def version() -> str:
    """The version of the library."""
    return _native.brant_version()


def _caller() -> tuple[int, object]:
    """Who calls: the thread, and the asyncio task that runs in it."""
    asyncio = _modules.get("asyncio")
    # While another thread imports it, it is there and has nothing yet.
    running = getattr(asyncio, "_get_running_loop", None)
    if asyncio is None or running is None or running() is None:
        return threading.get_ident(), None
    return threading.get_ident(), asyncio.current_task()


_modules = sys.modules


class Transaction:
    """A transaction, or inside another one a savepoint: ``with db.transaction(): ...`` commits at the end, or rolls back on an exception.

    It belongs to the thread or asyncio task that began it. Calls of other threads on the same `Database` wait until it ends, for the busy
    timeout at most (Busy); calls of other tasks of the same thread raise Misuse, since waiting would stop their loop.
    `begin`, `commit` and `rollback` are there for code that cannot use ``with``.
    """

    __slots__ = ("_active", "_database", "_depth", "_mode", "_until")

    def __init__(self, database: Database, mode: str, until: int | None) -> None:
        self._database = database
        self._mode = mode
        self._until = until
        self._active = False
        self._depth = 0

    def __repr__(self) -> str:
        return f"<brant.Transaction {self._mode}{' active' if self._active else ''}>"

    def begin(self) -> Transaction:
        """Begin: "write" takes the write lock now (Busy), "read" fixes a snapshot."""
        self._database._transact("transaction.begin", encode({"mode": self._mode}), self._until)
        self._depth = len(self._database._turn.begun)
        self._active = True
        return self

    def commit(self) -> None:
        """Commit the innermost. Misuse: there is none, or SQLite took it back. After Busy it is still open: commit again, or roll back;
        after anything else roll back."""
        self._database._transact("transaction.commit")
        self._active = False

    def rollback(self) -> None:
        """Take back the innermost. Misuse: there is none."""
        self._active = False
        self._database._transact("transaction.rollback")

    def __enter__(self) -> Transaction:
        return self.begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._active:
            return
        if error is None:
            try:
                if self._deeper():
                    raise Misuse("a transaction that was begun inside is still open")
                self.commit()
                return
            except BaseException:
                self._abandon()
                raise
        self._abandon()

    def _deeper(self) -> bool:
        """Did somebody leave one open inside of this one? Then the innermost, which the library ends, is not ours."""
        return len(self._database._turn.begun) > self._depth and self._database._owns()

    def _abandon(self) -> None:
        """Roll back on behalf of an exception, which is the one to be seen."""
        try:
            while self._deeper():
                self._database._transact("transaction.rollback")
            self.rollback()
        except BrantError:
            pass


class Turn:
    """Who may call the library on one connection, which a handle and its sessions have in common: one at a time, the transaction's owner if there is a transaction."""

    __slots__ = ("begun", "ended", "family", "input", "lock", "owner")

    def __init__(self) -> None:
        self.family = Family()
        self.forget()

    def forget(self) -> None:
        """Also after a fork: a lock that another thread held there would never be released here."""
        # Reentrant: a signal handler may call in the middle of a call.
        self.lock = threading.RLock()
        self.ended = threading.Condition(self.lock)
        self.free()

    def free(self) -> None:
        """No transaction is open."""
        self.owner: tuple[int, object] | None = None
        self.input: str | bytes = "{}"  # of the begin of the open transaction
        self.begun: list[Database] = []  # by which handles the open transaction and its savepoints were

    def ours(self) -> bool:
        """Has this caller a transaction open?"""
        return self.owner is not None and self.owner == _caller()

    def holds_up(self) -> bool:
        """Does this caller's transaction hold up all other writers?"""
        text = self.input
        return self.ours() and decode(text if isinstance(text, str) else text.decode()).get("mode") != "read"

    def stands(self, depth: int, database: Database) -> None:
        """So many are open after a call on this handle."""
        if depth == 0:
            self.free()
            self.ended.notify_all()
        else:
            self.owner = self.owner or _caller()
            del self.begun[depth:]
            self.begun.extend([database] * (depth - len(self.begun)))


class Database:
    """A handle on a file, made by :func:`brant.open`; a context manager that closes.

    Any thread may call: calls are serialised, waits of listeners are not. One program that works in parallel opens one handle per thread.
    Use brant's own SQLite only: another one (Python's `sqlite3`) on the same file in the same process is refused with ForeignSqlite.
    """

    _above: Turn | None = None  # of a handle beside another one (`_beside`): that one's

    def __init__(self, handle: _native.Handle, path: str | bytes, options: dict[str, Any], turn: Turn | None = None) -> None:
        self._handle = handle
        self._path = os.fsdecode(path)
        self._mode = options["mode"]
        limits = options.get("limits") or {}
        self._document_limit: int = limits.get("document", DOCUMENT_LIMIT)
        self._batch_limit: int = limits.get("batch", BATCH_LIMIT)
        self._patience: float = options.get("busy_timeout", BUSY_TIMEOUT * 1000) / 1000
        self._closed = False
        self._ring: Attached | None = None
        self._turn = Turn() if turn is None else turn
        self._wakes = Wakes(handle, self._turn.family)
        self._guard = threading.Lock()
        self._memory = self._path == ":memory:"
        # For the handles beside this one: where the program goes meanwhile must not matter.
        self._place = path if self._memory else os.path.abspath(path)
        self._options = options
        self._besides: dict[str, Database] = {}
        self._sessions: weakref.WeakSet[Database] = weakref.WeakSet()
        self._keeper = Keeper()
        self._tasks: dict[str, dict[str, Task[Any, Any]]] = {}  # those that are registered, by queue and name
        _databases.add(self)

    @property
    def _lock(self) -> threading.RLock:
        return self._turn.lock

    @property
    def _owner(self) -> tuple[int, object] | None:
        return self._turn.owner

    def __repr__(self) -> str:
        return f"<brant.{type(self).__name__} {self._path!r} {self._mode}{' closed' if self._closed else ''}>"

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and getattr(self, "_above", None) is None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    # ---- calling ----------------------------------------------------------------------------------------------------

    def _call(self, function: _native.Operation, members: Mapping[str, Any], until: int | None = None) -> Any:
        """Run an operation: its input's members, its answer."""
        return decode(self._run(function, encode(members), until))

    def _run(self, function: Callable[[_native.Handle, Input], R], input: Input, until: int | None = None) -> R:
        """Call the library: one thread at a time, the transaction's owner if there is a transaction."""
        turn = self._turn
        with turn.lock:
            if turn.owner is not None and turn.owner != _caller():
                self._admit()
            if until is None:
                answer = function(self._handle, input)
            else:
                answer = self._run_until(function, input, until)
        if self._memory:
            turn.family.poke()
        return answer

    def _run_until(self, function: Callable[[_native.Handle, Input], R], input: Input, until: int) -> R:
        _native.brant_deadline_set(self._handle, until)
        try:
            return function(self._handle, input)
        finally:
            _native.brant_deadline_set(self._handle, 0)

    def _admit(self) -> None:
        """Inside the lock, while a transaction is open: return when this caller may call."""
        turn, caller = self._turn, _caller()
        give_up = time.monotonic() + self._patience
        while turn.owner is not None and turn.owner != caller:
            if turn.owner[0] == caller[0]:
                raise Misuse("the open transaction belongs to another task of this thread; await its end, or open a handle of your own")
            rest = give_up - time.monotonic()
            if rest <= 0 or not turn.ended.wait(rest):
                if turn.owner is not None:
                    raise Busy("another thread's transaction on this handle lasted longer than the busy timeout")

    def _transact(self, name: str, text: str | bytes = "{}", until: int | None = None) -> str:
        """Begin, commit or roll back, and keep account of who owns the transaction."""
        turn = self._turn
        with turn.lock:
            depth = -1
            try:
                answer = self._run(_TRANSACTION[name], text, until)
                depth = decode(answer)["depth"]
                if depth == 1 and name == "transaction.begin":
                    turn.input = text
            except Misuse:
                if name == "transaction.rollback" and turn.ours():
                    depth = 0  # none is open any more
                raise
            finally:
                if depth >= 0:
                    turn.stands(depth, self)
        return answer

    async def _call_async(self, function: _native.Operation, members: Mapping[str, Any], patience: float = math.inf) -> Any:
        """As `_call`, for a task."""
        text = encode(members)
        return await self._patiently(lambda: decode(self._run(function, text)), patience)

    async def _patiently(self, call: Callable[[], R], patience: float = math.inf, over: Callable[[], bool] = lambda: False) -> R:
        """What `call` returns: while another has the handle or the file is busy the task sleeps, so that its loop goes on, until `over` (Busy).
        Nothing is awaited once the call was made."""
        import asyncio

        nap = 0.001
        give_up = time.monotonic() + patience
        while True:
            lock = self._turn.lock
            if lock.acquire(blocking=False):
                try:
                    if self._owner is None or self._owner == _caller():
                        return call()
                except Busy:
                    self._not_by_ourselves()
                    if time.monotonic() >= give_up or over():
                        raise
                finally:
                    lock.release()
            if time.monotonic() >= give_up or over():
                raise Busy("another task or thread had the handle for longer than the busy timeout")
            await asyncio.sleep(nap * random.uniform(0.5, 1))
            nap = min(nap * 2, 0.05)

    def _insist(self, call: Callable[[], R], what: object, over: Callable[[], bool]) -> R:
        """As `_patiently`, for a thread."""
        warned = time.monotonic()
        while True:
            try:
                return call()
            except Busy as error:
                self._not_by_ourselves()
                if over():
                    raise
                if time.monotonic() - warned > 60:
                    log.warning("%s: the file is busy, nothing can be claimed: %s", what, error)
                    warned = time.monotonic()
            time.sleep(0.02)

    def _not_by_ourselves(self) -> None:
        """Misuse: this handle is beside another one, and the caller's own transaction there keeps the file busy: patience would have no end."""
        if self._above is not None and self._above.holds_up():
            raise Misuse("this waits for the caller's own transaction, which holds up all writers: end it first")

    def _owns(self) -> bool:
        """Has this caller a transaction open?"""
        return self._turn.ours()

    def _beside(self, kind: Literal["thread", "loop"]) -> Database:
        """A handle of the package's own on the same file, for what goes on beside the program's calls and must not meet its transactions: one for
        threads, and one for loops, which does not wait. ":memory:" has only one handle."""
        if self._memory:
            return self
        with self._guard:
            if self._closed:
                raise Closed("the database is closed")
            found = self._besides.get(kind)
            if found is None:
                found = self._open_beside(kind)
                found._above = self._turn
                self._besides[kind] = found
            return found

    def _open_beside(self, kind: Literal["thread", "loop"]) -> Database:
        options = {name: value for name, value in self._options.items() if name not in ("adopt", "role", "cache")}
        if options.get("mode") != "ro":
            options["mode"] = "rw"
        if kind == "loop":
            options["busy_timeout"] = LOOP_PATIENCE
        return Database(_native.brant_open(self._place, encode(options)), self._place, options)

    def operations(self, namespace: str | None = None) -> list[Operation]:
        """As `brant.operations`, for a program that asks by a handle; a session needs the scope operations:read."""
        members = {} if namespace is None else {"namespace": namespace}
        return cast("list[Operation]", self._call(_native.brant_operation_list, members)["items"])

    @overload
    def call(self, name: str, input: Any = None, *, timeout: float | None = None) -> Any: ...
    @overload
    def call(self, name: Returns[R], *, timeout: float | None = None) -> R: ...
    def call(self, name: str | Returns[Any], input: Any = None, *, timeout: float | None = None) -> Any:
        """Run an operation by its registry name ("nodes.put"): a dict in, parsed JSON out; or by a model of its input (`brant.schemas`), which says what
        the answer is. NotFound: no such operation."""
        if isinstance(name, Returns):
            return name._answered(decode(self.call_json(name.operation, encode(name._members()), timeout=timeout)))
        return decode(self.call_json(name, "{}" if input is None else encode(input), timeout=timeout))

    def call_json(self, name: str, text: str | bytes, *, timeout: float | None = None) -> str:
        """As `call`, with JSON text on both sides, for a program that passes it on."""
        if name in _TRANSACTION:
            return self._transact(name, text, deadline(timeout))
        return self._run(lambda handle, text: _native.brant_call(handle, name, text), text, deadline(timeout))

    # ---- transactions, SQL --------------------------------------------------------------------------------------------

    def transaction(self, mode: Literal["write", "read"] = "write", *, timeout: float | None = None) -> Transaction:
        """``with db.transaction():`` what is inside commits or rolls back as one; transactions nest, each takes back its own part.

        "write" waits for the write lock when it begins (Busy after the busy timeout, Timeout after `timeout` seconds); "read" sees one
        unchanging state and cannot write (ReadOnly). Keep both short.
        """
        return Transaction(self, mode, deadline(timeout))

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout: float | None = None) -> Result:
        """Run one SQL statement of your own on this connection, in the running transaction.

        `params` by position or by name (without the prefix): None, bool (0 or 1), int, float, str, bytes. brant's own tables can be read;
        what would change them, the file's settings or the transaction is Denied. Limit: more rows than limits.batch. Sql: the text
        is wrong. Constraint: a rule of your tables.
        """
        values = dict(params) if isinstance(params, Mapping) else params
        request = (sql, values, 0, 0, stored)
        columns, _, rows, changes, lastrowid, _ = self._run(_native.brant_sql_run, request, deadline(timeout))
        return Result(columns, rows, changes, lastrowid)

    # ---- graphs, events ---------------------------------------------------------------------------------------------------

    @property
    def graph_types(self) -> GraphTypes:
        """The graph types of the file: define, get, list, delete, validate_node, validate_edge; diff, update, check, migrate."""
        return GraphTypes(self)

    @property
    def graphs(self) -> Graphs:
        """The graphs of the file: create, get, list, update, delete, purge."""
        return Graphs(self)

    @property
    def indexes(self) -> Indexes:
        """The indexes over attributes: create, list, delete."""
        return Indexes(self)

    @property
    def types(self) -> Types:
        """The typed operations: ``db.types.task.Task.insert(graph, key, {...})``."""
        return Types(self)

    def graph(self, name: str) -> Graph:
        """The nodes and edges of a graph, which is looked up when it is used."""
        return Graph(self, name)

    def notify(self, channel: str, payload: Any = None) -> int:
        """Publish on a channel, in the running transaction: seen after the commit, never when it rolls back. Returns the id."""
        return cast(int, self._call(_native.brant_event_notify, {"channel": channel, **body(payload)})["id"])

    def listen(self, *patterns: str) -> Listener:
        """What is committed from now on, by any process, on the channels that a pattern matches ("nodes:*"; "*" is all).

        Iterate it (``for``, ``async for``), or ask `next`. Misuse: inside a transaction. Invalid: no pattern.
        """
        return Listener(self, self._run(_native.brant_event_listen, encode({"channels": patterns})), patterns)

    def fan(self, *patterns: str) -> Fan:
        """As `listen`, for many readers in this process, each with a buffer of its own: see `Fan.reader`."""
        return Fan(self, patterns)

    @property
    def channels(self) -> Channels:
        """The channels of the file, and what is kept of each."""
        return Channels(self)

    # ---- queues, streams, locks, schedules ------------------------------------------------------------------------------

    def queue(self, name: str) -> Queue:
        """A queue of jobs, which the first `enqueue` or `configure` makes."""
        return Queue(self, name)

    def task(self, *, queue: str = "default", name: str | None = None, **options: Unpack[TaskOptions]) -> Callable[[Callable[P, T]], Task[P, T]]:
        """``@db.task()``: as `Queue.task`, of the queue "default" or another."""
        return self.queue(queue).task(name=name, **options)

    @property
    def queues(self) -> Queues:
        """The queues of the file: list, stats."""
        return Queues(self)

    @property
    def jobs(self) -> Jobs:
        """The jobs of the file by id: get, result, cancel, requeue, update, delete, watch."""
        return Jobs(self)

    def periodic(
        self,
        spec: str,
        *,
        queue: str = "periodic",
        name: str | None = None,
        timezone: str | None = None,
        misfire: Misfire | None = None,
        catch_up: int | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[Callable[[], Any]], Task[[], Any]]:
        """``@db.periodic("*/5 * * * *", timezone="Europe/Berlin")``: have a function called then. It becomes a task of `queue`, which a worker runs
        (`queue.run()`), and a schedule of that name, stored now, which a scheduler fires (`scheduler()`). As `Schedules.set`."""
        return self.queue(queue).periodic(spec, name=name, timezone=timezone, misfire=misfire, catch_up=catch_up, **options)

    @property
    def schedules(self) -> Schedules:
        """The schedules of the file: set, get, list, delete, pause, resume, trigger, next, tick."""
        return Schedules(self)

    def scheduler(self, *, owner: str | None = None, ttl: Seconds | None = None) -> Scheduler:
        """Fires what is due. Any number of processes may have one: one leads, the others take over when its lease of `ttl` seconds (15) ends."""
        return Scheduler(self, owner, ttl)

    def stream(self, name: str) -> Stream:
        """A stream of events, which the first `publish` or `configure` makes."""
        return Stream(self, name)

    @property
    def streams(self) -> Streams:
        """The streams of the file: list, stats."""
        return Streams(self)

    def lock(self, name: str, *, ttl: Seconds = 30, timeout: Seconds | None = None, owner: str | None = None) -> Lock:
        """A lock among all processes that have the file: ``with db.lock("backup") as lock``, or ``async with``. See `Lock`."""
        return Lock(self, name, ttl, timeout, owner)

    @property
    def locks(self) -> Locks:
        """The locks of the file: get, list, break, and acquire, refresh and release by owner and token."""
        return Locks(self)

    def rate_limit(
        self,
        name: str,
        *,
        limit: int,
        period: Seconds,
        kind: Literal["sliding_window", "token_bucket"] = "sliding_window",
        burst: int | None = None,
    ) -> RateLimit:
        """At most `limit` in any `period` seconds, counted for all processes that have the file. A "token_bucket" fills evenly and holds
        `burst` (`limit`)."""
        return RateLimit(self, name, limit, period, kind, burst)

    @property
    def rate_limits(self) -> RateLimits:
        """The rate limits of the file: list, reset."""
        return RateLimits(self)

    def outbox(self, name: str, deliver: Callable[[Any], Any] | None = None) -> Outbox:
        """What is to be delivered for what was committed: `put` it in the transaction, and a worker delivers it, at least once. See `Outbox`."""
        return Outbox(self, name, deliver)

    @property
    def calls(self) -> Calls:
        """The call protocol: publish, project."""
        return Calls(self)

    def metrics(self) -> str:
        """Figures of everything in Prometheus' text format."""
        return cast(str, self._call(_native.brant_db_metrics, {})["text"])

    # ---- secrets --------------------------------------------------------------------------------------------------------

    def keyring(
        self,
        ring: str | bytes | bytearray | memoryview | RingFields | Mapping[str, Any] | Database | None = None,
        /,
        *,
        keys: Iterable[Key | KeyFields | Mapping[str, Any]] | None = None,
        padding: int | None = None,
        kdf: Mapping[str, Any] | None = None,
        legacy: Mapping[str, Any] | None = None,
    ) -> KeyRing:
        """Give this handle the keys that attributes are sealed and opened with: ``with db.keyring(keys=[brant.Key(version=1, key=b"..")]):``, or a
        call alone, after which they stay until the handle closes or another ring takes their place.

        `ring`: JSON text, or a dict like it: ``{"keys": [{"version": 1, "key": ..}], "padding": 16}``; or its members by name. Where JSON has base64url, bytes do,
        too. `padding`: lengths are hidden up to a multiple of that. `kdf`: bounds for keys of passwords. `legacy`: for envelopes of an older form.

        The library keeps the keys in guarded memory of its own and wipes them; nothing in Python keeps them but what the caller has. A ring is of the handle: all its
        threads and tasks have it, other handles do not, and brant stores none: ``other.keyring(db)`` gives another handle a copy of this one's, within the
        library (NotFound: there is none). It replaces the one before as a whole, and at once, also while a transaction is open; the
        former does not come back at the end of the block. A with block's ring cannot be replaced inside the block.

        Invalid, with the JSON pointer of the place and nothing of what stands there: what a ring cannot be. InvalidJson: the text is none. Unsupported: another
        algorithm. Limit: a `kdf` beyond the bounds, more than 64 KiB. Misuse: the present ring is that of a with block. TypeError: no ring, or two. In each case the former
        ring stays.
        """
        members = given(keys=None if keys is None else list(keys), padding=padding, kdf=kdf, legacy=legacy)
        asked = [ring] if ring is not None else [members]
        two = ring is not None and bool(members)
        none = ring is None and not members
        del ring, keys, kdf, legacy, members
        if two or none:
            asked.clear()
            raise TypeError("a key ring is given by its text, by a dict, or by its members" + (", by one of these" if two else ""))
        return attach(self, asked)

    def _load_ring(self, ring: str | bytes | bytearray) -> None:
        _native.brant_keyring_load(self._handle, ring)

    def _copy_ring(self, other: Database) -> None:
        _native.brant_keyring_copy(self._handle, other._handle)

    def _unload_ring(self) -> None:
        _native.brant_keyring_unload(self._handle)

    def keyring_info(self) -> KeyRingInfo:
        """What the handle's key ring is made of, without keys and passwords; no ring: no keys."""
        return keyring_info(self._call(_native.brant_keyring_info, {}))

    @property
    def envelopes(self) -> Envelopes:
        """Envelopes by hand: seal, open, rewrap."""
        return Envelopes(self)

    @property
    def secrets(self) -> Secrets:
        """All that graph types encrypt: rotate, status. One is opened by `Nodes.open_secret`, `Edges.open_secret`."""
        return Secrets(self)

    # ---- identity, access, audit ------------------------------------------------------------------------------------------

    @property
    def accounts(self) -> Accounts:
        """The accounts of the file: create, get, find, list, update, deactivate, reactivate, delete."""
        return Accounts(self)

    @property
    def organizations(self) -> Organizations:
        """The organizations of the file: create, get, list, update, transfer, suspend, resume, delete."""
        return Organizations(self)

    @property
    def members(self) -> Members:
        """Who belongs to them: add, get, list, set_level, suspend, resume, remove, leave."""
        return Members(self)

    @property
    def invitations(self) -> Invitations:
        """Invitations to them: create, get, list, accept, reject, cancel."""
        return Invitations(self)

    @property
    def api_keys(self) -> ApiKeys:
        """API keys: create, get, list, verify, rotate, revoke, import_."""
        return ApiKeys(self)

    def authenticate(self, token: str | Token) -> Authenticated:
        """Who has this API key, and the identity of a session for them: ``db.session(db.authenticate(token).identity)``. Auth, with one message, for whatever is
        wrong with it."""
        asked = [token]
        del token  # what is raised keeps no frame that has it
        return authenticate(self, asked.pop())

    @property
    def audit(self) -> Audit:
        """The audit log of the file: append, list, get, verify, checkpoint, export, prune."""
        return Audit(self)

    @property
    def access(self) -> Access:
        """Who may do what, by the graph "access": check, explain, list_objects, list_subjects, expand; grant, deny, assign, revoke, delegate."""
        return Access(self)

    def access_graph(self, name: str) -> Access:
        """As `access`, by the access graph of that name."""
        return Access(self, name)

    def session(self, identity: Identity) -> Session:
        """A handle on the same connection that does what this identity may, and nothing else: ``with db.session({"id": "ann", "scopes": ["nodes:read"]}) as mine:``.

        `identity`: its `id`; the `scopes` that it has, never more than `within` and nothing of `denies`; `resources`, actions by "graph:<name>"; `principal`, its key in the graph "access", which is asked at
        each call; `files`, "read" and "write" for paths on the machine. `Database.authenticate` answers one. All that this handle has is there; what the identity may not is Denied, and what it
        may not see NotFound. It takes part in this handle's transactions, and its own are this handle's too; closing this one closes it.

        A session of a session may no more than that. Invalid: no such identity; Denied: scopes beyond those of this session; Limit: more than 16 sessions in each other.
        """
        from .session import Session

        return Session(self, identity)

    # ---- the file -------------------------------------------------------------------------------------------------------

    def info(self) -> Info:
        """What the file is: role, versions, sizes, counts."""
        return known(Info, self._call(_native.brant_db_info, {}))

    def doctor(self, *, timeout: float | None = None) -> Health:
        """Check the file: SQLite's integrity, edges' ends, types, counts, attributes. Only reads; long on a large file."""
        return health(self._call(_native.brant_db_doctor, {}, deadline(timeout)))

    def backup(
        self, path: str | os.PathLike[str], overwrite: bool = False, *, timeout: float | None = None
    ) -> Copied:  # fmt: skip
        """Copy the file as of one moment, while it is in use; the copy is whole or not there. Exists; Conflict: it is
        to be overwritten and somebody has it open; Misuse: inside a transaction."""
        members = {"path": os.fspath(path), "overwrite": overwrite}
        return known(Copied, self._call(_native.brant_db_backup, members, deadline(timeout)))

    def restore(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> Copied:
        """Replace the whole content by a backup's, in one transaction. NotFound, NotBrant, NewerFormat, Conflict: nothing changed."""
        return known(Copied, self._call(_native.brant_db_restore, {"path": os.fspath(path)}, deadline(timeout)))

    def maintain(self, *, timeout: float | None = None) -> Maintained:
        """Bounded upkeep: what is kept of notifications, jobs, streams and by graph types' rules, the library's own queues, checkpoint, planner
        statistics. Misuse: inside a transaction."""
        return maintained(self._call(_native.brant_db_maintain, {}, deadline(timeout)))

    def erase(
        self,
        values: Iterable[str],
        *,
        action: Literal["delete", "redact"] | None = None,
        replacement: str | None = None,
        dry_run: bool | None = None,
        timeout: float | None = None,
    ) -> Erased:
        """Remove what the file has of somebody: what holds one of these texts (1 to 100), in all graphs, deleted ones too.

        Found are nodes and edges whose key is one of them, or whose attributes or metadata hold one as a whole text or a name, however deep,
        graphs' owners, projects and metadata, notifications; jobs, events of streams, schedules and rate limits. `action` "delete" (default) removes nodes, with their edges, and edges;
        "redact" puts `replacement` ("[erased]") in the text's place, and deletes what has it as its key or would break its schema. A graph that is
        named by one is only reported (`refused`). `dry_run` changes nothing. One transaction; then what it freed is overwritten
        (`scrubbed`), unless it is inside one of yours, or a reader is in the way: call again. Invalid: an empty text.
        """
        members: dict[str, Any] = {"values": texts(values), "action": action, "replacement": replacement, "dry_run": dry_run}
        return erased(self._call(_native.brant_db_erase, given(**members), deadline(timeout)))

    # ---- the end ----------------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Has `close` been called?"""
        return self._closed

    @property
    def path(self) -> str:
        """As it was given to `brant.open`."""
        return self._path

    def close(self) -> None:
        """Close: ends waits, rolls back an open transaction, releases the file as soon as the last running call leaves.

        Any thread, any time, any number of times. Later calls raise Closed.
        """
        self._end()

    def _end(self) -> None:
        self._closed = True
        self._keeper.stop()
        with self._guard:
            others = [*self._besides.values(), *self._sessions]
        for other in others:
            other._end()
        self._wakes.close(self._close_handle)
        # A call that is still inside ends on its own; another handle's, of the same family, is not waited for.
        if self._turn.lock.acquire(timeout=1):
            try:
                self._end_inside()
            finally:
                self._turn.lock.release()
        else:
            with suppress(RuntimeError):  # at the interpreter's end
                threading.Thread(target=self._end_later, name="brant-end", daemon=True).start()

    def _end_later(self) -> None:
        with self._turn.lock:
            self._end_inside()

    def _end_inside(self) -> None:
        """Inside the lock: whoever waits for a transaction to end is told."""
        self._ring = None
        self._end_transactions()

    def _close_handle(self) -> None:
        _native.brant_close(self._handle)

    def _end_transactions(self) -> None:
        """Inside the lock: the handle is closed, and with it its transaction."""
        self._turn.stands(0, self)

    def interrupt(self) -> None:
        """End the running call, or the waits, of this handle and its sessions with Interrupted. Any thread."""
        _native.brant_interrupt(self._handle)
        self._interrupt_waits()

    def _interrupt_waits(self) -> None:
        with self._guard:
            sessions = list(self._sessions)
        for session in sessions:
            session._interrupt_waits()
        self._wakes.interrupt()


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    """A lock that another thread held at the fork would never be released here; the library itself answers Forked."""
    for database in list(_databases):
        database._guard = threading.Lock()
        database._turn.forget()
        database._ring = None
        database._wakes.forget()
        database._keeper = Keeper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
