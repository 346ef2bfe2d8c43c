"""Sessions: handles that do what an identity may, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from . import _native
from ._json import decode, encode
from .database import Database
from .errors import BrantError, Closed, Denied

if TYPE_CHECKING:
    from .identity import Level


class _Who(TypedDict):
    id: str


class IdentityFields(_Who, total=False):
    """Who a session is for, and what it may."""

    actor_type: Literal["account", "api_key", "agent", "service"]
    scopes: Sequence[str]
    within: Sequence[str]
    denies: Sequence[str]
    resources: Mapping[str, Sequence[str]]
    principal: str
    organization: str
    level: Level
    key: str
    reason: str
    files: Sequence[Literal["read", "write"]]


Identity = IdentityFields | Mapping[str, Any]


class Session(Database):
    """A handle that `Database.session` made: a `Database` for an identity."""

    def __init__(self, parent: Database, identity: Identity) -> None:
        text = encode(identity)
        # Known to its parent, or refused, before it can be used: who closes that ends this.
        with parent._guard:
            if parent._closed:
                raise Closed("the database is closed")
            super().__init__(_native.brant_session_open(parent._handle, text), parent._place, parent._options, parent._turn)
            self._path = parent._path
            self._parent = parent
            self._identity = text
            parent._sessions.add(self)

    def __del__(self) -> None:
        """It holds nothing that its parent does not."""

    def _open_beside(self, kind: Literal["thread", "loop"]) -> Database:
        return self._parent._beside(kind).session(decode(self._identity))

    def _end_transactions(self) -> None:
        """What it began is rolled back by who may end anything."""
        top: Database = self
        while isinstance(top, Session):
            top = top._parent
        begun = self._turn.begun
        while begun and begun[-1] is self:
            try:
                depth = decode(_native.brant_transaction_rollback(top._handle, "{}"))["depth"]
            except Denied:
                return  # on top is the session of a key: with that it ends
            except BrantError:
                depth = 0  # none is open any more, or the file is closed
            self._turn.stands(depth, top)
            begun = self._turn.begun
