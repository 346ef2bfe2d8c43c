"""Compiled JSON Schemas that judge documents without a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from . import _native
from ._json import decode, encode
from .records import ValidationReport, validation


class Validator:
    """A compiled JSON Schema: draft 2020-12, or draft-07 where its ``$schema`` says so. Nothing is ever fetched.

        person = brant.Validator({"type": "object", "required": ["name"]})
        person.accepts('{"name": "Ann"}')       # JSON text (str or bytes), or a value
        person.report({"age": 7}).violations

        task = brant.Validator(module=module, node_type="Task")     # the attributes of a type of a module

    `formats`: "assert", or "annotate" for formats that assert nothing. Any number of threads may use one validator.
    At a schema with "x-encrypted": true an envelope is accepted, and of another value a violation shows nothing: neither it nor a name in it.
    Validation: the schema cannot work, the detail says where. Invalid: the module has no such type.
    """

    __slots__ = ("_validator",)

    def __init__(
        self,
        schema: Mapping[str, Any] | bool | None = None,
        *,
        module: Mapping[str, Any] | None = None,
        node_type: str | None = None,
        edge_type: str | None = None,
        formats: Literal["assert", "annotate"] | None = None,
    ) -> None:
        given = {"schema": schema, "module": module, "node_type": node_type, "edge_type": edge_type, "formats": formats}
        self._validator = _native.brant_validator_open(encode({name: value for name, value in given.items() if value is not None}))

    def accepts(self, document: Any) -> bool:
        """Does the schema accept this document? A str or bytes is JSON text; anything else is a value. InvalidJson, Limit."""
        return _native.brant_validator_accepts(self._validator, document if isinstance(document, (str, bytes)) else encode(document))

    def report(self, document: Any) -> ValidationReport:
        """All that is wrong with it, at most 100 violations; true where nothing is. InvalidJson, Limit."""
        text = document if isinstance(document, (str, bytes)) else encode(document)
        return validation(decode(_native.brant_validator_report(self._validator, text)))
