"""Secrets: attributes that a graph type encrypts, opened on demand and brought under new keys; and the envelopes that they are stored as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypedDict, cast, final

from . import _native
from ._batches import run_batches
from ._clock import deadline
from ._common import given
from ._wiped import faults, raise_first
from .keys import KeyState
from .records import Json, known, known_list

if TYPE_CHECKING:
    from .database import Database


@final
class Secret:
    """An opened value. Only `reveal` shows it: repr, str and format are "[secret]"; copying, pickling and encoding as JSON are TypeErrors."""

    __slots__ = ("_key_version", "_value")

    def __init__(self, value: Any, key_version: int) -> None:
        self._value = value
        self._key_version = key_version

    @property
    def key_version(self) -> int:
        """Of the key that it was sealed with."""
        return self._key_version

    def reveal(self) -> Any:
        """The value: any JSON."""
        return self._value

    def __repr__(self) -> str:
        return "[secret]"

    def __format__(self, spec: str) -> str:
        return format("[secret]", spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled; reveal() gives its value")


def _quietly(database: Database, function: _native.Operation, members: Json) -> Any:
    """As `Database._call`; what it raises keeps neither the members, which are taken away, nor the answer alive."""
    answers: list[Any] = []
    found = faults(lambda: answers.append(database._call(function, members)))
    members.clear()
    raise_first(found)
    return answers.pop()


def opened(database: Database, function: _native.Operation, members: Json) -> Secret:
    """The secret that an operation answers."""
    answer = _quietly(database, function, members)
    return Secret(answer["value"], answer["key_version"])


# ---- envelopes ------------------------------------------------------------------------------------------------------------


class _Tenant(TypedDict, total=False):
    tenant_id: str


class EnvelopeContext(_Tenant):
    """The one place where an envelope opens: a node or edge of a graph by its id (`GraphInfo.id`) and key, and the attribute as a JSON pointer within
    the attributes ("/value", "/db/password"). `tenant_id` is the file's own id unless it is given."""

    graph_id: str
    kind: Literal["node", "edge"]
    key: str
    path: str


@dataclass(slots=True)
class Rewrapped:
    """An envelope under the active key, in its place; not `changed`: it is the one that was given."""

    envelope: Json
    changed: bool


class Envelopes:
    """Envelopes by hand, as ``db.envelopes``: what the graphs do by themselves with attributes that their type encrypts. Needs `Database.keyring`."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Envelopes of {self._database!r}>"

    def seal(self, value: Any, context: EnvelopeContext) -> Json:
        """Encrypt a JSON value with the active key, for one place.

        NotFound: there is no key ring, or no active key in it. Invalid: the context. Limit: the value is too long. Io: no random bytes.
        """
        members: Json = {"value": value, "context": context}
        del value
        return cast(Json, _quietly(self._database, _native.brant_envelope_seal, members))

    def open(self, envelope: Mapping[str, Any], context: EnvelopeContext) -> Secret:
        """Open an envelope of this place, or an older one where the ring has "legacy".

        Auth: it does not open, whatever the reason. NotFound: there is no key ring, or it has no such key that may open. Unsupported: another algorithm. Limit: the
        `kdf` is out of the ring's bounds.
        """
        return opened(self._database, _native.brant_envelope_open, {"envelope": envelope, "context": context})

    def rewrap(
        self, envelope: Mapping[str, Any], context: EnvelopeContext, to: EnvelopeContext | None = None
    ) -> Rewrapped:  # fmt: skip
        """Bring an envelope under the active key, and to another place if `to` is given: the value is not seen. Raises what `open` and `seal` do."""
        members: Json = {"envelope": envelope, "context": context, **given(to=to)}
        return known(Rewrapped, _quietly(self._database, _native.brant_envelope_rewrap, members))


# ---- rotation -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class RotationFailure:
    """A value that did not open, at the JSON pointer `path` within the attributes of a "node" or "edge", and the error's `code` and `message`."""

    graph: str
    kind: Literal["node", "edge"]
    key: str
    path: str
    code: str
    message: str


@dataclass(slots=True)
class KeyCount:
    """How many values are under a key version; 0: plain. `state` is what the handle's ring says of it, "unknown" where it has no such key, "plain" for version 0, None
    where it was not asked."""

    version: int
    count: int
    state: KeyState | Literal["unknown", "plain"] | None = None


@dataclass(slots=True)
class Rotated:
    """What the batches of a rotation did: so far, when it is given to `progress`. `rewrapped` values had another key, `sealed` ones were plain, `failed`
    ones do not open and were left, the first 100 as `failures`. `remaining`: rows. When it is done, `keys` counts all values, and `scrubbed` says whether
    nothing is left in the file of what was plain; if not, rotate again."""

    done: bool
    key_version: int
    rewrapped: int
    sealed: int
    failed: int
    failures: list[RotationFailure]
    remaining: int
    scrubbed: bool | None = None
    keys: list[KeyCount] | None = None


@dataclass(slots=True)
class Rotation:
    """Where the rotation to the newest key is, with its counts since it began."""

    key_version: int
    done: bool
    rewrapped: int
    sealed: int
    failed: int
    remaining: int
    started_at: int
    updated_at: int


@dataclass(slots=True)
class SecretsStatus:
    """How many values are under which key, and the newest rotation, None when there was none."""

    keys: list[KeyCount]
    total: int
    rotation: Rotation | None


def _rotated(members: Json) -> Rotated:
    answer = known(Rotated, members)
    answer.failures = known_list(RotationFailure, members["failures"])
    if answer.keys is not None:
        answer.keys = known_list(KeyCount, members["keys"])
    return answer


class Secrets:
    """All values that graph types encrypt, as ``db.secrets``."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Secrets of {self._database!r}>"

    def rotate(
        self,
        graph: str | None = None,
        *,
        batch: int | None = None,
        limit: int | None = None,
        progress: Callable[[Rotated], object] | None = None,
        timeout: float | None = None,
    ) -> Rotated:
        """Bring every value, of one graph or all, under the ring's active key, and seal what is plain because its type encrypts only since then.

        To change keys: attach a ring whose active key is new and that still has the old ones, in every process that writes; rotate; then drop the
        old ones. Each `batch` (1000 rows) is one transaction, so that a rotation that was broken off goes on where it was, and others write meanwhile;
        it runs to the end, or for `limit` batches. `progress` is told after each batch what is done so far. Values, revisions and
        times of rows stay as they are. NotFound: no active key; no such graph. Conflict: a rotation to a newer key was begun.
        """
        until = deadline(timeout)
        members = given(graph=graph, batch=batch)
        return run_batches(
            lambda more: _rotated(self._database._call(_native.brant_secret_rotate, members | more, until)),
            ("rewrapped", "sealed", "failed"),
            limit,
            progress,
        )

    def rotate_later(self, graph: str | None = None, *, batch: int | None = None) -> int:
        """As `rotate`, as a job of the queue "secret-rotation", which `Database.maintain` works off in bounded steps on handles with the active key; returns its id
        (`Jobs`)."""
        members = {"background": True} | given(graph=graph, batch=batch)
        return cast(int, self._database._call(_native.brant_secret_rotate, members)["job"])

    def status(self, graph: str | None = None) -> SecretsStatus:
        """How many values there are under each key version, in one graph or all, and where the newest rotation is. Needs no ring, opens nothing. NotFound: no
        such graph."""
        answer = self._database._call(_native.brant_secret_status, given(graph=graph))
        rotation = answer["rotation"]
        found = None if rotation is None else known(Rotation, rotation)
        return SecretsStatus(known_list(KeyCount, answer["keys"]), answer["total"], found)
