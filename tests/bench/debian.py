#!/usr/bin/env python3
"""Load this machine's Debian package index from Python, with validation, beside plain inserts of the same rows; then walk it.

The rival is Python's own sqlite3 in the same run: same tables and indexes, executemany in one transaction, keys resolved by a dict,
attributes as JSON text, no validation, same durability (WAL, synchronous=NORMAL). Medians of the runs; `processor` is this process's.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "packaging" / "debian-graph")]

import brant  # noqa: E402
import index  # noqa: E402


def measured(work: Callable[[], Any]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def load(path: Path, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    with brant.open(path) as db:
        db.graph_types.define(json.loads((index.HERE / "module.json").read_text()))
        db.graphs.create("debian", "debian-packages")
        graph = db.graph("debian")
        with db.transaction():
            graph.nodes.put_many(nodes)
            graph.edges.put_many(edges)


def insert(path: Path, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;" + (ROOT / "core" / "sql" / "0002_graph.sql").read_text()
    )
    now = int(time.time() * 1000)
    types = {name: i for i, name in enumerate(sorted({item["type"] for item in nodes + edges}))}
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    rows: dict[str, int] = {}
    for i, node in enumerate(nodes, 1):
        rows[node["key"]] = i
    db.executemany(
        "INSERT INTO nodes (row_id, graph, key, type, attributes, created_at, updated_at) VALUES (?, 1, ?, ?, ?, ?, ?)",
        ((rows[n["key"]], n["key"], types[n["type"]], encode(n.get("attributes", {})), now, now) for n in nodes),
    )
    db.executemany(
        "INSERT INTO edges (graph, type, source, target, attributes, created_at, updated_at) VALUES (1, ?, ?, ?, ?, ?, ?)",
        ((types[e["type"]], rows[e["source"]], rows[e["target"]], encode(e["attributes"]), now, now) for e in edges),
    )
    db.commit()
    db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    found = index.read()
    nodes, edges = list(found.nodes()), list(found.relations())
    print(f"{platform.machine()}, Python {platform.python_version()}, brant {brant.version()}, rival: sqlite3 {sqlite3.sqlite_version}")
    print(f"{len(nodes):,} nodes and {len(edges):,} edges from {found.kind}, {arguments.runs} runs")

    figures: dict[str, list[tuple[float, float]]] = {"brant, validated": [], "sqlite3, plain": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run in range(arguments.runs):
            figures["brant, validated"].append(measured(lambda: load(folder / f"brant{run}.db", nodes, edges)))
            figures["sqlite3, plain"].append(measured(lambda: insert(folder / f"plain{run}.db", nodes, edges)))
        for what, times in figures.items():
            wall, processor = (statistics.median(column) for column in zip(*times))
            print(f"load, {what:18} {wall:6.2f} s  processor {processor:6.2f} s  {(len(nodes) + len(edges)) / wall:10,.0f}/s")

        path = folder / f"brant{arguments.runs - 1}.db"
        with brant.open(path) as db:
            graph = db.graph("debian").nodes
            hub = "libc6" if graph.exists("libc6") else "libbase"
            ask = lambda: graph.closure(hub, direction="in", edge_types=["Depends", "PreDepends"]).keys  # noqa: E731
            cold = measured(ask)[0]
            warm = statistics.median(measured(ask)[0] for _ in range(21))
            print(f"reverse closure of {hub}: {len(ask()) - 1:,} packages, Python: cold {cold * 1000:.0f} ms, warm {warm * 1000:.1f} ms")
        script = """
            import { open } from './bindings/node/dist/index.mjs';
            const nodes = open(process.argv[1], { mode: 'ro' }).graph('debian').nodes, times = [];
            for (let i = 0; i < 21; i++) { const start = performance.now(); nodes.closure(process.argv[2], { direction: 'in', edgeTypes: ['Depends', 'PreDepends'] }).keys; times.push(performance.now() - start); }
            console.log(`reverse closure of ${process.argv[2]}, Node.js ${process.version}: cold ${times[0].toFixed(0)} ms, warm ${times.slice(1).sort((a, b) => a - b)[10].toFixed(1)} ms`);
        """
        subprocess.run(["node", "--input-type=module", "-e", script, str(path), hub], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
