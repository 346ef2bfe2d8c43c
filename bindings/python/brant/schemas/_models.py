"""What the models of operations have in common: what is not given is not sent, and what is sent is judged by the core's own schema of the operation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, TypeAdapter, model_serializer, model_validator

from .._json import decode, encode
from ..database import operations
from ..records import Violation
from ..validator import Validator


@lru_cache(maxsize=None)
def _specs(namespace: str) -> dict[str, Any]:
    return {operation["name"]: operation for operation in operations(namespace)}


@lru_cache(maxsize=None)
def validator(operation: str) -> Validator:
    """That of an operation's input, by the registry."""
    return Validator(_specs(operation.split(".")[0])[operation]["input_schema"])


@lru_cache(maxsize=None)
def _adapter(result: Any) -> TypeAdapter[Any]:
    return TypeAdapter(result)


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True, validate_by_name=True, validate_by_alias=True, protected_namespaces=(), serialize_by_alias=True)

    @model_serializer(mode="wrap")
    def _given(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what was given: null is a value."""
        members: dict[str, Any] = inner(self)
        fields = type(self).model_fields
        unset = {name for field, info in fields.items() if field not in self.model_fields_set for name in (field, info.alias or field)}
        return {name: value for name, value in members.items() if name not in unset}


class Part(_Model):
    """A part of an input."""

    model_config = ConfigDict(extra="forbid")


class Answer(_Model):
    """An answer, or a part of one: what a newer library adds is kept."""

    model_config = ConfigDict(extra="allow")


class Input(_Model):
    """The input of an operation."""

    model_config = ConfigDict(extra="forbid")

    operation: ClassVar[str]
    result: ClassVar[Any]

    @model_validator(mode="before")
    @classmethod
    def _judged(cls, given: Any) -> Any:
        """By the core's validator, with the operation's schema from the registry: its rules are there once."""
        if not isinstance(given, dict):
            return given
        names = {field: info.alias for field, info in cls.model_fields.items() if info.alias}
        members = {names.get(name, name): value for name, value in given.items()}
        text = encode(members)
        if not validator(cls.operation).accepts(text):
            raise ValueError("; ".join(map(_said, validator(cls.operation).report(text).violations)))
        # As JSON has it, so that a dataclass, a date or another model stands for what is sent.
        return decode(text)

    def _members(self) -> Any:
        return self.model_dump(mode="json")

    def _answered(self, answer: Any) -> Any:
        return _adapter(type(self).result).validate_python(answer)


def _said(violation: Violation) -> str:
    return f"{violation.instance or 'the input'}: {violation.message}"

