#!/usr/bin/env python3
"""Write a corpus to begin with: seeds.py TARGET FOLDER. It is made from the conformance scenarios and the built-in modules."""

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATIONS = {
    "filter": "nodes.list", "filter_edges": "edges.list", "import": "graphs.import", "patch": "modules.patch", "diff": "modules.diff",
    "cast": "modules.cast", "define": "graph_types.define", "search": "nodes.search", "merge": "nodes.patch",
    "put_many": "nodes.put_many", "enqueue": "queues.enqueue_many", "configure": "queues.configure", "fail": "jobs.fail", "schedule": "schedules.set",
}
FORMATS = ["graphology", "node_link", "ndjson", "csv", "otlp"]
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
