#!/usr/bin/env python3
"""Compare what is said of each operation in different places: public headers, the table of functions, specs, scenarios, agents.

An operation that stands in one of them and not in another is a failure: so is one that no scenario calls successfully, or whose
documented errors are not codes.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "tests" / "conformance" / "scenarios"
UNIFORM = re.compile(r"^BRANT_API brant_status (brant_\w+)\(char \*\*out_json,\s*size_t \*out_json_len,\s*brant_db \*db,\s*const char \*json,\s*size_t json_len\);", re.M)
SCOPE = re.compile(r"[a-z0-9_.-]{1,64}:[a-z0-9_.-]{1,64}\Z")
CURSORS = re.compile(r"^BRANT_API brant_status (brant_\w+)\(brant_cursor \*\*out_cursor,\s*brant_db \*db,\s*const char \*json,\s*size_t json_len\);", re.M)


def names_called(scenario):
    """Registry names that a scenario expects to succeed."""
    for test in scenario["tests"]:
        for operation in test["operations"]:
            if "expect_error" in operation:
                continue
            yield operation["name"]
            for step in operation.get("arguments", {}).get("operations", []):
                yield step["name"]


def described(schema, definitions):
    """Its description, or that of the definition that it is."""
    if "$ref" in schema and "description" not in schema:
        return described(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    return schema.get("description", "").strip()


def main():
    checks = []

    def check(what, problems):
        checks.append((what, sorted(problems)))

    headers = "".join(path.read_text() for path in (ROOT / "core" / "include" / "brant").glob("*.h"))
    declared = set(UNIFORM.findall(headers)) | set(CURSORS.findall(headers))
    table = re.sub(r"\s*\\\n\s*", " ", (ROOT / "core" / "src" / "operation" / "table.h").read_text())
    functions = dict(re.findall(r'X\((brant_\w+), (?:brant__\w+, )?"([\w.]+)"', table))
    functions["brant_operation_list"] = "operations.list"
    specs, definitions = {}, {}
    for path in sorted((ROOT / "core" / "operations").glob("*.json")):
        document = json.loads(path.read_text())
        definitions[path.stem] = document.get("$defs", {})
        for spec in document["operations"]:
            specs[spec["name"]] = {**spec, "file": path.stem}
    codes = set(re.findall(r"X\(([A-Z_]+), \d+,", (ROOT / "core" / "include" / "brant" / "base.h").read_text()))
    called = {name for path in SCENARIOS.glob("*.json") for name in names_called(json.loads(path.read_text()))}

    check("every declared operation is in the table", declared - functions.keys())
    check("every function of the table is declared", functions.keys() - declared)
    check("every function has a spec", set(functions.values()) - specs.keys())
    check("every spec has a function", specs.keys() - set(functions.values()))
    check("every operation has a scenario in which it succeeds", specs.keys() - called)
    check("every header comment names its operation", {name for name in specs if not re.search(rf"(/\*|\*) {re.escape(name)} \{{", headers)})
    check("every spec stands in the file of its namespace", {n for n, s in specs.items() if s["namespace"] != s["file"] or not n.startswith(s["namespace"] + ".")})
    check("every documented error is a code", {f"{n}: {e}" for n, s in specs.items() for e in s["errors"] if e not in codes})
    check("every input refuses unknown members", {n for n, s in specs.items() if s["input_schema"].get("additionalProperties") is not False})
    check("every member of an input says what it is", {f"{n}: {m}" for n, s in specs.items() for m, schema in s["input_schema"].get("properties", {}).items() if not described(schema, definitions[s["file"]])})
    check("every operation asks for a scope", {n for n, s in specs.items() if not s["required_scopes"]})
    check("every required scope is one", {f"{n}: {q}" for n, s in specs.items() for q in s["required_scopes"] if not SCOPE.match(q)})
    check("files are read or written by a path", {n for n, s in specs.items() if "files" in s and (s["files"] not in ("read", "write") or "path" not in s["input_schema"]["properties"])})
    # A list goes on in one of two ways: `cursor`, opaque, is given again as it is; `next` is a value of the rows (an offset, an id, a name) that the caller may choose, too, and goes in as `after`, or where a row is the first `from`.
    turned = {n: (set(s["input_schema"]["properties"]), set(s["output_schema"].get("properties", {}))) for n, s in specs.items()}
    check("what answers a cursor takes it", {n for n, (given, answered) in turned.items() if "cursor" in answered and "cursor" not in given})
    check("what answers next takes it as after or from, and no cursor", {n for n, (given, answered) in turned.items() if "next" in answered and (not given & {"after", "from"} or "cursor" in given)})
    for agent in ("runner_c/*.c", "agents/python.py", "agents/node.mjs", "agents/go/*.go"):
        text = "".join(path.read_text() for path in (ROOT / "tests" / "conformance").glob(agent))
        check(f"{agent} knows every operation", {name for name in specs if name not in text and name.split(".")[1] not in text})
    shown = subprocess.run([sys.executable, ROOT / "packaging" / "readme", "--check"], stderr=subprocess.DEVNULL)
    check("README.md and docs/about show the example files as they are", ["run packaging/readme"] if shown.returncode else [])

    failed = 0
    for what, problems in checks:
        print(f"{'FAIL' if problems else 'ok  '} {what}" + (f": {', '.join(problems)}" if problems else ""))
        failed += bool(problems)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
