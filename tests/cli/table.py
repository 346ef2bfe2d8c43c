#!/usr/bin/env python3
"""Holds the table of commands against the registry: table.py BRANT.

A row's operation, words, fixed members and columns must be there in the operation's schemas; what an operation requires must be an argument; names are in order and unique.
"""
import json
import re
import subprocess
import sys

brant = sys.argv[1]


def output(*arguments: str) -> list[dict]:
    lines = subprocess.run([brant, "--json", *arguments], capture_output=True, check=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


specs = {spec["name"]: spec for spec in output("ops")}
rows = output("table")
faults = []


def schema_of(spec: dict, schema: dict) -> dict:
    while "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        found = None
        for place in (spec, spec["input_schema"], spec["output_schema"]):
            found = found or place.get("$defs", {}).get(name)
        if found is None:
            return {}
        schema = found
    return schema


def item_schemas(spec: dict, schema: dict) -> list[dict]:
    """Of an answer: its items' schemas, or its own."""
    schema = schema_of(spec, schema)
    if "anyOf" in schema:
        return [found for part in schema["anyOf"] for found in item_schemas(spec, part)]
    items = schema.get("properties", {}).get("items")
    return [schema_of(spec, schema_of(spec, items)["items"])] if items else [schema]


def has(spec: dict, schema: dict, path: str) -> bool:
    for part in path.split("."):
        schema = schema_of(spec, schema)
        for choice in schema.get("anyOf", []):
            if schema_of(spec, choice).get("type") != "null":
                schema = schema_of(spec, choice)
        if part not in schema.get("properties", {}):
            return False
        schema = schema["properties"][part]
    return True


for row in rows:
    if "operation" not in row:
        continue
    spec = specs.get(row["operation"])
    if spec is None:
        faults.append(f"{row['name']}: no operation {row['operation']}")
        continue
    properties = spec["input_schema"].get("properties", {})
    words = [re.sub(r"[^a-z_]", "", word) for word in row.get("words", "").split()]
    fixed = list(json.loads(row.get("fixed", "{}")))
    for word in words + fixed + row.get("without", "").split():
        if word not in properties:
            faults.append(f"{row['name']}: {spec['name']} takes no {word}")
    for required in spec["input_schema"].get("required", []):
        if required not in words + fixed and not (row["name"] in ("export", "import", "graph draw") and required == "format"):
            faults.append(f"{row['name']}: {spec['name']} requires {required}, which is no argument")
    for column in row.get("columns", "").split():
        if not any(has(spec, schema, column) for schema in item_schemas(spec, spec["output_schema"])):
            faults.append(f"{row['name']}: {spec['name']} answers no {column}")

names = [row["name"] for row in rows]
single, grouped = [name for name in names if " " not in name], [name for name in names if " " in name]
if single != sorted(single) or grouped != sorted(grouped) or names != single + grouped or len(set(names)) != len(names):
    faults.append("the rows are not in order")
for fault in faults:
    print(fault)
print(f"{len(rows)} commands, {len(faults)} faults")
sys.exit(bool(faults))
