#!/usr/bin/env python3
"""Write a corpus to begin with: seeds.py TARGET FOLDER. It is made from the conformance scenarios and the built-in modules."""

import hashlib
import json
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATIONS = {
    "filter": "nodes.list", "filter_edges": "edges.list", "import": "graphs.import", "patch": "modules.patch", "diff": "modules.diff",
    "cast": "modules.cast", "define": "graph_types.define", "search": "nodes.search", "merge": "nodes.patch",
    "put_many": "nodes.put_many", "enqueue": "queues.enqueue_many", "configure": "queues.configure", "fail": "jobs.fail", "schedule": "schedules.set",
}
FORMATS = ["graphology", "node_link", "ndjson", "csv", "otlp", "memory"]
FILTERS = [
    {"attributes.status": {"$in": ["open", None]}, "$or": [{"key": {"$prefix": "a"}}, {"attributes.n": {"$gte": 1, "$lt": 1e10}}]},
    {"$not": {"attributes.list": {"$contains": "x"}}, "attributes/o/~0~1": True, "$and": [{"revision": 1}]},
    {"attributes.list.0": {"$exists": False}, "metadata.a": {"$ne": {"b": [1]}}, "type": None},
]


def calls():
    for path in sorted((ROOT / "tests" / "conformance" / "scenarios").glob("*.json")):
        for test in json.loads(path.read_text())["tests"]:
            for operation in test["operations"]:
                yield operation["name"], operation.get("arguments", {})


def entries_of(module):
    """Of a scenario's module, which may be wrong on purpose."""
    entries = module.get("$defs")
    return entries if isinstance(entries, dict) else {}


def frame(sql, flags, limit, runs):
    """A request of brant_sql_run (brant/store.h)."""
    def text(value):
        return struct.pack("<I", len(value.encode())) + value.encode()

    def value(one):
        if one is None:
            return b"\5"
        if isinstance(one, bytes):
            return struct.pack("<BI", 4, len(one)) + one
        return b"\3" + text(one) if isinstance(one, str) else struct.pack("<Bd" if isinstance(one, float) else "<Bq", 2 if isinstance(one, float) else 1, one)

    def values(run):
        named = isinstance(run, dict)
        items = [text(name) + value(one) for name, one in run.items()] if named else [value(one) for one in run]
        return struct.pack("<II", len(run), named) + b"".join(items)

    return struct.pack("<II", flags, limit) + text(sql) + struct.pack("<I", len(runs)) + b"".join(values(run) for run in runs)


def texts(target):
    modules = [path.read_text() for path in sorted((ROOT / "core").glob("m*s/*.json"))]
    compact = [json.dumps(arguments, ensure_ascii=False) for _, arguments in calls()]
    found = [arguments["module"] for _, arguments in calls() if isinstance(arguments.get("module"), dict)]
    if target == "json":
        yield from compact
    elif target == "schema_compile":
        yield from modules
        for module in found:
            yield json.dumps(module)
            entries = entries_of(module)
            yield from (json.dumps({**entry, "$defs": entries} if isinstance(entry, dict) else entry) for entry in entries.values())
    elif target == "validate":
        values = [arguments["attributes"] for _, arguments in calls() if "attributes" in arguments]
        for module in found + [json.loads(text) for text in modules]:
            for entry in entries_of(module).values():
                for value in values[:: len(values) // 6 + 1]:
                    yield json.dumps([entry, value])
    elif target == "pattern":
        yield from ("^[a-z0-9_-]+$\0a-b", "^a{2,}x?$\0aax", "abc$\0xabc", "^(.*)$\0a\nb", r"^\d{4}-\d{2}$" + "\0" + "2024-01", "(a+)+$\0aaa!")
    elif target == "email":
        yield from ("Ada.Lovelace+notes@Mail.EXAMPLE", "a@B\u00fccher\u3002example", "a@xn--bcher-kva.example", "a@stra\u1e9ee.de", "a@\u05d0\u05d1.\u05d7\u05d5\u05dd",
                    "a@\u0915\u094d\u200d\u0937.example", "a@\uff21\uff22\uff0e\uff43", "a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com", "a@\uac01.kr", "a@u\u0308.de")
    elif target == "mcp":
        for name, arguments in calls():
            line = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name.replace(".", "_"), "arguments": arguments}}
            yield "\2" + json.dumps(line, ensure_ascii=False)
        entity = {"name": "a", "entityType": "t", "observations": ["x"]}
        tools = {"create_entities": {"entities": [entity]}, "create_relations": {"relations": [{"from": "a", "to": "b", "relationType": "r"}]}, "read_graph": {},
                 "search_nodes": {"query": "x"}, "open_nodes": {"names": ["a"]}, "delete_entities": {"entityNames": ["a"]}}
        lines = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}) for name, arguments in tools.items()]
        yield "\3" + "\n".join(lines)
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}, "io.modelcontextprotocol/logLevel": "debug",
                "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"}}
        listen = {"notifications": {"toolsListChanged": True, "resourcesListChanged": True, "resourceSubscriptions": ["brant://graphs/g", "memory://knowledge-graph"]}}
        steps = [(1, "server/discover", {}), ("s", "subscriptions/listen", listen), (2, "tools/call", {"name": "nodes_put", "arguments": {"graph": "g", "key": "a"}}),
                 (3, "resources/read", {"uri": "brant://graphs/none"}), (None, "notifications/cancelled", {"requestId": "s"}), (4, "tools/list", {})]
        requests = [{"jsonrpc": "2.0", **({} if id is None else {"id": id}), "method": method, "params": {**params, "_meta": meta}} for id, method, params in steps]
        for kind in "\0\1\2\3":
            yield kind + "\n".join(json.dumps(one) for one in requests)
        yield from ("\0" + json.dumps(one) for one in requests)
        for method in ("ping", "tools/list", "resources/list", "resources/templates/list", "completion/complete", "logging/setLevel", "resources/read"):
            params = {"uri": "brant://graphs/g/nodes/%61", "level": "info", "ref": {"type": "ref/resource", "uri": "brant://graphs/{graph}"}, "argument": {"name": "graph", "value": ""}}
            yield "\2" + json.dumps({"jsonrpc": "2.0", "id": "a", "method": method, "params": params})
    elif target == "arguments":
        wheres = ("effort >= 3", "type=Task", "title ~ \"x\"", "a.b^=pre", "n != null", "attributes.n<1e3", "attributes/~1 == [1,{\"a\":2}]", " t = x y ", "updated_at>0")
        values = ("12", "-1.5e3", "true", "null", "500ms", "1.5h", "7d", "now", "+5m", "-1h", "2026-01-31", "2026-01-31T12:00:30Z", "2024-02-29 23:59", "{\"a\":1}", "text")
        yield from (b"\1" + text.encode() for text in wheres)
        yield from (bytes([128 + kind]) + text.encode() for text in values for kind in range(12))
        yield from (b"\xf0" + text.encode() for text in ("a=b\nc:=[1]", "{\"a\":1}", "a:=1\na=2", "x"))
    elif target == "sql_frame":
        one, named = [3, "x", b"\0", 0.5, None], {"a": 1, "b": "y"}
        statements = (("SELECT * FROM t", 0, 0, [[]]), ("SELECT ?, ?2, ?, ?, ?", 1, 0, [one]), ("SELECT :a, $b", 0, 5, [named]), ("INSERT INTO t VALUES (?, ?, ?)", 8, 0, [[7, "a", None], [8, "", b""]]),
                      ("SELECT 1; SELECT 2", 2, 0, [[]]), ("UPDATE t SET b = ? RETURNING *", 5, 2, [["z"]]), ("SELECT b, c FROM t", 1, 1, [[]]), ("SELECT key, type FROM brant_node", 1, 9, [[]]))
        yield from (frame(*statement) for statement in statements)
        yield from (struct.pack("<IIq", flags, limit, cursor) for flags in (16, 20) for limit in (0, 2) for cursor in (1, 2))
    elif target == "envelope":
        yield from (json.dumps(arguments["envelope"]) for name, arguments in calls() if name == "envelopes.open")
    elif target == "keyring":
        yield from (json.dumps(arguments["ring"]) for name, arguments in calls() if name == "keyring")
    elif target == "import":
        for name, arguments in calls():
            if name == "graphs.import" and isinstance(arguments.get("text"), str) and arguments.get("format") in FORMATS:
                yield chr(FORMATS.index(arguments["format"])) + arguments["text"]
    else:
        graph = {"graph": "g"}
        for name, arguments in calls():
            if name == OPERATIONS[target]:
                own = graph if "graph" in arguments else {"id": 1, "token": 1} if name == "jobs.fail" else {}
                yield json.dumps({**arguments, **own}, ensure_ascii=False)
        if target.startswith("filter"):
            yield from (json.dumps({**graph, "filter": one}) for one in FILTERS)


def main():
    target, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    zones = Path("/usr/share/zoneinfo")
    files = [(zones / name).read_bytes() for name in ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca") if (zones / name).is_file()]
    for text in files if target == "zone" else texts(target):
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if len(data) <= 4096:
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main()
