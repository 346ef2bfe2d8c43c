"""Graphs from NetworkX pickles, read without running what is in them.

A pickle is a program: unpickling one of somebody else's is to run their code. Here only NetworkX' graph classes and their views, plain values of Python, dates, decimals and UUIDs are admitted; a pickle that names anything
else is refused, and nothing of it is called.
"""

from __future__ import annotations

import base64
import bz2
import datetime
import decimal
import gzip
import io
import pickle
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import MigrationError

if TYPE_CHECKING:
    import networkx

MAGIC = (b"\x80", b"\x1f\x8b", b"BZh")
LIMIT = 4 << 30
"""Bytes of a pickle once it is unpacked."""
VALUES = 1_000_000
"""Values in the attributes of one node or edge: a pickle of some bytes can stand for more than there is memory, by naming the same list again and again."""

_ADMITTED = {
    "builtins": {"dict", "list", "set", "frozenset", "complex", "object"},
    "collections": {"OrderedDict"},
    "copyreg": {"_reconstructor"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "uuid": {"UUID", "SafeUUID"},
    "networkx.classes.graph": {"Graph"},
    "networkx.classes.digraph": {"DiGraph"},
    "networkx.classes.multigraph": {"MultiGraph"},
    "networkx.classes.multidigraph": {"MultiDiGraph"},
    "networkx.classes.coreviews": {"AtlasView", "AdjacencyView", "MultiAdjacencyView"},
    "networkx.classes.reportviews": {
        *("NodeView", "EdgeView", "OutEdgeView", "InEdgeView", "MultiEdgeView", "OutMultiEdgeView", "InMultiEdgeView"),
        *("DegreeView", "DiDegreeView", "InDegreeView", "OutDegreeView", "MultiDegreeView", "DiMultiDegreeView", "InMultiDegreeView", "OutMultiDegreeView"),
    },
}  # fmt: skip
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}
"""What protocol 2 and older call them."""


def _latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 and older write bytes: as a call of a codec, of which this one is enough."""
    if encoding != "latin1":
        raise MigrationError(f"the pickle asks for the codec {encoding!r}")
    return text.encode("latin-1")


def _bytes(*values: Any) -> bytes:
    if values and not isinstance(values[0], (str, bytes, list, tuple)):
        raise MigrationError("the pickle asks for bytes of a number, which may be more than there is memory")
    return bytes(*values)


def _range(*values: int) -> range:
    made = range(*values)
    if made and abs((made[-1] - made[0]) // made.step) >= VALUES:
        raise MigrationError(f"the pickle has a range of more than {VALUES} values")
    return made


_MADE: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _latin1,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): lambda *values: bytearray(_bytes(*values)),
    ("builtins", "range"): _range,
}
"""What is called in place of what the pickle names, since a few bytes can ask those for any number of values."""


_load_build: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.BUILD[0]]


class _Reader(pickle._Unpickler):
    """In Python: the one in C makes room for whatever number a damaged pickle names."""

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        module = _RENAMED.get(module, module)
        if (module, name) in _MADE:
            return _MADE[module, name]
        if name not in _ADMITTED.get(module, ()):
            raise MigrationError(f"the pickle names {module}.{name}, which is no NetworkX graph and no plain value: it is not read; where it is yours, save it with networkx.node_link_data and json")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise MigrationError("the pickle refers to what stands outside of it")

    def load_build(self) -> None:
        """A state is of an object that the pickle made: one set on a class would change it for the whole process."""
        if isinstance(self.stack[-2], (type, types.FunctionType)):
            raise MigrationError("the pickle sets a state on what is no object of its own")
        _load_build(self)

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build}


def load(path: str | Path) -> networkx.Graph[Any]:
    """The graph in a pickle, also one that gzip or bzip2 packed. MigrationError: it is none, or has anything else in it."""
    try:
        import networkx
    except ImportError:
        raise MigrationError("reading a NetworkX pickle needs networkx: pip install networkx") from None
    raw = Path(path).read_bytes()
    try:
        for magic, opener in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open)):
            if raw.startswith(magic):
                with opener(io.BytesIO(raw)) as stream:
                    raw = stream.read(LIMIT + 1)
        if len(raw) > LIMIT:
            raise MigrationError(f"{path}: has more than {LIMIT} bytes unpacked")
        graph: Any = _Reader(io.BytesIO(raw)).load()
    except MigrationError as error:
        raise MigrationError(f"{path}: {error}") from None
    except Exception as error:  # whatever a damaged one makes pickle, gzip or a constructor raise
        raise MigrationError(f"{path}: is no pickle that can be read: {type(error).__name__}: {error}") from None
    if type(graph) not in (networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph):
        raise MigrationError(f"{path}: holds a {type(graph).__name__}, and no NetworkX graph")
    try:
        return _made_anew(graph)
    except MigrationError as error:
        raise MigrationError(f"{path}: {error}") from None
    except Exception as error:  # its own tables are what the pickle says: anything
        raise MigrationError(f"{path}: its graph is damaged: {type(error).__name__}: {error}") from None


def _made_anew(graph: Any) -> networkx.Graph[Any]:
    """A new graph with its nodes and edges as JSON can say them: of the one in the pickle nothing is believed but that."""
    import networkx

    members = vars(graph)
    kind: Any = type(graph)
    result: Any = kind()
    attributes, nodes, adjacent = members.get("graph"), members.get("_node"), members.get("_succ" if kind in (networkx.DiGraph, networkx.MultiDiGraph) else "_adj", members.get("_adj"))
    if type(attributes) is not dict or type(nodes) is not dict or type(adjacent) is not dict:
        raise MigrationError("its graph is damaged: it lacks nodes, edges or attributes")
    result.graph.update(_plain(attributes))
    for node, values in nodes.items():
        result.add_node(_key(node))
        result.nodes[_key(node)].update(_plain(dict(values)))
    multi = result.is_multigraph()
    for source, targets in adjacent.items():
        for target, found in dict(targets).items():
            for key, values in dict(found).items() if multi else ((None, found),):
                ends = (_key(source), _key(target))
                if not result.is_directed() and (result.has_edge(*ends, key=_key(key)) if multi else result.has_edge(*ends)):
                    continue  # undirected: each stands there twice
                if multi:
                    result.add_edge(*ends, key=_key(key))
                    result.edges[(ends[0], ends[1], _key(key))].update(_plain(dict(values)))
                else:
                    result.add_edge(*ends)
                    result.edges[ends].update(_plain(dict(values)))
    return result  # type: ignore[no-any-return]


def _key(value: Any) -> Any:
    """A node, or a key of an edge: what JSON has, or a tuple of such; else its text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, tuple):
        return tuple(_key(item) for item in value)
    if isinstance(value, frozenset):
        return tuple(sorted((_key(item) for item in value), key=repr))
    return _value(value, [VALUES])


def _plain(values: dict[Any, Any]) -> dict[str, Any]:
    budget = [VALUES]
    return {str(name): _value(value, budget) for name, value in values.items()}


def _value(value: Any, budget: list[int]) -> Any:
    """A value of attributes as JSON has it."""
    budget[0] -= 1
    if budget[0] < 0:
        raise MigrationError(f"a node or an edge has more than {VALUES} values")
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # no JSON for infinities and NaN
    if isinstance(value, dict):
        return {name if isinstance(name, str) else str(name): _value(member, budget) for name, member in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_value(item, budget) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_value(item, budget) for item in value), key=repr)
    if isinstance(value, (bytes, bytearray)):
        return {"$base64": base64.b64encode(value).decode()}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (uuid.UUID, decimal.Decimal, complex)):
        return str(value)
    raise MigrationError(f"a value of type {type(value).__name__} has no JSON form")
