"""Python's values as JSON text and back, with what is ours: dataclasses, models and blobs."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from base64 import b64decode, b64encode
from typing import Any, Callable

from .errors import InvalidJson, Limit
from .records import Edge, Node


def plain(value: Any) -> Any:
    """What the encoder asks for a value that is not JSON's: an item for a node or edge, a dict for a dataclass or model, a blob."""
    if isinstance(value, Node):
        item = {"key": value.key, "attributes": value.attributes, "metadata": value.metadata}
        return item if value.type is None else {**item, "type": value.type}
    if isinstance(value, Edge):
        ends = {"key": value.key, "source": value.source, "target": value.target}
        item = {**ends, "attributes": value.attributes, "metadata": value.metadata}
        return item if value.type is None else {**item, "type": value.type}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$base64": b64encode(value).decode()}
    if isinstance(value, typing.Mapping):
        return dict(value)
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


def _blob(members: dict[str, Any]) -> Any:
    if len(members) == 1 and "$base64" in members:
        return b64decode(members["$base64"])
    return members


decode_blobs: Callable[[str], Any] = json.JSONDecoder(object_hook=_blob).decode
"""As decode, and {"$base64": text} becomes bytes."""


def build(cls: Callable[..., Any], attributes: dict[str, Any]) -> Any:
    """Attributes as an instance of `cls`: a model by model_validate, a dataclass by its fields, anything else by calling it with them."""
    validate = getattr(cls, "model_validate", None)
    if validate is not None:
        return validate(attributes)
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls)
        return cls(**{name: _fit(hints.get(name), value) for name, value in attributes.items()})
    return cls(attributes)


def _fit(hint: Any, value: Any) -> Any:
    """A dataclass or model inside a dataclass: itself, optional, or in a list or dict."""
    if isinstance(value, dict) and isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "model_validate")):
        return build(hint, value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and isinstance(value, list):
        return [_fit(arguments[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {name: _fit(arguments[1], item) for name, item in value.items()}
    if origin in (typing.Union, types.UnionType) and value is not None:
        others = [argument for argument in arguments if argument is not type(None)]
        return _fit(others[0], value) if len(others) == 1 else value
    return value
