"""Payloads: any JSON value, or bytes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Json


def body(payload: Any) -> Json:
    """A payload as the members of an operation's input."""
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return {"payload_base64": b64encode(payload).decode()}
    return {"payload": payload}


def content(members: Json) -> Any:
    """The payload that an answer has."""
    if "payload" in members:
        return members["payload"]
    text = members.get("payload_base64")
    return None if text is None else b64decode(text)
