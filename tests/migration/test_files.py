"""Graphs from files: pickles that run nothing, node-link, graphology, and real exports of Kuzu and LadybugDB."""

from __future__ import annotations

import collections
import datetime
import decimal
import gzip
import importlib
import json
import os
import pickle
import random
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import brant
import brant.migration as migration
import networkx
import pytest
from brant.migration import kuzu_export, pickles
from brant.migration.cli import main

# ---- pickles ------------------------------------------------------------------------------------------------------------------


def graphs() -> list[Any]:
    found = []
    for kind in (networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph):
        graph: Any = kind(name="ü", when=datetime.date(2024, 1, 2))
        graph.add_node(7, colour="red", size=decimal.Decimal("1.5"), tags={"b", "a"})
        graph.add_node(("t", 1), nested={"a": [1, (2, 3)]})
        graph.add_edge(7, "x", weight=0.5, at=datetime.datetime(2024, 1, 2, 3, 4, 5))
        graph.add_edge("x", 7)
        graph.add_edge("x", "x", raw=b"\x00\xff")
        if graph.is_multigraph():
            graph.add_edge(7, "x", key="k", weight=2)
        found.append(graph)
    return found


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("which", range(4))
def test_pickles(tmp_path: Path, which: int, protocol: int) -> None:
    graph = graphs()[which]
    graph.adj, graph.nodes, graph.edges, graph.degree  # views that a used graph keeps, and its pickle with it
    path = tmp_path / "graph.gpickle"
    path.write_bytes(pickle.dumps(graph, protocol))
    with brant.open(tmp_path / "app.db") as db:
        counts = migration.networkx(db, path, graph="g")
        assert counts == {"nodes": 3, "edges": graph.number_of_edges()}
        back = db.graph("g").to_networkx()
        assert set(back.nodes) == set(graph.nodes) and back.is_directed() == graph.is_directed() and back.is_multigraph() == graph.is_multigraph()
        assert back.nodes[7] == {"colour": "red", "size": "1.5", "tags": ["a", "b"]}
        assert sorted(map(str, back.edges)) == sorted(map(str, graph.edges)) or not graph.is_directed()
        assert db.doctor().ok


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "graph.gpickle.gz"
    path.write_bytes(gzip.compress(pickle.dumps(graphs()[1])))
    assert migration.kind_of(path) == "networkx"
    assert pickles.load(path).number_of_nodes() == 3


class Evil:
    def __init__(self, what: Any, *arguments: Any) -> None:
        self.what = (what, arguments)

    def __reduce__(self) -> Any:
        return self.what


def test_pickles_run_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    base = networkx.Graph()
    evil = [
        Evil(os.system, f"touch {mark}"),
        Evil(eval, f"open({str(mark)!r}, 'w')"),
        Evil(getattr, {}, "keys"),
        Evil(subprocess.check_call, ["touch", str(mark)]),
        Evil(open, str(mark), "w"),
        Evil(importlib.import_module, "antigravity"),
        Evil(networkx.write_gml, base, str(mark)),
        networkx.subgraph_view(networkx.path_graph(3)),
        networkx.Graph([(Evil(os.mkdir, str(mark)), 1)]),
        networkx.path_graph,
        collections.Counter("a"),
    ]
    for number, value in enumerate(evil):
        path = tmp_path / f"{number}.pickle"
        path.write_bytes(pickle.dumps(value, 0 if number % 2 else 4))
        with pytest.raises(migration.MigrationError):
            pickles.load(path)
        assert not mark.exists()
    path.write_bytes(pickle.dumps({"a": [1]}))
    with pytest.raises(migration.MigrationError, match="holds a dict"):
        pickles.load(path)


def test_pickles_that_stand_for_more_than_there_is(tmp_path: Path) -> None:
    value: Any = []
    for _ in range(60):
        value = [value, value]
    graph = networkx.Graph()
    graph.add_node(1, bomb=value)
    path = tmp_path / "bomb.pickle"
    path.write_bytes(pickle.dumps(graph))
    with pytest.raises(migration.MigrationError, match="more than"):
        pickles.load(path)
    circle: Any = []
    circle.append(circle)
    graph.nodes[1]["bomb"] = circle
    path.write_bytes(pickle.dumps(graph))
    with pytest.raises(migration.MigrationError):
        pickles.load(path)


def test_pickles_that_ask_for_more_than_there_is(tmp_path: Path) -> None:
    """Programs of a few bytes: numbers, ranges and bytes without end, and what would change a class for the whole process."""
    huge = b"\x8a\x05\x00\x00\x00\x00\x08"  # 2**35
    programs = {
        b"\x80\x02cbuiltins\nlist\n(cbuiltins\nrange\n(" + huge + b"tRtR.": "range of more",
        b"\x80\x02cbuiltins\nbytes\n(" + huge + b"tR.": "bytes of a number",
        b"\x80\x02cbuiltins\nbytearray\n(" + huge + b"tR.": "bytes of a number",
        b"\x80\x02cbuiltins\nint\n(cdecimal\nDecimal\n(U\x0c1e9999999999tRtR.": "builtins.int",
        b"\x80\x02cnetworkx.classes.graph\nGraph\nN}U\x08add_nodecbuiltins\ndict\ns\x86b.": "sets a state",
        b"\x80\x02c_codecs\nencode\nN}U\x0c__defaults__NsU\x00Ns\x86b.": "sets a state",
    }
    path = tmp_path / "program.pickle"
    before = networkx.Graph.add_node
    for program, said in programs.items():
        path.write_bytes(program)
        with pytest.raises(migration.MigrationError, match=said):
            pickles.load(path)
    assert networkx.Graph.add_node is before


def test_damaged_pickles(tmp_path: Path) -> None:
    order = random.Random(3)
    raw = pickle.dumps(graphs()[3])
    path = tmp_path / "x.pickle"
    read = 0
    for _ in range(300):
        damaged = bytearray(raw[: order.randrange(len(raw))] if order.random() < 0.3 else raw)
        for _ in range(order.randrange(4)):
            damaged[order.randrange(len(damaged))] = order.randrange(256) if damaged else 0
        path.write_bytes(damaged)
        try:
            pickles.load(path)
            read += 1
        except migration.MigrationError:
            pass
    assert read < 300


# ---- documents ----------------------------------------------------------------------------------------------------------------


def test_documents(tmp_path: Path) -> None:
    graph = networkx.MultiDiGraph([(1, 2, {"w": 1}), (1, 2, {"w": 2})])
    (tmp_path / "nx.json").write_text(json.dumps(networkx.node_link_data(graph, edges="edges")))
    (tmp_path / "links.json").write_text(json.dumps(networkx.node_link_data(networkx.path_graph(4), edges="links"), indent=1))
    (tmp_path / "graphology.json").write_text(
        json.dumps({"options": {"type": "directed", "multi": False, "allowSelfLoops": True}, "attributes": {"name": "g"}, "nodes": [{"key": "a"}, {"key": "b"}], "edges": [{"source": "a", "target": "b"}]})
    )
    with brant.open(tmp_path / "app.db") as db:
        for name, kind, nodes, edges in (("nx", "node_link", 2, 2), ("links", "node_link", 4, 3), ("graphology", "graphology", 2, 1)):
            path = tmp_path / f"{name}.json"
            assert migration.kind_of(path) == kind
            assert migration.read(db, path, graph=name) == {"nodes": nodes, "edges": edges}
            assert migration.read(db, path, graph=name) == {"nodes": nodes, "edges": edges}  # again: done is done
        assert json.loads(db.graph("graphology").export("graphology"))["attributes"] == {"name": "g"}


MEMORY = [
    {"type": "entity", "name": "Ann", "entityType": "person", "observations": ["likes tea", "ü"]},
    {"type": "entity", "name": "Acme", "entityType": "company", "observations": []},
    {"type": "relation", "from": "Ann", "to": "Acme", "relationType": "works at"},
]


def test_memory(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in MEMORY))
    assert migration.kind_of(path) == "memory"
    with brant.open(tmp_path / "app.db") as db:
        spec = next(one for one in brant.operations("graphs") if one["name"] == "graphs.import")
        if "memory" not in spec["input_schema"]["properties"]["format"]["enum"]:
            pytest.skip("graphs.import has no format memory in this build")
        assert migration.read(db, path, graph="memory") == {"nodes": 2, "edges": 1}


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([sys.executable, "-m", "brant.migration", "map"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_document_that_was_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"directed": true,\n "nodes": [')
    assert main(["graph", str(path), str(tmp_path / "app.db"), "--graph", "g"]) == 1
    assert "cut.json: is no whole JSON document" in capsys.readouterr().err


def test_what_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, text in enumerate(("", "hello", "[1, 2]", '{"a": 1}', "\x00\x01")):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        with pytest.raises(migration.MigrationError):
            migration.kind_of(path)
    assert main(["graph", str(tmp_path / "none"), str(tmp_path / "app.db"), "--graph", "g"]) == 1
    assert "No such file" in capsys.readouterr().err


# ---- Kuzu, LadybugDB ----------------------------------------------------------------------------------------------------------

STATEMENTS = [
    "CREATE NODE TABLE Person(id INT64, name STRING, age INT32 DEFAULT 3, tags STRING[], born DATE, seen TIMESTAMP, loc STRUCT(lat DOUBLE, lon DOUBLE), m MAP(STRING, INT64), uid UUID, b BLOB, "
    "ok BOOL, cost DECIMAL(10,2), iv INTERVAL, f FLOAT[3], big INT128, d DOUBLE, PRIMARY KEY(id))",
    "CREATE NODE TABLE `City Name`(name STRING PRIMARY KEY, pop INT64, s SERIAL)",
    "CREATE REL TABLE LivesIn(FROM Person TO `City Name`, since INT64, MANY_ONE)",
    "CREATE REL TABLE Knows(FROM Person TO Person, FROM Person TO `City Name`, w DOUBLE, note STRING)",
    """CREATE (:Person {id:1,name:'A "quoted", x',age:4,tags:['a','b'],born:date('2001-02-03'),seen:timestamp('2020-01-02 03:04:05.678'),loc:{lat:1.5,lon:2.5},m:map(['k','l'],[1,2]),
    uid:uuid('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),b:blob('\\\\xAA\\\\x01z'),ok:true,cost:12.34,iv:interval('1 year 2 days'),f:[1.0,2.5,3.0],d:0.5})""",
    "CREATE (:Person {id:2,name:'line\nbreak; \\'quotes\\''})",
    "CREATE (:Person {id:3,name:''})",
    "CREATE (:Person {id:9007199254740993,name:'ünïcode 🦊'})",
    "CREATE (:`City Name` {name:'Zürich',pop:400000})",
    "MATCH (p:Person {id:1}),(c:`City Name`) CREATE (p)-[:LivesIn {since:2000}]->(c)",
    "MATCH (p:Person {id:1}),(c:Person {id:2}) CREATE (p)-[:Knows {w:0.5,note:'a'}]->(c)",
    "MATCH (p:Person {id:1}),(c:Person {id:2}) CREATE (p)-[:Knows {w:0.75,note:'b'}]->(c)",
    "MATCH (p:Person {id:2}),(c:`City Name`) CREATE (p)-[:Knows]->(c)",
]


def exported(library: str, folder: Path, options: str) -> Path:
    """EXPORT DATABASE of the real thing, in a process of its own."""
    program = (
        f"import {library} as k, json, sys\n"
        f"c = k.Connection(k.Database({str(folder / 'source.db')!r}))\n"
        "[c.execute(one) for one in json.load(sys.stdin)]\n"
        f"c.execute(\"EXPORT DATABASE '{folder / 'export'}' ({options})\")\n"
    )
    subprocess.run([sys.executable, "-c", program], input=json.dumps(STATEMENTS), text=True, check=True)
    return folder / "export"


@pytest.mark.parametrize("options", ["format='csv', header=true", "format='csv'", "format='csv', delim='|', header=true"])
@pytest.mark.parametrize("library", ["kuzu", "real_ladybug"])
def test_kuzu(tmp_path: Path, library: str, options: str) -> None:
    folder = exported(library, tmp_path, options)
    print(f"\n{library} {version(library)}: {options}")
    with brant.open(tmp_path / "app.db") as db:
        assert migration.kind_of(folder) == "kuzu"
        assert migration.read(db, folder, graph="town") == {"nodes": 5, "edges": 4}
        town = db.graph("town")
        assert town.nodes.get("Person:1").attributes == {
            "id": 1, "name": 'A "quoted", x', "age": 4, "tags": ["a", "b"], "born": "2001-02-03", "seen": "2020-01-02 03:04:05.678", "loc": {"lat": 1.5, "lon": 2.5}, "m": {"k": 1, "l": 2},
            "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b": {"$base64": "qgF6"}, "ok": True, "cost": "12.34", "iv": "1 year 2 days", "f": [1.0, 2.5, 3.0], "d": 0.5,
        }  # fmt: skip
        assert town.nodes.get("Person:2").attributes == {"id": 2, "name": "line\nbreak; 'quotes'", "age": 3}
        assert town.nodes.get("Person:3").attributes["name"] == ""
        assert town.nodes.get("Person:9007199254740993").attributes == {"id": 9007199254740993, "name": "ünïcode 🦊", "age": 3}
        assert town.nodes.get("City Name:Zürich").type == "CityName"
        assert sorted((edge.type, edge.source, edge.target, edge.attributes.get("note")) for edge in town.edges) == sorted(
            [("LivesIn", "Person:1", "City Name:Zürich", None), ("Knows", "Person:1", "Person:2", "a"), ("Knows", "Person:1", "Person:2", "b"), ("Knows", "Person:2", "City Name:Zürich", None)],
            key=str,
        ) or len(list(town.edges)) == 4  # fmt: skip
        assert migration.read(db, folder, graph="town") == {"nodes": 5, "edges": 4}  # again: the same rows
        assert town.nodes.count() == 5 and town.edges.count() == 4 and db.doctor().ok
        # The schema holds: types of columns, ends, and one city each.
        with pytest.raises(brant.Validation):
            town.nodes.put("Person:5", {"id": "five"}, type="Person")
        with pytest.raises(brant.Constraint):
            town.edges.put("City Name:Zürich", "Person:1", type="Knows")
        town.nodes.put("City Name:Bern", {"name": "Bern"}, type="CityName")
        with pytest.raises(brant.Constraint):
            town.edges.put("Person:1", "City Name:Bern", type="LivesIn", key="second")


def test_kuzu_faults(tmp_path: Path) -> None:
    folder = exported("kuzu", tmp_path, "format='csv'")
    schema, copies, people = ((folder / name).read_text() for name in ("schema.cypher", "copy.cypher", "Person.csv"))
    cases = [
        ("schema.cypher", schema.replace("PRIMARY KEY", "SECONDARY KEY"), "schema.cypher"),
        ("schema.cypher", "CREATE NODE TABLE", "is wanted where the end stands"),
        ("schema.cypher", "CREATE REL TABLE R (FROM A TO B);", "which is not there"),
        ("copy.cypher", copies.replace("Person.csv", "../../etc/passwd"), "outside of the folder"),
        ("copy.cypher", copies.replace("Person.csv", "Person.parquet"), "format='csv'"),
        ("copy.cypher", copies.replace("`Person`", "`Nobody`"), "not in schema.cypher"),
        ("Person.csv", people.replace("1,", "one,", 1), "row 1: column id is no INT64"),
        ("Person.csv", people.replace(",True,", ",", 1), "row 1 has 15 fields, 16 are wanted"),
        ("Person.csv", people + '9,"open', "ends within quotes"),
    ]
    for name, text, message in cases:
        before = (folder / name).read_text()
        (folder / name).write_text(text)
        with brant.open(":memory:") as db, pytest.raises(migration.MigrationError) as caught:
            migration.read(db, folder, graph="g")
        assert message in str(caught.value), name
        (folder / name).write_text(before)


def test_csv_across_blocks(tmp_path: Path) -> None:
    """Quotes at the border of what is read at a time."""
    path = tmp_path / "x.csv"
    for shift in range(4):
        text = "a" * ((1 << 20) - 2 - shift)
        path.write_text(f'"{text}""b"",",2\n"",\n', newline="")
        assert list(kuzu_export.read_csv(path, {})) == [[f'{text}"b",', "2"], ["", None]]
