"""Documents out and in."""

import csv
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

import brant


@pytest.fixture
def debian(packages: brant.Graph) -> brant.Graph:
    packages.nodes.insert_many({"key": f"p{n}", "type": "Package", "attributes": {"name": f"ü{n}", "size": n}} for n in range(5))
    packages.edges.insert_many({"source": f"p{n}", "target": f"p{n + 1}", "type": "Depends"} for n in range(4))
    return packages


def test_texts(debian: brant.Graph) -> None:
    graphology = json.loads(debian.export("graphology"))
    assert graphology["options"] == {"type": "directed", "multi": False, "allowSelfLoops": False}
    assert [node["key"] for node in graphology["nodes"]] == [f"p{n}" for n in range(5)]
    assert graphology["nodes"][1]["attributes"] == {"@type": "Package", "name": "ü1", "size": 1}
    assert (graphology["edges"][0]["source"], graphology["edges"][0]["target"]) == ("p0", "p1")
    links = json.loads(debian.export("node_link", edges="links"))
    assert links["directed"] is True and len(links["links"]) == 4
    part = json.loads(debian.export("node_link", filter={"attributes.size": {"$lt": 2}}, timeout=10))
    assert ([node["id"] for node in part["nodes"]], len(part["edges"])) == (["p0", "p1"], 1)
    assert json.loads(debian.export("node_link", edge_filter={"source": "p0"}))["edges"][0]["target"] == "p1"
    lines = debian.export("ndjson").splitlines()
    assert len(lines) >= 9 and all(isinstance(json.loads(line), dict) for line in lines)
    rows = list(csv.reader(io.StringIO(debian.export("csv", part="nodes"))))
    assert len(rows) == 6 and "p3" in rows[4]
    assert debian.export("dot").startswith("digraph") and "<graphml" in debian.export("graphml")
    assert debian.export("mermaid").startswith(("flowchart", "graph"))
    with pytest.raises(brant.Invalid):
        debian.export("what")  # type: ignore[call-overload]
    with pytest.raises(brant.NotFound):
        debian.database.graph("nothing").export("dot")


def test_files(debian: brant.Graph, tmp_path: Path) -> None:
    whole = debian.export("graphology")
    path = tmp_path / "out.json"
    debian.export("graphology", path)
    assert path.read_text(encoding="utf-8") == whole
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o640)
    debian.export("ndjson", str(path))
    assert path.read_text(encoding="utf-8") == debian.export("ndjson") and stat.S_IMODE(path.stat().st_mode) == 0o640
    text, binary = io.StringIO(), io.BytesIO()
    debian.export("graphology", text)
    debian.export("graphology", binary)
    assert text.getvalue() == whole and binary.getvalue() == whole.encode()
    with open(tmp_path / "binary", "wb") as file:
        debian.export("graphology", file)
    assert (tmp_path / "binary").read_bytes() == whole.encode()
    debian.export("graphology", "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(brant.Invalid):
        debian.export("what", tmp_path / "never")  # type: ignore[call-overload]
    with pytest.raises(FileNotFoundError):
        debian.export("dot", tmp_path / "nowhere" / "x")
    assert sorted(item.name for item in tmp_path.iterdir() if not item.name.startswith("test.db")) == ["binary", "out.json"]


def test_one_state_over_all_pages(db: brant.Database, graph: brant.Graph, path: Path) -> None:
    """A writer between the pages is not seen."""
    graph.nodes.insert_many({"key": f"{n:05}"} for n in range(25_000))
    other = brant.open(path)

    class Slow(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            other.graph("g").nodes.put(f"99{self.writes}")
            return super().write(text)

    slow = Slow()
    graph.export("graphology", slow)
    assert slow.writes > 1
    assert len(json.loads(slow.getvalue())["nodes"]) == 25_000
    other.close()
    assert graph.nodes.count() == 25_000 + slow.writes
    with db.transaction():
        graph.nodes.put("inside")
        assert '"inside"' in graph.export("graphology")


def test_an_import_of_text(db: brant.Database, debian: brant.Graph) -> None:
    for format in ("graphology", "node_link", "ndjson"):
        db.graphs.create(format, "packages")
        seen: list[brant.Imported] = []
        text = debian.export(format)
        done = db.graph(format).import_(format, text, progress=seen.append)
        assert (done.done, done.nodes, done.edges, done.failed) == (True, 5, 4, 0) and seen == [done]
        assert db.graph(format).export(format) == text
    with pytest.raises(brant.Exists):
        db.graph("ndjson").import_("ndjson", debian.export("ndjson"), mode="insert")
    db.graphs.create("csv", "packages")
    assert db.graph("csv").import_("csv", debian.export("csv", part="nodes"), part="nodes").nodes == 5
    assert db.graph("csv").import_("csv", debian.export("csv", part="edges"), part="edges").edges == 4
    with pytest.raises(brant.BrantError):
        db.graph("csv").import_("graphology", "{")
    with pytest.raises(brant.Invalid):
        db.graph("csv").import_("graphology")


def test_an_import_of_a_file(db: brant.Database, graph: brant.Graph, tmp_path: Path) -> None:
    path = tmp_path / "nodes.ndjson"
    path.write_text("".join(json.dumps({"node": {"key": f"{n}"}}) + "\n" for n in range(1000)))
    seen: list[Any] = []
    done = graph.import_("ndjson", path=path, batch=300, progress=lambda so_far: seen.append((so_far.nodes, so_far.bytes)))
    assert done.done and done.nodes == 1000 and done.bytes == done.total_bytes == path.stat().st_size
    assert [nodes for nodes, _ in seen][:3] == [300, 600, 900] and seen[-1][0] == 1000
    assert [size for _, size in seen] == sorted(size for _, size in seen)
    for purge in ("g", "h"):
        if purge == "g":
            db.graphs.create("h")
    other = db.graph("h")
    begun = other.import_("ndjson", path=str(path), batch=300, max_batches=2)
    assert not begun.done and other.nodes.count() == 600
    rest = other.import_("ndjson", path=path, batch=300, resume=True, timeout=60)
    assert rest.done and other.nodes.count() == 1000
    db.graphs.create("i")
    limited = db.graph("i").import_("ndjson", path=path, batch=300, max_batches=2, progress=lambda so_far: None)
    assert not limited.done and limited.nodes == 600
    path.write_text('{"node":{"key":"good"}}\n{"node":{"key":""}}\n')
    db.graphs.create("j")
    skipped = db.graph("j").import_("ndjson", path=path, errors="skip")
    assert (skipped.nodes, skipped.failed, skipped.items[0].index) == (1, 1, 1)
    with pytest.raises(brant.BrantError):
        graph.import_("ndjson", path=tmp_path / "nothing")


def test_types_of_what_is_imported(db: brant.Database, packages: brant.Graph) -> None:
    document = {"directed": True, "multigraph": False, "graph": {}, "nodes": [{"id": "a", "name": "a"}, {"id": "b", "name": "b"}]}
    text = json.dumps({**document, "edges": [{"source": "a", "target": "b"}]})
    packages.import_("node_link", text, node_type="Package", edge_type="Depends")
    assert packages.nodes.get("a").type == "Package" and packages.edges.list()[0].type == "Depends"


def test_traces(db: brant.Database) -> None:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "GET",
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000000000",
    }
    child = {**span, "spanId": "eee19b7ec3c1b175", "parentSpanId": span["spanId"], "name": "SQL"}
    db.graphs.create("calls", "call")
    text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span, child]}]}]})
    assert db.graph("calls").import_("otlp", text).nodes == 2
    assert db.graph("calls").edges.count(type="Triggered") == 1
