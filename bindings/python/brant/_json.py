"""Python's values as JSON text and back, with what is ours: dataclasses, models and blobs."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import re
import types
import typing
import uuid
from binascii import b2a_base64
from functools import lru_cache
from typing import Any, Callable, Optional, cast

from .errors import Invalid, InvalidJson, Limit
from .records import Edge, Node


def plain(value: Any) -> Any:
    """What the encoder asks for a value that is not JSON's: an item for a node or edge, a dict for a dataclass or model, a blob."""
    if isinstance(value, Node):
        item = {"key": value.key, "attributes": value.attributes, "metadata": value.metadata}
        return item if value.type is None else {**item, "type": value.type}
    if isinstance(value, Edge):
        ends = {"key": value.key, "source": value.source, "target": value.target}
        item = {**ends, "attributes": value.attributes, "metadata": value.metadata}
        if value.undirected is not None:
            item["undirected"] = value.undirected
        return item if value.type is None else {**item, "type": value.type}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$base64": b2a_base64(value, newline=False).decode("ascii")}
    if isinstance(value, typing.Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=_encode)
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, uuid.UUID):
        return str(value)
    if hasattr(value, "reveal"):  # a Secret, a Key
        raise TypeError(f"{type(value).__name__} has no JSON form; give what it reveals where that is meant")
    raise TypeError(f"{type(value).__name__} has no JSON form; give a dict, a dataclass or a model with model_dump()")


def _encoder() -> Callable[[Any], str]:
    """json's encoder, made once: JSONEncoder.encode makes one for each call, which costs more than a small document."""
    try:
        chunks = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, plain, json.encoder.encode_basestring, None, ":", ",", False, False, False
        )
    except (AttributeError, TypeError):
        return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain).encode
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()
_decode = json.JSONDecoder().raw_decode


def encode(value: Any) -> str:
    """Compact JSON text. InvalidJson: NaN or an infinity; Limit: too deep, or inside itself; TypeError: a type without a JSON form."""
    try:
        return _encode(value)
    except ValueError as error:
        raise InvalidJson(str(error)) from None
    except RecursionError:
        raise Limit("the value is nested too deep, or inside itself") from None


def decode(text: str) -> Any:
    return _decode(text)[0]


def decode_at(text: str, at: int) -> Any:
    """The value that begins there."""
    return _decode(text, at)[0]


def stored(value: Any) -> Any:
    """What SQL stores of a parameter that SQLite has no type for."""
    if isinstance(value, int):
        raise Invalid("an integer parameter does not fit into 64 bits")
    if isinstance(value, float):
        raise InvalidJson("a parameter is NaN, which SQLite has not")
    if isinstance(value, (dict, list, tuple)):
        raise Invalid(f"a parameter of type {type(value).__name__} cannot be stored; give None, int, float, str or bytes")
    return plain(value)


def build(cls: Callable[..., Any], attributes: dict[str, Any]) -> Any:
    """Attributes as an instance of `cls`: a model by model_validate, a dataclass by its fields, anything else by calling it with them."""
    return _builder(cls)(attributes) if isinstance(cls, type) else cls(attributes)


@lru_cache(maxsize=1024)
def _builder(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
    validate = getattr(cls, "model_validate", None)
    if validate is not None:
        return cast("Callable[[dict[str, Any]], Any]", validate)
    if not dataclasses.is_dataclass(cls):
        return cls
    # What is in a field is made when the first instance is: a dataclass may have itself in it.
    fits: dict[str, Fit] = {}
    later = {field.name for field in dataclasses.fields(cls) if not field.init}

    def make(attributes: dict[str, Any]) -> Any:
        if not fits:
            fits.update({name: _fit(hint) for name, hint in typing.get_type_hints(cls).items()})
        return cls(
            **{
                name: fit(value) if (fit := fits.get(name)) is not None else value
                for name, value in attributes.items()
                if name not in later
            }
        )

    return make


Fit = Optional[Callable[[Any], Any]]
"""What makes a JSON value a field's; None: nothing needs doing."""


@lru_cache(maxsize=4096)
def _fit(hint: Any) -> Fit:
    """How to make JSON values those of a field with this hint. A value of another shape stays as it is."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _fit(arguments[0])
    if origin is None:
        return _fit_class(hint) if isinstance(hint, type) else None
    if origin in (typing.Union, types.UnionType):
        return _fit_union([argument for argument in arguments if argument is not type(None)])
    if not isinstance(origin, type):
        return None
    if issubclass(origin, typing.Mapping) and len(arguments) == 2:
        inner = _fit(arguments[1])
        if inner is None:
            return None
        return lambda value: {name: inner(item) for name, item in value.items()} if isinstance(value, dict) else value
    if issubclass(origin, tuple):
        return _fit_tuple(arguments)
    if issubclass(origin, typing.Iterable) and len(arguments) == 1:
        return _fit_list(origin, arguments[0])
    return None


def _fit_class(hint: type) -> Fit:
    if dataclasses.is_dataclass(hint) or hasattr(hint, "model_validate"):
        return lambda value: build(hint, value) if isinstance(value, dict) else value
    if issubclass(hint, enum.Enum):
        return hint
    if hint in (set, frozenset, tuple):
        return lambda value: hint(value) if isinstance(value, list) else value
    read = _READ.get(hint)
    return None if read is None else lambda value: read(value) if isinstance(value, str) else value


def _fit_list(origin: type, item: Any) -> Fit:
    inner = _fit(item)
    make = origin if issubclass(origin, (set, frozenset)) else None
    if inner is None:
        return None if make is None else lambda value: make(value) if isinstance(value, list) else value

    def fit(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [inner(part) for part in value] if make is None else make(inner(part) for part in value)

    return fit


def _fit_tuple(arguments: tuple[Any, ...]) -> Fit:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = _fit(arguments[0]) or (lambda item: item)
        return lambda value: tuple(each(item) for item in value) if isinstance(value, list) else value
    fits = [_fit(argument) or (lambda item: item) for argument in arguments]

    def fit(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(fits):
            return value
        return tuple(own(item) for own, item in zip(fits, value))

    return fit


def _fit_union(members: list[Any]) -> Fit:
    if len(members) == 1:
        return _fit(members[0])
    fits = [(member, own) for member in members if (own := _fit(member)) is not None]
    if not fits:
        return None

    def fit(value: Any) -> Any:
        """The first member that the value looks like."""
        for member, own in fits:
            if _resembles(member, value):
                try:
                    return own(value)
                except (TypeError, ValueError):
                    continue
        return value

    return fit


def _resembles(hint: Any, value: Any) -> bool:
    cls = hint if isinstance(hint, type) and typing.get_origin(hint) is None else None  # list[int] is a type in Python 3.10
    if cls is not None and dataclasses.is_dataclass(cls):
        if not isinstance(value, dict):
            return False
        fields = {field.name: field for field in dataclasses.fields(cls)}
        missing = dataclasses.MISSING
        required = {name for name, own in fields.items() if own.init and own.default is missing and own.default_factory is missing}
        if not required <= value.keys() <= fields.keys():
            return False
        hints = typing.get_type_hints(cls)
        literals = {name: typing.get_args(own) for name, own in hints.items() if typing.get_origin(own) is typing.Literal}
        return all(value[name] in literals[name] for name in literals.keys() & value.keys())
    if cls is not None and (cls in _READ or issubclass(cls, enum.Enum)):
        return not isinstance(value, (dict, list))
    return isinstance(value, (dict, list))


def _read_datetime(text: str) -> datetime.datetime:
    """RFC 3339, more of it than fromisoformat takes in every Python."""
    found = _DATETIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date-time")
    date, time, fraction, zone = found.groups()
    micro = (fraction or "")[:6].ljust(6, "0")
    return datetime.datetime.fromisoformat(f"{date}T{time}.{micro}{'+00:00' if zone in ('Z', 'z') else zone or ''}")


def _read_time(text: str) -> datetime.time:
    return _read_datetime(f"2000-01-01T{text}").timetz()


_DATETIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?")
_READ: dict[Any, Callable[[str], Any]] = {
    datetime.datetime: _read_datetime,
    datetime.date: datetime.date.fromisoformat,
    datetime.time: _read_time,
    uuid.UUID: uuid.UUID,
}
