"""Graphs as other libraries have them, and back. The libraries are imported when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _native
from ._json import decode, encode
from .errors import Constraint, InvalidJson
from .records import Json
from .results import Arrays
from .models import module

if TYPE_CHECKING:
    import igraph
    import networkx
    import rustworkx

    from .database import Database
    from .graph import Graph

MARK = "json:"
TYPE = "@type"
KEY = "@key"
LARGEST = 2**63 - 1
_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")


# ---- keys: as graphs.import and graphs.export of the format node_link have them --------------------------------------------


def _compact(value: Any) -> str:
    return _native.brant_json_compact(encode(value))


def key_of(value: Any) -> str:
    """The key of a node that is anything: text as it is, else json:<its compact JSON>."""
    if isinstance(value, str) and value and "\0" not in value and not value.startswith(MARK):
        return value
    if type(value) is int and -LARGEST <= value <= LARGEST:
        return f"{MARK}{value}"  # most keys that are no text; the rest costs ten times as much
    return MARK + _compact(value)


def value_of(key: str) -> Any:
    """The way back; arrays become tuples."""
    if not key.startswith(MARK):
        return key
    text = key[len(MARK) :]
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        if _native.brant_json_compact(text) != text:
            return key
    except InvalidJson:
        return key
    value = decode(text)
    return _hashable(value) if key_of(value) == key else key


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _edge_key_of(source: str, target: str, value: Any, directed: bool) -> str:
    """The key of a parallel edge, which NetworkX knows only among those of its ends."""
    if not directed and source.encode() > target.encode():
        source, target = target, source
    return _compact([source, target, value])


def _edge_value_of(key: str, source: str, target: str, directed: bool) -> tuple[Any, bool]:
    """The way back: the key among those of its ends; whether it was made of one."""
    if key.startswith("["):
        try:
            value = decode(key)
        except ValueError:
            return key, False
        if len(value) == 3 and _edge_key_of(source, target, value[2], directed) == key:
            return _hashable(value[2]), True
    return key, False


# ---- out ------------------------------------------------------------------------------------------------------------------


def _directed(arrays: Arrays, library: str) -> bool:
    if arrays.directed is None:
        raise Constraint(f"{library} has no mixed graphs")
    return arrays.directed


def _types(places: list[int] | None, names: list[str] | None, count: int) -> list[str | None]:
    return [None] * count if places is None or names is None else [names[place] for place in places]


def _node_types(arrays: Arrays) -> list[str | None]:
    return _types(arrays.types, arrays.node_types, len(arrays.keys))


def _edge_types(arrays: Arrays) -> list[str | None]:
    return _types(arrays.edge_type_of, arrays.edge_types, len(arrays.sources))


def _edge_keys(arrays: Arrays) -> list[str | None]:
    return [None] * len(arrays.sources) if arrays.edge_keys is None else arrays.edge_keys


def _with_type(attributes: Json, type: str | None) -> Json:
    return attributes if type is None else {TYPE: type, **attributes}


def _with_key(attributes: Json, key: str | None) -> Json:
    return attributes if key is None else {KEY: key, **attributes}


def to_networkx(graph: Graph, arrays: Arrays) -> networkx.Graph[Any]:
    import networkx

    directed = _directed(arrays, "NetworkX")
    if arrays.multi:
        made: networkx.Graph[Any] = networkx.MultiDiGraph() if directed else networkx.MultiGraph()
    else:
        made = networkx.DiGraph() if directed else networkx.Graph()
    made.graph.update(graph.info().metadata)
    fill: Any = made  # what its edges are depends on its class
    values = [value_of(key) for key in arrays.keys]
    made.add_nodes_from(
        (value, _with_type(attributes, type))
        for value, attributes, type in zip(values, arrays.node_attributes or (), _node_types(arrays))
    )
    edges = zip(arrays.sources, arrays.targets, _edge_keys(arrays), arrays.edge_attributes or (), _edge_types(arrays))
    if arrays.multi:

        def parallel() -> Iterator[tuple[Any, Any, Any, Json]]:
            for source, target, key, attributes, type in edges:
                value, theirs = _edge_value_of(key or "", arrays.keys[source], arrays.keys[target], directed)
                own = _with_key(_with_type(attributes, type), None if theirs else key)
                yield values[source], values[target], value, own

        fill.add_edges_from(parallel())
    else:
        fill.add_edges_from(
            (values[source], values[target], _with_key(_with_type(attributes, type), key))
            for source, target, key, attributes, type in edges
        )
    return made


def _columns(items: list[Json], taken: set[str]) -> dict[str, list[Any]]:
    """Attributes by name, None where an item has none."""
    names = dict.fromkeys(name for item in items for name in item)
    return {f"attributes.{name}" if name in taken else name: [item.get(name) for item in items] for name in names}


def to_igraph(arrays: Arrays) -> igraph.Graph:
    import igraph

    directed = _directed(arrays, "igraph")
    vertices: dict[str, list[Any]] = {"name": arrays.keys}
    edges: dict[str, list[Any]] = {}
    if arrays.node_types is not None:
        vertices["type"] = _node_types(arrays)
    if arrays.edge_types is not None:
        edges["type"] = _edge_types(arrays)
    if arrays.edge_keys is not None:
        edges["key"] = arrays.edge_keys
    if arrays.weights is not None:
        edges["weight"] = arrays.weights
    return igraph.Graph(
        n=len(arrays.keys),
        edges=list(zip(arrays.sources, arrays.targets)),
        directed=directed,
        vertex_attrs=vertices | _columns(arrays.node_attributes or [], set(vertices)),
        edge_attrs=edges | _columns(arrays.edge_attributes or [], set(edges)),
    )


def to_rustworkx(arrays: Arrays) -> rustworkx.PyGraph[Any, Any] | rustworkx.PyDiGraph[Any, Any]:
    import rustworkx

    directed = _directed(arrays, "rustworkx")
    make = rustworkx.PyDiGraph if directed else rustworkx.PyGraph
    made = make(multigraph=arrays.multi)
    made.add_nodes_from(_items(arrays.keys, _node_types(arrays), arrays.node_attributes))
    ends = zip(arrays.sources, arrays.targets, _items(_edge_keys(arrays), _edge_types(arrays), arrays.edge_attributes))
    made.add_edges_from(list(ends))
    return made


def _items(keys: Sequence[str | None], types: list[str | None], attributes: list[Json] | None) -> list[Json]:
    if attributes is None:
        return [{"key": key, "type": type} for key, type in zip(keys, types)]
    return [{"key": key, "type": type, "attributes": own} for key, type, own in zip(keys, types, attributes)]


# ---- in -------------------------------------------------------------------------------------------------------------------


def _graph_type(database: Database, directed: bool, multi: bool) -> str:
    """The name of the untyped graph type of a class of NetworkX, which is defined where it is not yet."""
    name = "open" + ("" if directed else "_undirected") + ("_multi" if multi else "")
    if name != "open":
        made = module(name, directed=directed, multi=multi, allow_self_loops=True)
        del made["$schema"]  # then it is the one that graphs.import defines
        database.graph_types.define(made)
    return name


def _item(attributes: Mapping[str, Any], **names: str) -> Json:
    """What is known of a node or edge beside its ends: its attributes, but for those that say its type or key."""
    special = {member: attributes[name] for member, name in names.items() if isinstance(attributes.get(name), str)}
    if not special:
        return {"attributes": attributes}
    taken = {names[member] for member in special}
    return {"attributes": {name: value for name, value in attributes.items() if name not in taken}, **special}


def from_networkx(database: Database, name: str, source: networkx.Graph[Any], graph_type: str | None) -> Graph:
    directed, multi = source.is_directed(), source.is_multigraph()
    with database.transaction():
        chosen = _graph_type(database, directed, multi) if graph_type is None else graph_type
        database.graphs.create(name, chosen, metadata=dict(source.graph))
        names = {"type": TYPE} if database.graph_types.get(chosen).node_types else {}
        graph = database.graph(name)
        keys: dict[Any, str] = {}

        def nodes() -> Iterator[Json]:
            for value, attributes in source.nodes(data=True):
                key = keys[value] = key_of(value)
                yield {"key": key, **_item(attributes, **names)}

        def edges() -> Iterator[Json]:
            for ends in source.edges(keys=True, data=True) if multi else source.edges(data=True):  # type: ignore[call-overload]
                begin, end = keys[ends[0]], keys[ends[1]]
                item = {"source": begin, "target": end, **_item(ends[-1], key=KEY, **names)}
                if multi and "key" not in item:
                    item["key"] = _edge_key_of(begin, end, ends[2], directed)
                yield item

        graph.nodes.insert_many(nodes())
        graph.edges.insert_many(edges())
    return graph
