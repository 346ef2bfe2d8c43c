"""Round trips through NetworkX, graphology, and Python's CSV reader; drawings read by other programs; hostile and large files."""

import csv
import io
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import networkx as nx
import pydot
from networkx.readwrite.json_graph import node_link_data, node_link_graph

from agent import BUILD, Agent, Refused

HERE = Path(__file__).resolve().parent
SEED = int(os.environ.get("BRANT_SEED", "20"))
passed = failed = 0


def check(name, good, note=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {note}"[:2000])


def refused(name, code, text, call):
    try:
        answer = call()
    except Refused as error:
        check(name, error.code == code and text in error.message, f"{error}")
    else:
        check(name, False, f"not refused: {answer}")


# ---- NetworkX

TEXTS = ["a", "", "json:1", 'json:"x"', "ü😀", "a\0b", 'x"y\\z', "line\nline", "0", "[1,2]", "null"]
NAMES = ["weight", "label", "name", "type", "@type", "@metadata", "a.b", "", "nodes"]


def value(chance, depth=0):
    kinds = [
        lambda: chance.randrange(-(2**63), 2**63),
        lambda: chance.randrange(100),
        lambda: chance.random() * 10.0 ** chance.randrange(-300, 300),
        lambda: float(chance.randrange(100)),
        lambda: chance.choice(TEXTS),
        lambda: chance.random() < 0.5,
        lambda: None,
        lambda: [value(chance, depth + 1) for _ in range(chance.randrange(3))],
        lambda: {chance.choice([text for text in TEXTS if "\0" not in text]) + str(i): value(chance, depth + 1) for i in range(chance.randrange(3))},
    ]
    return chance.choice(kinds[:7] if depth > 2 else kinds)()


def attributes(chance, names):
    return {chance.choice(names): value(chance) for _ in range(chance.randrange(4))}


def node(chance):
    kinds = [
        lambda: chance.randrange(-3, 9),
        lambda: chance.choice([0.5, -2.25, 1e300, 3.5]),
        lambda: chance.choice(TEXTS) + chance.choice(["", "b"]),
        lambda: (chance.randrange(3), chance.choice(TEXTS)),
        lambda: chance.random() < 0.5,
        lambda: "json:" + str(chance.randrange(3)),
    ]
    return chance.choice(kinds)()


def networkx_graph(chance, index):
    kind = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph][index % 4]
    graph = kind(**{name or "n": value(chance) for name in chance.sample(NAMES, 2) if name != "@metadata"} if chance.random() < 0.5 else {})
    nodes = [node(chance) for _ in range(chance.randrange(20))]
    for each in nodes:
        graph.add_node(each, **attributes(chance, [n for n in NAMES if n] + ["source", "key", "target"]))
    for _ in range(chance.randrange(40) if nodes else 0):
        source, target = chance.choice(nodes), chance.choice(nodes)
        if graph.is_multigraph():
            key = chance.choice([None, None, 0, 7, "x", "", "@", True, 2.5, 'k"'])
            graph.add_edge(source, target, key=key, **attributes(chance, [n for n in NAMES if n] + ["id"]))
        else:
            graph.add_edge(source, target, **attributes(chance, [n for n in NAMES if n] + ["id", "key"]))
    return graph


def exactly(a, b):
    """Equality that tells 1 from 1.0 and from True."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(exactly(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(exactly, a, b))
    return a == b


def same_graph(a, b):
    if type(a) is not type(b) or not exactly(a.graph, b.graph):
        return False
    if {n: repr(n) for n in a} != {n: repr(n) for n in b} or any(not exactly(dict(a.nodes[n]), dict(b.nodes[n])) for n in a):
        return False
    if a.number_of_edges() != b.number_of_edges():
        return False
    if a.is_multigraph():
        return all(b.has_edge(u, v, k) and exactly(d, b[u][v][k]) for u, v, k, d in a.edges(keys=True, data=True))
    return all(b.has_edge(u, v) and exactly(d, b[u][v]) for u, v, d in a.edges(data=True))


def canonical(data, edges):
    def text(item):
        return json.dumps(item, sort_keys=True)

    return {**data, "nodes": sorted(map(text, data["nodes"])), edges: sorted(map(text, data[edges]))}


def test_networkx(db, count):
    for index in range(count):
        chance = random.Random(SEED * 1000 + index)
        graph = networkx_graph(chance, index)
        edges = chance.choice(["edges", "links"])
        data = node_link_data(graph, edges=edges)
        members = list(data.items())
        chance.shuffle(members)  # arrays and members in any order
        text = json.dumps(dict(members), indent=chance.choice([None, 1]), ensure_ascii=chance.random() < 0.5)
        name = f"nx{index}"
        try:
            db.call("graphs.import", graph=name, format="node_link", text=text, create=True)
            returned = db.export(graph=name, format="node_link", edges=edges, limit=chance.choice([1, 3, 10000]))
        except Refused as error:
            check(name, False, f"{error}\n{text}")
            continue
        back = json.loads(returned)
        for edge in data[edges]:  # 1, 1.0 and True are one node: edges come back with its id
            for end in ("source", "target"):
                edge[end] = next(node for node in graph if node == edge[end])
        text = json.dumps(data)
        check(f"{name} text", exactly(canonical(json.loads(text), edges), canonical(back, edges)), f"\n{text}\n{returned}")
        check(f"{name} graph", same_graph(graph, node_link_graph(back, edges=edges)), text)
        # Through brant's own complete form, and through CSV, into another graph.
        lines = db.export(graph=name, format="ndjson")
        db.call("graphs.import", graph=name + "b", format="ndjson", text=lines, create=True)
        check(f"{name} ndjson", db.export(graph=name + "b", format="ndjson") == lines, lines)
        test_csv(db, name, chance)


def test_csv(db, name, chance):
    graph_type = db.call("graphs.get", name=name)["graph_type"]
    db.call("graphs.create", name=name + "c", graph_type=graph_type, metadata=db.call("graphs.get", name=name)["metadata"])
    for part in ("nodes", "edges"):
        text = db.export(graph=name, format="csv", part=part, limit=chance.choice([2, 10000]))
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        stored = db.call(f"{part}.count", graph=name)["count"]
        check(f"{name} csv {part} rows", len(rows) == stored + 1 and len({len(row) for row in rows}) == 1, text)
        written = io.StringIO(newline="")
        csv.writer(written, lineterminator=chance.choice(["\n", "\r\n"]), quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerows(rows)
        db.call("graphs.import", graph=name + "c", format="csv", part=part, text=written.getvalue())
    first, second = (db.export(graph=each, format="ndjson") for each in (name, name + "c"))
    # The members of attributes come in the order of the columns.
    check(f"{name} csv", exactly(*([json.loads(line) for line in text.splitlines()] for text in (first, second))), f"\n{first}\n{second}")


def test_missing(db):
    """What the library takes for granted where members are missing."""
    text = '{"nodes": [{"id": "a"}, {}], "links": [{"source": "a", "target": 1}]}'
    db.call("graphs.import", graph="missing", format="node_link", text=text, create=True)
    graph = node_link_graph(json.loads(text), edges="links")
    back = node_link_graph(json.loads(db.export(graph="missing", format="node_link")), edges="edges")
    check("missing", type(graph) is type(back) and set(graph) == set(back) and set(graph.edges()) == set(back.edges()))


# ---- graphology


def test_graphology(db, count):
    folder = os.environ["BRANT_EXCHANGE_NODE"]
    script = [os.environ.get("NODE", "node"), str(HERE / "graphology.mjs")]
    lines = subprocess.run([*script, "generate", str(count), str(SEED)], cwd=folder, check=True, capture_output=True).stdout
    pairs = []
    for index, line in enumerate(lines.decode().splitlines()):
        name = f"gr{index}"
        document = json.loads(line)
        members = list(document.items())
        random.Random(index).shuffle(members)
        try:
            db.call("graphs.import", graph=name, format="graphology", text=json.dumps(dict(members)), create=True)
            pairs.append([document, json.loads(db.export(graph=name, format="graphology"))])
        except Refused as error:
            check(name, False, f"{error}\n{line}")
            continue
        doctor = index % 50 or db.call("db.doctor")["ok"]
        check(f"{name} doctor", bool(doctor))
    answer = subprocess.run([*script, "verify"], cwd=folder, input="\n".join(map(json.dumps, pairs)).encode(), capture_output=True)
    result = json.loads(answer.stdout) if answer.returncode == 0 else {"total": 0, "failed": count}
    global passed, failed
    passed += result["total"] - result["failed"]
    failed += result["failed"]
    if result["failed"] or not result["total"]:
        print(answer.stderr.decode()[:4000])


# ---- drawings


def test_drawings(db, count):
    for index in range(count):
        chance = random.Random(SEED * 77 + index)
        kind = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph][index % 4]
        graph = kind()
        names = ["a", "b c", 'q"', "back\\", "\\", '\\"', "<&>'", "ü", "x\ny", "{", "--", "n:p", "1", "graph"]
        for each in chance.sample(names, 8):
            graph.add_node(each, **{name: chance.choice([1, 2**40, 1.5, True, "t<&\"\\", "", "1"]) for name in chance.sample(["w", "x y", "<n>", "é"], 2)})
        for _ in range(12):
            ends = chance.choice(list(graph)), chance.choice(list(graph))
            graph.add_edge(*ends, w=chance.choice([1, "1", 2.5, False]))
        name = f"dr{index}"
        db.call("graphs.import", graph=name, format="node_link", text=json.dumps(node_link_data(graph, edges="edges")), create=True)
        text = db.export(graph=name, format="graphml", limit=chance.choice([3, 10000]))
        back = nx.parse_graphml(text, force_multigraph=graph.is_multigraph())
        good = back.is_directed() == graph.is_directed() and set(back) == set(graph)
        good = good and all(exactly(dict(graph.nodes[n]), dict(back.nodes[n])) for n in graph)
        good = good and sorted((*sorted((u, v)), repr(d["w"])) for u, v, d in graph.edges(data=True)) == sorted((*sorted((u, v)), repr(d["w"])) for u, v, d in back.edges(data=True))
        check(f"{name} graphml", good, text)
        text = db.export(graph=name, format="dot")
        check(f"{name} dot", dot_is(text, graph), text)
        text = db.export(graph=name, format="mermaid")
        check(f"{name} mermaid", mermaid_is(text, graph), text)


def unquote(text):
    """A quoted string of DOT as we write it, by the rules of Graphviz: backslash and quote is a quote; labels undouble backslashes."""
    if not (text.startswith('"') and text.endswith('"')):
        return text
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def dot_is(text, graph):
    parsed = pydot.graph_from_dot_data(text)
    if not parsed or len(parsed) != 1:
        return False
    (dot,) = parsed
    nodes = {unquote(each.get_name()) for each in dot.get_nodes()}
    edges = sorted(tuple(sorted((unquote(e.get_source()), unquote(e.get_destination())))) for e in dot.get_edges())
    return nodes == set(graph) and edges == sorted(tuple(sorted(e[:2])) for e in graph.edges()) and dot.get_type() == ("digraph" if graph.is_directed() else "graph")


def mermaid_is(text, graph):
    head, *lines = text.splitlines()
    names, edges = {}, []
    for line in lines:
        if found := re.fullmatch(r'  (n\d+)\["((?:[^"#;<>\\]|#\d+;|<br>)*)"\]', line):
            names[found[1]] = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), found[2].replace("<br>", "\n"))
        elif found := re.fullmatch(r"  (n\d+) (-->|---) (n\d+)", line):
            edges.append((found[1], found[2], found[3]))
        else:
            return False
    arrow = "-->" if graph.is_directed() else "---"
    got = sorted(tuple(sorted((names[a], names[b]))) for a, _, b in edges)
    return head == "flowchart LR" and set(names.values()) == set(graph) and all(e[1] == arrow for e in edges) and got == sorted(tuple(sorted(e[:2])) for e in graph.edges())


# ---- what cannot be carried


def test_reserved(db):
    db.call("graphs.create", name="reserved", graph_type="open")
    put = lambda **members: db.call("nodes.put", graph="reserved", **members)
    put(key="a")
    put(key="b")
    for attribute, format in (("id", "node_link"), ("@metadata", "node_link"), ("@metadata", "graphology")):
        put(key="a", attributes={attribute: {"x": 1}})
        refused(f"reserved {attribute}", "CONSTRAINT", '"a"', lambda: db.export(graph="reserved", format=format))
    put(key="a", attributes={"x": "\x01"})
    refused("control", "CONSTRAINT", "XML", lambda: db.export(graph="reserved", format="graphml"))
    put(key="a")
    for attribute in ("source", "target", "@key"):
        db.call("edges.put", graph="reserved", source="a", target="b", attributes={attribute: "x"})
        refused(f"reserved {attribute}", "CONSTRAINT", "from", lambda: db.export(graph="reserved", format="node_link"))
    db.call("edges.put", graph="reserved", source="a", target="b", key="[\"a\",null,\"b\"]", attributes={"key": 1})
    check("key of a simple graph", json.loads(db.export(graph="reserved", format="node_link"))["edges"] == [{"key": 1, "source": "a", "target": "b"}])
    page = db.call("graphs.export", graph="reserved", format="ndjson", limit=1)
    put(key="c")
    refused("changed", "CONFLICT", "changed", lambda: db.call("graphs.export", graph="reserved", format="ndjson", limit=1, cursor=page["cursor"]))
    refused("multi into open", "CONSTRAINT", "multi", lambda: db.call("graphs.import", graph="reserved", format="node_link", text='{"nodes":[],"edges":[],"directed":true,"multigraph":true}'))
    refused("undirected into open", "CONSTRAINT", "undirected", lambda: db.call("graphs.import", graph="reserved", format="graphology", text='{"options":{"type":"undirected"},"nodes":[],"edges":[]}'))


def test_hostile(db):
    db.call("graphs.create", name="hostile", graph_type="open")
    before = db.export(graph="hostile", format="ndjson")

    def bad(code, text, words, format="node_link", **more):
        members = {"graph": "hostile", "format": format, "text": text, **more}
        refused(f"hostile {text[:60]!r}", code, words, lambda: db.call("graphs.import", **members))

    whole = '{"directed":true,"multigraph":false,"graph":{},"nodes":[{"id":1},{"id":"a","x":[1,{"y":"z\\""}]}],"edges":[{"source":1,"target":"a"}]}'
    for cut in range(len(whole)):
        try:
            db.call("graphs.import", graph="hostile", format="node_link", text=whole[:cut])
        except Refused as error:
            check("truncated", error.code in ("INVALID_JSON", "INVALID", "CONSTRAINT"), f"{whole[:cut]} {error}")
        else:
            check("truncated", False, whole[:cut])
    head = '{"directed":true,"multigraph":false,"nodes":'
    bad("LIMIT", head + "[" * 5000 + "]" * 5000 + "}", "deep")
    bad("LIMIT", head + '[{"id":1,"x":' + "[" * 600 + "]" * 600 + "}]}", "deep")
    bad("INVALID_JSON", head + "[],\"nodes\":[]}", "twice")
    bad("INVALID_JSON", head + '[{"id":1,"id":2}]}', "item 0")
    bad("INVALID_JSON", head + '[{"id":1}{"id":2}]}', "comma")
    bad("INVALID_JSON", head + '[{"id":1},]}', "missing")
    bad("INVALID_JSON", head + '[,{"id":1}]}', "missing")
    bad("INVALID_JSON", head + '[{"id":1]}]}', "comma")
    bad("INVALID_JSON", head + "[]} x", "after")
    bad("INVALID_JSON", head + '[{"id":"\\ud800"}]}', "item 0")
    bad("INVALID_JSON", head + '[{"id":"\x01"}]}', "item 0")
    bad("INVALID", head + "{}}", "array")
    bad("INVALID", head + "[1]}", "object")
    bad("INVALID", head + '[],"extra":1}', "extra")
    bad("INVALID", head + '[],"links":[],"edges":[]}', "links")
    bad("NOT_FOUND", head + '[{"id":1}],"edges":[{"source":1,"target":2}]}', "item 1")
    bad("INVALID", head + '[{"id":1}],"edges":[{"source":1}]}', "target")
    bad("INVALID_JSON", "", "object")
    bad("INVALID_JSON", "[]", "object")
    bad("INVALID", '{"nodes":[{"key":{}}],"options":{"type":"directed"}}', "text", "graphology")
    bad("INVALID", '{"nodes":[{"key":"a","attributes":null}],"options":{"type":"directed"}}', "attributes", "graphology")
    bad("INVALID", '{"nodes":[{"key":"a","x":1}],"options":{"type":"directed"}}', '"x"', "graphology")
    bad("INVALID", '{"options":{"type":"odd"}}', "options", "graphology")
    bad("INVALID", 'key\r\n"a"b\r\n', "quote", "csv", part="nodes")
    bad("INVALID", 'key\r\n"a', "quoted", "csv", part="nodes")
    bad("INVALID", "key,key\r\n", "twice", "csv", part="nodes")
    bad("INVALID", "name\r\n", "key", "csv", part="nodes")
    bad("INVALID", "key,x\r\na\r\n", "cells", "csv", part="nodes")
    bad("INVALID", 'key,attributes,x\r\na,"{""x"":1}",2\r\n', "twice", "csv", part="nodes")
    bad("INVALID", "", "header", "csv", part="nodes")
    bad("INVALID_JSON", '{"node":{"key":"a"}\n', "item 0", "ndjson")
    bad("INVALID", '{"node":{"key":1}}\n', "key", "ndjson")
    bad("INVALID", '{"node":{"key":"a"},"edge":{}}\n', "one member", "ndjson")
    bad("INVALID", '{"node":{"key":"a"}}\n{"graph":{}}\n', "item 1", "ndjson")
    check("hostile leaves nothing", db.export(graph="hostile", format="ndjson") == before)
    answer = db.call(
        "graphs.import", graph="hostile", format="ndjson", errors="skip",
        text='{"node":{"key":"a"}}\nnonsense\n\n{"node":{"key":""}}\n{"edge":{"source":"a","target":"b"}}\n{"edge":{"source":"a","target":"a"}}\n',
    )
    check("skip", (answer["nodes"], answer["edges"], answer["failed"], [i["index"] for i in answer["items"]]) == (1, 1, 3, [1, 2, 3]) or
          (answer["nodes"], answer["edges"], answer["failed"], sorted(i["index"] for i in answer["items"])) == (1, 1, 3, [1, 2, 3]), answer)


# ---- large files


def write_large(path, nodes, edges, padding):
    pad = "x" * padding
    with open(path, "w") as out:
        out.write('{"edges":[')
        for i in range(edges):
            out.write(("," if i else "") + json.dumps({"key": f"e{i}", "source": f"n{i % nodes}", "target": f"n{i * 7 % nodes}", "attributes": {"w": i}}))
        out.write('],"nodes":[')
        for i in range(nodes):
            out.write(("," if i else "") + json.dumps({"key": f"n{i}", "attributes": {"text": pad, "i": i}}))
        out.write('],"options":{"type":"directed","multi":true,"allowSelfLoops":true}}')


def test_large(folder, megabytes):
    path = folder / "large.json"
    nodes, edges = megabytes * 400, megabytes * 800
    write_large(path, nodes, edges, 2200)
    size = path.stat().st_size
    db = Agent(folder / "whole.db")
    began = time.monotonic()
    answer = db.call("graphs.import", graph="g", format="graphology", path=str(path), create=True)
    seconds = time.monotonic() - began
    memory = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{db.process.pid}/status").read_text())[1]) // 1024
    check("large", (answer["done"], answer["nodes"], answer["edges"], answer["bytes"]) == (True, nodes, edges, size), answer)
    check("large memory", memory < 400, f"{memory} MiB")
    wanted = db.export(graph="g", format="ndjson", limit=1000000)
    again = db.call("graphs.import", graph="g", format="graphology", path=str(path), resume=True)
    check("done stays done", again["done"] and again["nodes"] == nodes and db.export(graph="g", format="ndjson", limit=1000000) == wanted)
    db.close()
    print(f"{size / 1e6:.0f} MB in {seconds:.1f} s, {memory} MiB")

    # Killed again and again, with calls of a few batches and of all.
    chance = random.Random(SEED)
    target = folder / "killed.db"
    kills = 0
    for attempt in range(200):
        db = Agent(target)
        arguments = {"graph": "g", "format": "graphology", "path": str(path), "create": True, "resume": True, "batch": 500}
        if attempt % 2:
            arguments["max_batches"] = 3
        # Later ones live longer: on a busy machine the first end before their first batch does.
        wait = chance.random() * 0.12 * (1 + attempt / 10)
        killer = subprocess.Popen(["sh", "-c", f"sleep {wait:.3f}; kill -9 {db.process.pid}"])
        try:
            answer = db.call("graphs.import", **arguments)
        except (RuntimeError, BrokenPipeError):
            kills += 1
            answer = None
        killer.kill()
        killer.wait()
        db.kill()
        if answer and answer["done"]:
            break
    db = Agent(target)
    check("killed", kills > 0 and answer and answer["done"], f"{kills} {answer}")
    check("killed and resumed is the same", db.export(graph="g", format="ndjson", limit=1000000) == wanted, f"after {kills} kills")
    check("killed and resumed is well", db.call("db.doctor")["ok"])

    # Another file of the same name.
    db.call("graphs.import", graph="h", format="graphology", path=str(path), create=True, max_batches=1)
    with open(path, "r+b") as out:
        out.seek(20)
        out.write(b" ")
    refused("changed file", "CONFLICT", "changed", lambda: db.call("graphs.import", graph="h", format="graphology", path=str(path), resume=True))
    refused("no file", "NOT_FOUND", "nowhere", lambda: db.call("graphs.import", graph="h", format="graphology", path=str(folder / "nowhere")))
    refused("folder", "INVALID", "regular", lambda: db.call("graphs.import", graph="h", format="graphology", path=str(folder)))
    db.close()
    path.unlink()


# ---- OpenTelemetry


def test_otlp(db, folder):
    trace = "5B8EFFF798038103D269B633813FC60C"
    span = lambda n, parent=None, **more: {"traceId": trace, "spanId": f"{n:016X}", **({"parentSpanId": f"{parent:016X}"} if parent else {}), "name": f"op {n}",
                                           "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661500000000", "kind": 2, **more}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    one = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "lib"}, "spans": [span(2, 1), span(1), span(3, 2, status={"code": 2, "message": "bad"})]}]},
                             {"resource": resource, "scopeSpans": [{"spans": [span(4, 99, links=[{"traceId": trace, "spanId": f"{3:016x}"}])]}]}]}
    two = {"resourceSpans": [{"scopeSpans": [{"spans": [{k: v for k, v in span(5, 4).items() if k != "endTimeUnixNano"}]}]}]}
    path = folder / "traces.jsonl"
    path.write_text(json.dumps(one) + "\n" + json.dumps(two) + "\n")
    for batch in (1, 2, 10000):
        name = f"calls{batch}"
        answer = db.call("graphs.import", graph=name, format="otlp", path=str(path), create=True, batch=batch)
        check("otlp counts", (answer["done"], answer["nodes"], answer["edges"]) == (True, 5, 4), answer)
        arrays = db.call("graphs.arrays", graph=name)
        low = trace.lower()
        key = lambda n: f"{low}-{n:016x}"
        edges = {(arrays["keys"][s], arrays["edge_types"][t], arrays["keys"][e]) for s, t, e in zip(arrays["sources"], arrays["edge_type_of"], arrays["targets"])}
        check("otlp edges", edges == {(key(1), "Triggered", key(2)), (key(2), "Triggered", key(3)), (key(4), "Links", key(3)), (key(4), "Triggered", key(5))}, edges)
        call = db.call("nodes.get", graph=name, key=key(3))["attributes"]
        check("otlp call", call == {"request_id": key(3), "operation_id": "op 3", "namespace": "shop", "status": "error", "error": {"code": "ERROR", "message": "bad"},
                                    "parent_request_id": key(2), "requested_at": 1544712660000, "started_at": 1544712660000, "completed_at": 1544712661500,
                                    "trace_id": low, "span_id": f"{3:016x}"}, call)
        check("otlp parent elsewhere", db.call("nodes.get", graph=name, key=key(4))["attributes"]["parent_request_id"] == key(99))
        check("otlp running", db.call("nodes.get", graph=name, key=key(5))["attributes"]["status"] == "running")

    # Links that go round, members that nobody knows, documents without spans.
    link = lambda n: {"traceId": trace, "spanId": f"{n:016x}"}
    spans = [span(3, 2, links=[link(1), link(1), link(3)]), span(2, 1, links=[link(1), link(4)]), span(1, 0), span(4, 9, links=[link(2), {"traceId": "00ff", "spanId": "01"}])]
    path.write_text(json.dumps({}) + "\n" + json.dumps({"before": [{}], "resourceSpans": [{"extra": 1, "scopeSpans": [{"spans": spans}]}], "after": {"a": "]}"}}, indent=1) + '{"resourceSpans":[]}{"x":1}')
    for batch in (1, 2, 10000):
        for errors in ("refuse", "skip"):
            name = f"round{batch}{errors}"
            answer = db.call("graphs.import", graph=name, format="otlp", path=str(path), create=True, batch=batch, errors=errors)
            check("otlp round counts", (answer["done"], answer["nodes"], answer["edges"], answer["failed"], answer["items"]) == (True, 4, 3, 0, []), answer)
            edges = {(edge["source"], edge["type"], edge["target"]) for edge in db.call("edges.list", graph=name)["items"]}
            check("otlp round edges", edges == {(key(1), "Triggered", key(2)), (key(2), "Triggered", key(3)), (key(2), "Links", key(4))}, edges)
            check("otlp links are kept", len(db.call("nodes.get", graph=name, key=key(3))["metadata"]["otlp"]["links"]) == 3)
            check("otlp no parent", "parent_request_id" not in db.call("nodes.get", graph=name, key=key(1))["attributes"])
    for text, code in (('{"resourceSpans":[],"resourceSpans":[]}', "INVALID_JSON"), ('{"resourceSpans":[],}', "INVALID_JSON"), ('{"a":1', "INVALID_JSON"), ('{"a"}', "INVALID_JSON"), ('{1:2}', "INVALID_JSON"),
                       ('{"a":1,}', "INVALID_JSON"), ('{"a":1 "b":2}', "INVALID_JSON"), ('{"resourceSpans":{}}', "INVALID"), ('[]', "INVALID_JSON"), ('{"resourceSpans":[]}x', "INVALID_JSON")):
        refused(f"otlp {text}", code, "", lambda: db.call("graphs.import", graph="otlp", format="otlp", text=text, create=True))


def otlp_document(rng, count):
    """Traces as an SDK writes them: every kind of member and value, ids of all digits, several resources and scopes."""
    value = lambda v: {"boolValue": v} if isinstance(v, bool) else {"intValue": str(v)} if isinstance(v, int) else {"doubleValue": v} if isinstance(v, float) else {"stringValue": v}
    attribute = lambda k, v: {"key": k, "value": v if isinstance(v, dict) else value(v)}
    begin = 1_700_000_000_123_456_789
    spans, before = [], None
    for trace in range(count // 10):
        trace_id = f"{rng.getrandbits(128) | 1:032x}"
        ids = [f"{rng.getrandbits(64) | 1:016x}" for _ in range(10)]
        for n, span_id in enumerate(ids):
            span = {"traceId": trace_id, "spanId": span_id, **({"traceState": "vendor=1"} if n % 3 == 0 else {}), **({"parentSpanId": ids[(n - 1) // 2]} if n else {}), "flags": 257, "name": f"op {n} \u00e4\u20ac",
                    "kind": 1 + n % 5, "startTimeUnixNano": str(begin + n), "endTimeUnixNano": str(begin + n * 1_000_003),
                    "attributes": [attribute("http.route", "/a/{b}"), attribute("n", n), attribute("ratio", 0.25), attribute("yes", True), attribute("list", {"arrayValue": {"values": [value(1), value("x")]}}),
                                   attribute("map", {"kvlistValue": {"values": [attribute("in", "side")]}}), attribute("bytes", {"bytesValue": "AAEC"})],
                    "droppedAttributesCount": 2, "events": [{"timeUnixNano": str(begin + n), "name": "exception", "attributes": [attribute("exception.type", "E")]}],
                    "links": [{"traceId": before[0], "spanId": before[1], "traceState": "", "attributes": [attribute("why", "batch")], "flags": 1}] if n > 4 and before else [], "status": {"code": 2, "message": "bad"} if n == 7 else {}}
            spans.append((trace % 3, n % 2, span))
        before = (trace_id, ids[5])
    resources = []
    for r in range(3):
        scopes = [{"scope": {"name": f"lib{s}", "version": "1"}, "spans": [span for a, b, span in spans if (a, b) == (r, s)], "schemaUrl": "https://opentelemetry.io/schemas/1.30.0"} for s in range(2)]
        resources.append({"resource": {"attributes": [attribute("service.name", f"shop{r}"), attribute("host.name", "h")], "droppedAttributesCount": 1}, "scopeSpans": scopes,
                          **({"schemaUrl": "https://opentelemetry.io/schemas/1.31.0"} if r else {})})
    return {"resourceSpans": resources}


def otlp_spans(document):
    """Each span with its resource and scope, by ids."""
    return {(span["traceId"], span["spanId"]): (span, scope.get("scope"), scope.get("schemaUrl"), resource.get("resource"), resource.get("schemaUrl"))
            for resource in document["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]}


def content(db, graph):
    own = ("created_at", "updated_at", "row_id")
    rows = lambda kind: [{k: v for k, v in item.items() if k not in own} for item in db.call(f"{kind}.list", graph=graph, limit=10000)["items"]]
    order = lambda items: sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return order(rows("nodes")), order(rows("edges"))


def test_otlp_out(db, count):
    rng = random.Random(SEED)
    given = otlp_document(rng, count)
    db.call("graphs.import", graph="t1", format="otlp", text=json.dumps(given), create=True)
    first = db.export(graph="t1", format="otlp")
    spans = otlp_spans(json.loads(first))
    check("otlp out: no span changed", spans == otlp_spans(given) and len(spans) == count)
    db.call("graphs.import", graph="t2", format="otlp", text=first, create=True)
    check("otlp out: again identical", db.export(graph="t2", format="otlp") == first)
    a, b = content(db, "t1"), content(db, "t2")
    check("otlp out: the same graph", a == b, next((pair for kind in (0, 1) for pair in zip(a[kind], b[kind]) if pair[0] != pair[1]), (len(a[1]), len(b[1]))))
    for limit in (1, 7):
        check(f"otlp out: pages of {limit}", db.export(graph="t1", format="otlp", limit=limit) == first)
    check("otlp out: grouped", first.count('"resource":') < count / 2)

    # Calls of brant's own: with edges that a span has no member for.
    db.call("graphs.create", name="own", graph_type="call")
    call = lambda key, **more: {"key": key, "type": "Call", "attributes": {"operation_id": f"op.{key}", "status": "completed", **more}}
    db.call("nodes.put_many", graph="own", items=[call("a", request_id="a", namespace="n", input={"x": [1, None]}, output="\u20ac", requested_at=1000, started_at=1001, completed_at=1999),
                                                  call("b", parent_request_id="a", status="error", error={"code": "DENIED", "message": "no"}), call("c", parent_request_id="a", status="running"),
                                                  {**call("d", trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331"), "metadata": {"kept": True}}, call("e", parent_request_id="gone")])
    edge = lambda source, type, target, **more: {"source": source, "type": type, "target": target, **more}
    db.call("edges.put_many", graph="own", items=[edge("a", "Triggered", "b"), edge("a", "Triggered", "c"), edge("c", "Triggered", "d"), edge("b", "Triggered", "d"),
                                                  edge("b", "DependsOn", "c", attributes={"reason": "data"}, metadata={"m": 1}), edge("d", "Links", "e", attributes={"w": 1}), edge("a", "Triggered", "e", metadata={"m": 2})])
    first = db.export(graph="own", format="otlp")
    spans = {span["name"]: span for span, *_ in otlp_spans(json.loads(first)).values()}
    check("otlp own: one trace", spans["op.a"]["traceId"] == spans["op.b"]["traceId"] == spans["op.c"]["traceId"] and len(spans["op.a"]["traceId"]) == 32)
    check("otlp own: parents", spans["op.b"]["parentSpanId"] == spans["op.c"]["parentSpanId"] == spans["op.a"]["spanId"] and "parentSpanId" not in spans["op.a"])
    check("otlp own: ids", (spans["op.d"]["traceId"], spans["op.d"]["spanId"]) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"))
    check("otlp own: status", spans["op.b"]["status"] == {"code": 2, "message": "no"} and spans["op.a"]["status"] == {"code": 1} and spans["op.c"]["status"] == {})
    check("otlp own: times", (spans["op.a"]["startTimeUnixNano"], spans["op.a"]["endTimeUnixNano"]) == ("1001000000", "1999000000"))
    db.call("graphs.import", graph="own2", format="otlp", text=first, create=True)
    check("otlp own: the same graph", content(db, "own") == content(db, "own2"), content(db, "own2"))
    check("otlp own: again identical", db.export(graph="own2", format="otlp") == first)
    check("otlp own: pages", db.export(graph="own", format="otlp", limit=1) == first)

    # Trees of calls without ids: more of them, and of longer keys, than an export remembers; not in the order in which they began.
    keys = [f"{rng.getrandbits(64):016x}" + "k" * 600 for _ in range(6000)]
    parents = {key: keys[max(at - 1 - rng.randrange(3), at - at % 40)] for at, key in enumerate(keys) if at % 40}
    db.call("graphs.create", name="trees", graph_type="call")
    db.call("nodes.put_many", graph="trees", items=[call(key, requested_at=1) for key in keys])
    db.call("edges.put_many", graph="trees", items=[edge(parents[key], "Triggered", key) for key in keys if key in parents])
    first = db.export(graph="trees", format="otlp")
    spans = {span["name"].removeprefix("op."): span for span, *_ in otlp_spans(json.loads(first)).values()}
    check("otlp trees: ids", len({span["spanId"] for span in spans.values()}) == len(spans) == len(keys) and len({span["traceId"] for span in spans.values()}) == len(keys) / 40)
    check("otlp trees: parents", {key: span["parentSpanId"] for key, span in spans.items() if "parentSpanId" in span} == {key: spans[parent]["spanId"] for key, parent in parents.items()})
    check("otlp trees: one trace each", all(spans[key]["traceId"] == spans[parent]["traceId"] for key, parent in parents.items()))
    check("otlp trees: pages", db.export(graph="trees", format="otlp", limit=999) == first)

    # An edge that somebody drew between imported spans.
    keys = [node["key"] for node in db.call("nodes.list", graph="t1", limit=2)["items"]]
    try:
        db.call("edges.put", graph="t1", type="DependsOn", source=keys[1], target=keys[0], attributes={"reason": "seen"})
    except Refused:
        db.call("edges.put", graph="t1", type="DependsOn", source=keys[0], target=keys[1], attributes={"reason": "seen"})
    first = db.export(graph="t1", format="otlp")
    db.call("graphs.import", graph="t3", format="otlp", text=first, create=True)
    check("otlp drawn: the same edges", content(db, "t1")[1] == content(db, "t3")[1])
    check("otlp drawn: again identical", db.export(graph="t3", format="otlp") == first)

    db.call("graphs.create", name="none", graph_type="call")
    check("otlp: no spans", db.export(graph="none", format="otlp") == '{"resourceSpans":[]}')
    db.call("graphs.create", name="plain", graph_type="open")
    refused("otlp: no calls", "CONSTRAINT", "type call", lambda: db.export(graph="plain", format="otlp"))


def test_arrays(db):
    chance = random.Random(SEED)
    graph = nx.gnm_random_graph(50, 300, seed=SEED, directed=True)
    nx.set_edge_attributes(graph, {edge: chance.random() for edge in graph.edges()}, "cost")
    db.call("graphs.import", graph="arrays", format="node_link", text=json.dumps(node_link_data(graph, edges="edges")), create=True)
    arrays = db.call("graphs.arrays", graph="arrays", weight="attributes.cost", attributes=True)
    number = [int(key.removeprefix("json:")) for key in arrays["keys"]]
    edges = {(number[s], number[t]): w for s, t, w in zip(arrays["sources"], arrays["targets"], arrays["weights"])}
    check("arrays", edges == {(u, v): d["cost"] for u, v, d in graph.edges(data=True)})
    check("arrays order", list(zip(arrays["sources"], arrays["targets"])) == sorted(zip(arrays["sources"], arrays["targets"])))
    plain = db.call("graphs.arrays", graph="arrays")
    check("arrays from the snapshot", (plain["sources"], plain["targets"]) == (arrays["sources"], arrays["targets"]))
    refused("no weight", "CONSTRAINT", "no number", lambda: db.call("graphs.arrays", graph="arrays", weight="attributes.none"))


def test_memory(db):
    """The reference memory server's lines, through a graph and back: any texts, relations of names that are no entities, over pages."""
    chance = random.Random(SEED)
    names = ["Ada", "ü😀", 'x"y\\z', "line\nline", "json:1", "@type", *(f"entity {i}" for i in range(40))]
    entities = [{"type": "entity", "name": name, "entityType": chance.choice(TEXTS).replace("\0", ""), "observations": [chance.choice(NAMES) + str(i) for i in range(chance.randrange(4))]} for name in names]
    ends = {(chance.choice([*names, "Ghost", "Nobody"]), chance.choice(names), chance.choice(["knows", "ü", ""])) for _ in range(80)}
    relations = [{"type": "relation", "from": source, "to": target, "relationType": kind} for source, target, kind in sorted(ends)]
    lines = entities + relations
    chance.shuffle(lines)
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    answer = db.call("graphs.import", graph="memories", format="memory", text=text, create=True)
    check("memory imported", answer["edges"] == len(relations) and answer["failed"] == 0, answer)
    for limit in (1, 7, 10000):
        back = db.export(graph="memories", format="memory", limit=limit)
        check(f"memory by {limit}", sorted(map(canonical_line, back.splitlines())) == sorted(map(canonical_line, text.split("\n"))), back)
    for name, wrong in (("no name", '{"type":"entity","entityType":"t","observations":[]}'), ("observations", '{"type":"entity","name":"a","entityType":"t","observations":[1]}'), ("no JSON", '{"type":'), ("no object", "[]")):
        refused(f"memory: {name}", "INVALID_JSON" if name == "no JSON" else "INVALID", "", lambda wrong=wrong: db.call("graphs.import", graph="bad", format="memory", text=wrong, create=True))


def canonical_line(line):
    return json.dumps(json.loads(line), sort_keys=True)


def main():
    count = int(os.environ.get("BRANT_EXCHANGE_GRAPHS", "120"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        db = Agent(folder / "graphs.db")
        for test, *arguments in ((test_networkx, count), (test_missing,), (test_graphology, count), (test_drawings, 24), (test_reserved,), (test_hostile,), (test_otlp, folder), (test_otlp_out, 300), (test_memory,), (test_arrays,)):
            try:
                test(db, *arguments)
            except (Refused, RuntimeError) as error:
                check(test.__name__, False, f"{type(error).__name__} {error}")
        check("doctor", db.call("db.doctor")["ok"])
        db.close()
        test_large(folder, int(os.environ.get("BRANT_EXCHANGE_MEGABYTES", "20")))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
