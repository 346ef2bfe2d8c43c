"""Answers of long lists, whose members are decoded when they are first asked for: most callers want one of them."""

from __future__ import annotations

from typing import Any, TypeVar

from ._json import decode_at

L = TypeVar("L", bound="Late")


class Late:
    """Base of such a record, whose members are numbers, texts and lists of these. Its fields are slots, which stay empty until they are read."""

    __slots__ = ("_text",)
    _text: str

    @classmethod
    def of(cls: type[L], text: str) -> L:
        """The record of an answer's text."""
        record = cls.__new__(cls)
        record._text = text
        return record

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        # Inside a text the quotes would be escaped, so this is the member.
        at = self._text.find(f',"{name}":') + 1 or self._text.find(f'{{"{name}":') + 1
        if at == 0:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        value = decode_at(self._text, at + len(name) + 3)
        setattr(self, name, value)
        return value
