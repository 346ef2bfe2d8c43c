"""Payloads as the file has them: what LangGraph's serializer made, or an envelope of it that opens in its own place alone.

A sealed payload's type is the serializer's with "+brant" behind it, and its bytes are the envelope's JSON text. What is sealed is bound to its row (thread, namespace,
checkpoint, channel ...) and to the file's id: a payload that is moved to another row does not open.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from .._json import decode, encode
from ..errors import Auth

if TYPE_CHECKING:
    from ..database import Database
    from ..secrets import EnvelopeContext

MARK = "+brant"
Payload = tuple[str, bytes]


def context(*place: str) -> EnvelopeContext:
    """Where a payload belongs: the names that its row is found by, as one key that no other list of names gives."""
    return {"graph_id": "langgraph", "kind": "node", "key": encode(place), "path": "/payload"}


class Sealing:
    """Seals and opens on the handle that has the key ring."""

    __slots__ = ("_database", "on")

    def __init__(self, database: Database, on: bool) -> None:
        self._database = database
        self.on = on

    def seal(self, payload: Payload, *place: str) -> Payload:
        """As it is to be stored. NotFound: there is no key ring on the handle."""
        if not self.on:
            return payload
        kind, data = payload
        envelope = self._database.envelopes.seal(b64encode(data).decode(), context(*place))
        return kind + MARK, encode(envelope).encode()

    def open(self, payload: Payload, *place: str) -> Payload:
        """As the serializer made it. Auth: it does not open, or it is not sealed though it has to be. NotFound: no key."""
        kind, data = payload
        if not kind.endswith(MARK):
            if self.on:
                raise Auth("a payload is not sealed, though this one seals: bring what was written before along by `reseal`")
            return payload
        text = self._database.envelopes.open(decode(data.decode()), context(*place)).reveal()
        return kind[: -len(MARK)], b64decode(text)

    def reseal(self, payload: Payload, *place: str, to: tuple[str, ...] | None = None) -> Payload | None:
        """Under the active key, at another place if `to` is given; None: it is so already."""
        kind, data = payload
        if not kind.endswith(MARK):
            return self.seal(payload, *(place if to is None else to)) if self.on else None
        answer = self._database.envelopes.rewrap(decode(data.decode()), context(*place), None if to is None else context(*to))
        return (kind, encode(answer.envelope).encode()) if answer.changed else None
