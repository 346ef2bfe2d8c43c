"""Modules made of classes: Pydantic models, dataclasses, TypedDicts, or JSON Schemas as they are.

    @dataclass
    class Task:
        title: str
        status: Literal["open", "done"] = "open"

    @dataclass
    class DependsOn:
        reason: str | None = None

    tasks = brant.module("tasks", nodes=[Task], edges=[brant.edge(DependsOn, source=Task, target=Task)], acyclic=True)
    db.graph_types.define(tasks)
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import enum
import inspect
import re
import types
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union

from ._json import decode, encode
from .records import Json

Model = Union[type, Mapping[str, Any]]
"""A class (Pydantic model, dataclass, TypedDict) or a JSON Schema."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclasses.dataclass(frozen=True)
class EdgeSpec:
    """An edge type for :func:`module`, as :func:`edge` makes it."""

    model: Model | str
    name: str | None
    source: tuple[str, ...] | None
    target: tuple[str, ...] | None
    max_out: int | None
    max_in: int | None


Ends = Union[type, str, Iterable[Union[type, str]]]


def edge(
    model: Model | str,
    *,
    name: str | None = None,
    source: Ends | None = None,
    target: Ends | None = None,
    max_out: int | None = None,
    max_in: int | None = None,
) -> EdgeSpec:
    """An edge type: what its attributes are, and the node types that its ends may have.

    `model`: a class, a JSON Schema, or only a name, for edges of any attributes. `source`, `target`: a class or the name of a node type, or
    several; without, any. `max_out`, `max_in`: how many such edges a node may have at most.
    """
    return EdgeSpec(model, name, _ends(source), _ends(target), max_out, max_in)


def module(
    id: str,
    nodes: Iterable[Model | str] | Mapping[str, Model] = (),
    edges: Iterable[Model | EdgeSpec | str] | Mapping[str, Model | EdgeSpec] = (),
    *,
    directed: bool | Literal["directed", "undirected", "mixed"] = True,
    multi: bool = False,
    allow_self_loops: bool | None = None,
    acyclic: bool | None = None,
    max_nodes: int | None = None,
    max_edges: int | None = None,
    definitions: Mapping[str, Model] | None = None,
    description: str | None = None,
) -> Json:
    """A module, for `GraphTypes.define` and `brant.modules`, of classes or schemas; a plain dict.

    Each class is a type of its name: ``class Task`` makes the entry TaskNode, ``class DependsOn`` as an edge DependsOnEdge. Schemas are named by
    their "title", or all are given by name, as a dict. A name alone is a type of any attributes. Without `nodes` the graph type is untyped.
    Edges with rules about their ends are made by :func:`edge`. `definitions` are further entries that schemas refer to ("#/$defs/Name").

    Fields of dataclasses and TypedDicts: str, int, float, bool, None, Any, Literal, Enum, Optional and unions, list, set, tuple, dict by str,
    datetime (with its offset), date, time, UUID, and such classes again, also recursively; ``Annotated[int, {"minimum": 0}]``
    adds keywords of JSON Schema, and constraints in the style of annotated-types (Ge, Len) are understood; ``{"x-encrypted": True}`` has the
    attribute stored encrypted (`Database.keyring`), and read as a dict, its envelope. A field with a default need
    not be there; attributes without a field are refused. Pydantic models are what `model_json_schema` says: attributes without a
    field are allowed, and a new field is a breaking change, unless their `model_config` has ``extra="forbid"``. TypeError: a field that has no JSON Schema. ValueError: two types of a name.
    """
    maker = _Maker()
    direction = directed if isinstance(directed, str) else "directed" if directed else "undirected"
    config: Json = {"directed": direction, "multi": multi}
    config |= {"allow_self_loops": allow_self_loops, "acyclic": acyclic, "max_nodes": max_nodes, "max_edges": max_edges}
    literals = {name: {"const": value} for name, value in config.items() if value is not None}
    maker.reserve("Config", {"type": "object", "properties": literals})
    for name, model in (definitions or {}).items():
        maker.reserve(name, model if isinstance(model, Mapping) else None, model)

    named: list[tuple[str, Any, EdgeSpec | None]] = []
    for name, thing in _named(nodes):
        named.append((_entry(name, "Node")[0], thing, None))
    for name, thing in _named(edges):
        rules = thing if isinstance(thing, EdgeSpec) else edge(thing)
        named.append((_entry(rules.name or name, "Edge")[0], rules.model, rules))
    for entry, model, _ in named:
        maker.reserve(entry, None, model)
    for entry, model, spec in named:
        maker.fill(entry, model)
        if spec is not None:
            constraints = _constraints(spec)
            if constraints:
                maker.reserve(f"{entry}Constraints", {"type": "object", "properties": constraints})
    for name, model in (definitions or {}).items():
        maker.fill(name, model)
    head = {"$schema": DIALECT, "$id": id} | ({} if description is None else {"description": description})
    return {**head, "$defs": maker.entries}


def schema(model: Model) -> Json:
    """The JSON Schema of a class, complete in itself: what it refers to is in its "$defs"."""
    maker = _Maker()
    made = maker.schema_of(model)
    return {**made, "$defs": maker.entries} if maker.entries else made


# ---- names ----------------------------------------------------------------------------------------------------------------


def _pascal(name: str) -> str:
    """A class's name as that of a type: letters and digits, the first a capital."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[0].upper() + word[1:] for word in words)


def _name(thing: Any) -> str:
    if isinstance(thing, str):
        return thing
    if isinstance(thing, EdgeSpec):
        return thing.name or _name(thing.model)
    if isinstance(thing, Mapping):
        title = thing.get("title")
        if not isinstance(title, str) or not title:
            raise ValueError("a schema needs a title to be named by; give schemas as a dict by name")
        return title
    if isinstance(thing, type) or typing.is_typeddict(thing):
        return str(thing.__name__)
    raise TypeError(f"{thing!r} is neither a class nor a schema")


def _named(things: Iterable[Any] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    if isinstance(things, Mapping):
        return list(things.items())
    if isinstance(things, str):
        raise TypeError("give a list, or a dict by name")
    return [(_name(thing), thing) for thing in things]


def _entry(name: str, suffix: str) -> tuple[str, str]:
    """The entry of a type, and the type's name: a class may have the suffix in its own."""
    type = _pascal(name)
    if type.endswith(suffix) and type != suffix:
        type = type[: -len(suffix)]
    return type + suffix, type


def _ends(ends: Ends | None) -> tuple[str, ...] | None:
    if ends is None:
        return None
    several = [ends] if isinstance(ends, (str, type)) or not isinstance(ends, Iterable) else list(ends)
    return tuple(_entry(_name(end), "Node")[1] for end in several)


def _constraints(spec: EdgeSpec) -> Json:
    constraints: Json = {}
    for name, ends in (("source", spec.source), ("target", spec.target)):
        if ends is not None:
            constraints[name] = {"const": ends[0]} if len(ends) == 1 else {"enum": list(ends)}
    for name, most in (("max_out", spec.max_out), ("max_in", spec.max_in)):
        if most is not None:
            constraints[name] = {"const": most}
    return constraints


# ---- schemas ----------------------------------------------------------------------------------------------------------------


class _Maker:
    """The entries of a module while they are made. A class that is used twice, or inside itself, is one entry."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self._entry_of: dict[Any, str] = {}
        self._adopted: list[tuple[str, Json]] = []  # with all that each reaches, as it was

    def reserve(self, entry: str, schema: Any, model: Any = None) -> None:
        if entry in self.entries:
            raise ValueError(f"two entries of the name {entry}")
        self.entries[entry] = schema
        if model is not None and not isinstance(model, (str, Mapping)):
            # As a node and as an edge it is the same: the first is referred to.
            self._entry_of.setdefault(model, entry)

    def fill(self, entry: str, model: Any) -> None:
        if isinstance(model, str):
            self.entries[entry] = {"type": "object"}
        else:
            made = self.schema_of(model, inline=True)
            if made.get("$schema") == DIALECT:
                del made["$schema"]
            self.entries[entry] = _follow(made, {"#": f"#/$defs/{entry}"}) if isinstance(model, Mapping) else made

    def schema_of(self, model: Any, inline: bool = False) -> Json:
        """The schema of a class; a reference to its entry unless it is to be inline."""
        if isinstance(model, Mapping):
            return self._adopt(copy.deepcopy(dict(model)))
        if model in self._entry_of and not inline:
            return {"$ref": f"#/$defs/{self._entry_of[model]}"}
        foreign = _foreign_schema(model)
        if foreign is not None:
            return self._adopt(foreign)
        if inline:
            return self._own(model)
        entry = self._entry_of[model] = self._helper(model.__name__, None)
        self.entries[entry] = self._own(model)
        return {"$ref": f"#/$defs/{entry}"}

    def _helper(self, name: str, schema: Any) -> str:
        """An entry for something that types refer to; it must not look like a type, nor take the name of another."""
        base = _pascal(name) or "Entry"
        if base == "Config" or re.search("(Node|Edge|EdgeConstraints)$", base):
            base += "Type"
        number, entry = 1, base
        while entry in self.entries:
            number += 1
            entry = f"{base}{number}"
        self.entries[entry] = schema
        return entry

    # ---- schemas that are there ---------------------------------------------------------------------------------------

    def _adopt(self, schema: Json) -> Json:
        """A schema with definitions of its own: they become entries, once each, and what refers to them follows."""
        schema.pop("$id", None)
        definitions = {
            f"#/{container}/{name}": definition
            for container in ("$defs", "definitions")
            for name, definition in (schema.pop(container, None) or {}).items()
        }
        renamed: dict[str, str] = {}
        added = []
        for reference, definition in definitions.items():
            meaning = _reached(reference, definitions)
            entry = next((entry for entry, other in self._adopted if other == meaning), None)
            if entry is None:
                entry = self._helper(reference.rsplit("/", 1)[1], definition)
                self._adopted.append((entry, meaning))
                added.append(entry)
            renamed[reference] = f"#/$defs/{entry}"
        for entry in added:
            self.entries[entry] = _follow(self.entries[entry], renamed)
        return typing.cast(Json, _follow(schema, renamed))

    # ---- schemas of our own -------------------------------------------------------------------------------------------

    def _own(self, cls: Any) -> Json:
        made: Json = {"type": "object"}
        if dataclasses.is_dataclass(cls):
            hints = typing.get_type_hints(cls, include_extras=True)
            fields = [(field.name, _required(field), _default(field)) for field in dataclasses.fields(cls)]
        elif typing.is_typeddict(cls):
            hints = typing.get_type_hints(cls, include_extras=True)
            required = cls.__required_keys__
            fields = [(name, name in required and not _not_required(hint), _NONE) for name, hint in hints.items()]
        else:
            raise TypeError(f"{cls!r} is no dataclass, TypedDict or Pydantic model")
        documentation = _documentation(cls)
        if documentation:
            made["description"] = documentation
        made["properties"] = {}
        for name, _, default in fields:
            try:
                made["properties"][name] = self.of_hint(hints[name])
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.{name}: {error}") from None
            if default is not _NONE:
                made["properties"][name]["default"] = default
        required_names = [name for name, required, _ in fields if required]
        if required_names:
            made["required"] = required_names
        made["additionalProperties"] = False
        return made

    def of_hint(self, hint: Any) -> Json:
        """The schema of a field's type."""
        if hint is Any or hint is object:
            return {}
        if typing.get_origin(hint) is None and (hint is None or isinstance(hint, type)) and hint in _SIMPLE:
            return dict(_SIMPLE[hint])
        if isinstance(hint, typing.NewType):
            return self.of_hint(hint.__supertype__)
        if isinstance(hint, type) and typing.get_origin(hint) is None:
            return self._of_class(hint)
        if typing.is_typeddict(hint):
            return self.schema_of(hint)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._annotated(arguments[0], arguments[1:])
        if getattr(origin, "_name", None) in ("Required", "NotRequired", "ReadOnly"):
            return self.of_hint(arguments[0])
        if origin is typing.Literal:
            return _enumeration(list(arguments))
        if origin in (typing.Union, types.UnionType):
            return self._union(arguments)
        if isinstance(origin, type):
            return self._of_generic(hint, origin, arguments) if arguments else self._of_class(origin)
        if getattr(hint, "__value__", None) is not None:  # a type alias of Python 3.12
            return self.of_hint(hint.__value__)
        raise TypeError(f"{hint!r} has no JSON Schema")

    def _of_class(self, cls: type) -> Json:
        if issubclass(cls, enum.Enum):
            return _enumeration([member.value for member in cls])
        if cls in (list, tuple):
            return {"type": "array"}
        if cls in (set, frozenset):
            return {"type": "array", "uniqueItems": True}
        if cls is dict:
            return {"type": "object"}
        return self.schema_of(cls)

    def _of_generic(self, hint: Any, origin: type, arguments: tuple[Any, ...]) -> Json:
        if dataclasses.is_dataclass(origin):
            raise TypeError(f"{hint!r}: generic dataclasses have no JSON Schema")
        if issubclass(origin, tuple):
            if len(arguments) == 2 and arguments[1] is Ellipsis:
                return {"type": "array", "items": self.of_hint(arguments[0])}
            items = [self.of_hint(argument) for argument in arguments]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        if issubclass(origin, typing.Mapping) and len(arguments) == 2:
            if self.of_hint(arguments[0]).get("type") != "string":
                raise TypeError(f"{hint!r}: names in JSON are text")
            return {"type": "object", "additionalProperties": self.of_hint(arguments[1])}
        if issubclass(origin, typing.Iterable) and len(arguments) == 1:
            made = {"type": "array", "items": self.of_hint(arguments[0])}
            return {**made, "uniqueItems": True} if issubclass(origin, (set, frozenset)) else made
        raise TypeError(f"{hint!r} has no JSON Schema")

    def _union(self, members: tuple[Any, ...]) -> Json:
        schemas = [self.of_hint(member) for member in members]
        plain = all(set(made) == {"type"} and isinstance(made["type"], str) for made in schemas)
        return {"type": [made["type"] for made in schemas]} if plain else {"anyOf": schemas}

    def _annotated(self, hint: Any, metadata: Iterable[Any]) -> Json:
        made = self.of_hint(hint)
        for mark in metadata:
            made |= _keywords(mark, made)
        return made


def _foreign_schema(model: Any) -> Json | None:
    """What Pydantic says of a model, or of a dataclass or TypedDict that is its own."""
    own = getattr(model, "model_json_schema", None)
    if own is not None:
        return typing.cast(Json, own(by_alias=True))
    if "__pydantic_core_schema__" in getattr(model, "__dict__", {}):
        from pydantic import TypeAdapter  # it has made this class

        return TypeAdapter(model).json_schema(by_alias=True)
    return None


_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_LITERAL = ("const", "enum", "default", "examples")


def _follow(schema: Any, renamed: Mapping[str, str]) -> Any:
    """The schema with its references renamed."""
    if isinstance(schema, list):
        return [_follow(item, renamed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    followed = {}
    for name, value in schema.items():
        if name == "$ref":
            followed[name] = _renamed(value, renamed)
        elif name == "discriminator" and isinstance(value, dict) and isinstance(value.get("mapping"), dict):
            mapping = {key: _renamed(reference, renamed) for key, reference in value["mapping"].items()}
            followed[name] = {**value, "mapping": mapping}
        elif name in _BY_NAME and isinstance(value, dict):
            followed[name] = {key: _follow(item, renamed) for key, item in value.items()}
        else:
            followed[name] = value if name in _LITERAL else _follow(value, renamed)
    return followed


def _renamed(reference: Any, renamed: Mapping[str, str]) -> Any:
    if not isinstance(reference, str):
        return reference
    for old, new in renamed.items():
        if reference == old or old != "#" and reference.startswith(f"{old}/"):
            return new + reference[len(old) :]
    return reference


def _reached(reference: str, definitions: Mapping[str, Any]) -> Json:
    """A definition and all others that it reaches, by reference."""
    reached: Json = {}
    waiting = [reference]
    while waiting:
        one = waiting.pop()
        if one in definitions and one not in reached:
            reached[one] = definitions[one]
            waiting += {"/".join(found.split("/")[:3]) for found in _references(definitions[one])}
    return reached


def _references(schema: Any) -> typing.Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)


class _None:
    """No default."""


_NONE = _None()


def _required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.init and field.default is missing and field.default_factory is missing


def _default(field: dataclasses.Field[Any]) -> Any:
    value: Any = field.default
    if value is dataclasses.MISSING:
        if field.default_factory not in (list, dict, set, frozenset, tuple):
            return _NONE
        value = typing.cast(Callable[[], Any], field.default_factory)()
    try:
        return decode(encode(value))
    except TypeError:
        return _NONE


def _not_required(hint: Any) -> bool:
    """NotRequired under postponed annotations, which TypedDict itself does not see."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _not_required(typing.get_args(hint)[0])
    return getattr(origin, "_name", None) == "NotRequired"


def _documentation(cls: Any) -> str | None:
    """The class's own docstring; dataclasses without one get their signature, dicts that of dict."""
    documentation = cls.__dict__.get("__doc__")
    if not documentation or documentation.startswith(f"{cls.__name__}("):
        return None
    return inspect.cleandoc(documentation)


def _enumeration(values: list[Any]) -> Json:
    values = [value.value if isinstance(value, enum.Enum) else value for value in values]
    try:
        encode(values)
    except TypeError as error:
        raise TypeError(str(error)) from None
    return {"const": values[0]} if len(values) == 1 else {"enum": values}


def _keywords(mark: Any, made: Json) -> Json:
    """What an annotation adds to a schema. One that is not ours is left out."""
    if isinstance(mark, Mapping):
        return dict(mark)
    if isinstance(mark, re.Pattern):
        return {"pattern": mark.pattern}
    keywords: Json = {}
    for name, keyword in _BOUNDS.items():
        value = getattr(mark, name, None)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            keywords[keyword] = value
    suffix = {"array": "Items", "object": "Properties"}.get(str(made.get("type")), "Length")
    for name, begin in (("min_length", "min"), ("max_length", "max")):
        value = getattr(mark, name, None)
        if isinstance(value, int) and not (name == "min_length" and value == 0):
            keywords[begin + suffix] = value
    for name in ("pattern", "title", "description"):
        value = getattr(mark, name, None)
        if isinstance(value, str):
            keywords[name] = value
    for inner in getattr(mark, "metadata", None) or ():  # Pydantic's Field has its constraints there
        keywords |= _keywords(inner, made)
    return keywords


_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum", "multiple_of": "multipleOf"}
_SIMPLE: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}
