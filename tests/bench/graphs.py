#!/usr/bin/env python3
"""The Debian package graph beside other graph libraries and databases, from Python: loading, walking, components, orders, paths.

Rivals in the same run: NetworkX, rustworkx and igraph hold the graph in memory, built before the clock starts (brant's first walk pays for its snapshot and
is shown apart); Kuzu and LadybugDB load the same rows by COPY from CSV files written before. Closures and orders are
asked for as lists of keys, which those that number nodes look up; components and paths are what each library answers. Every answer is compared, and a
difference fails the run. Medians.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import itertools
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "packaging" / "debian-graph")]

import brant  # noqa: E402
import igraph  # noqa: E402
import index  # noqa: E402
import networkx  # noqa: E402
import rustworkx  # noqa: E402

FOLLOWED = ["Depends", "PreDepends"]


def seconds(work: Callable[[], Any], runs: int = 9) -> tuple[float, Any]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), answer


class Table:
    """One line a task: brant first, then its rivals and how many times as long they took."""

    def show(self, task: str, ours: float, rivals: dict[str, float]) -> None:
        others = "  ".join(f"{name} {value * 1000:9.2f} ({value / ours:5.1f}x)" for name, value in rivals.items())
        print(f"{task:34} brant {ours * 1000:9.2f} ms   {others}", flush=True)


def read_both(parts: brant.Components) -> tuple[list[str], list[int]]:
    return parts.keys, parts.components


def read_ranks(ranks: brant.PageRank) -> tuple[list[str], list[float], int]:
    return ranks.keys, ranks.scores, ranks.iterations


def same(what: str, a: Any, b: Any) -> None:
    if a != b:
        sys.exit(f"{what}: the answers differ: {str(a)[:200]} and {str(b)[:200]}")


# ---- loading --------------------------------------------------------------------------------------------------------------


def load_brant(path: Path, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    with brant.open(path) as db:
        db.graph_types.define(json.loads((index.HERE / "module.json").read_text()))
        db.graphs.create("debian", "debian-packages")
        graph = db.graph("debian")
        with db.transaction():
            graph.nodes.put_many(nodes)
            graph.edges.put_many(edges)


def import_brant(path: Path, file: Path) -> None:
    with brant.open(path) as db:
        db.graph_types.define(json.loads((index.HERE / "module.json").read_text()))
        db.graphs.create("debian", "debian-packages")
        answer = db.call("graphs.import", {"graph": "debian", "format": "ndjson", "path": str(file)})
        if not answer["done"] or answer["failed"]:
            sys.exit(f"the import stopped: {answer}")


def measure_rival(name: str, folder: Path, types: list[str], runs: int) -> None:
    """In a process of its own, since Kuzu and LadybugDB do not load into one: seconds of the load and of the query, and its answer, as JSON."""
    module = importlib.import_module(name)

    def load() -> Any:
        for leftover in folder.glob("cypher*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        database = module.Database(str(folder / "cypher"))
        connection = module.Connection(database)
        connection.execute("CREATE NODE TABLE N(key STRING PRIMARY KEY, type STRING, attributes STRING)")
        connection.execute(f"COPY N FROM '{folder}/nodes.csv' (HEADER=false, PARALLEL=false)")
        for type_name in types:
            connection.execute(f"CREATE REL TABLE {type_name}(FROM N TO N, attributes STRING)")
            connection.execute(f"COPY {type_name} FROM '{folder}/{type_name}.csv' (HEADER=false, PARALLEL=false)")
        return database, connection

    loaded, (database, connection) = seconds(load, runs)
    query = "MATCH (a:N)-[:Depends]->(b:N)-[:Depends]->(c:N) RETURN count(*)"
    hops, answer = seconds(lambda: connection.execute(query).get_next()[0])
    print(json.dumps([loaded, hops, answer]))


def rival(name: str, folder: Path, types: list[str], runs: int) -> tuple[float, float, int]:
    program = [sys.executable, __file__, "--rival", name, str(folder), ",".join(types), "--runs", str(runs)]
    loaded, hops, answer = json.loads(subprocess.run(program, check=True, stdout=subprocess.PIPE).stdout)
    return loaded, hops, answer


def write_files(folder: Path, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], types: list[str]) -> None:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    with open(folder / "nodes.csv", "w", newline="") as file:
        csv.writer(file).writerows((node["key"], node["type"], encode(node.get("attributes", {}))) for node in nodes)
    for name in types:
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows((edge["source"], edge["target"], encode(edge["attributes"])) for edge in edges if edge["type"] == name)
    with open(folder / "all.ndjson", "w") as file:
        file.writelines(encode({"node": node}) + "\n" for node in nodes)
        file.writelines(encode({"edge": edge}) + "\n" for edge in edges)


# ---- main -----------------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of the loads")
    parser.add_argument("--rival", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rival:
        name, folder_name, type_names = arguments.rival
        return measure_rival(name, Path(folder_name), type_names.split(","), arguments.runs)
    found = index.read()
    nodes, edges = list(found.nodes()), list(found.relations())
    types = sorted({edge["type"] for edge in edges})
    table = Table()
    print(f"{platform.machine()}, Python {platform.python_version()}, brant {brant.version()}, NetworkX {networkx.__version__}, rustworkx {rustworkx.__version__}, igraph {igraph.__version__}")
    print(f"{len(nodes):,} nodes and {len(edges):,} edges from {found.kind}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, nodes, edges, types)
        counter = itertools.count()
        ours, _ = seconds(lambda: load_brant(folder / f"load{next(counter)}.db", nodes, edges), arguments.runs)
        streamed, _ = seconds(lambda: import_brant(folder / f"import{next(counter)}.db", folder / "all.ndjson"), arguments.runs)
        rivals, two_hops = {}, {}
        for module_name, label in (("kuzu", "Kuzu"), ("ladybug", "LadybugDB")):
            rivals[f"{label} COPY"], *two_hops[label] = rival(module_name, folder, types, arguments.runs)
        table.show("load, dicts in Python, validated", ours, rivals)
        table.show("load, a file of NDJSON, validated", streamed, rivals)

        db = brant.open(folder / "load0.db")
        graph = db.graph("debian")
        numbers = {node["key"]: i for i, node in enumerate(sorted(nodes, key=lambda node: node["key"].encode()))}
        keys = list(numbers)
        followed = [(edge["source"], edge["target"]) for edge in edges if edge["type"] in FOLLOWED]
        # One edge between two nodes at most, as in the others' simple graphs.
        pairs = list(dict.fromkeys((numbers[a], numbers[b]) for a, b in followed))

        nx_graph: Any = networkx.DiGraph()
        nx_graph.add_nodes_from(keys)
        nx_graph.add_edges_from((keys[a], keys[b]) for a, b in pairs)
        rx_graph: Any = rustworkx.PyDiGraph()
        rx_graph.add_nodes_from(range(len(keys)))
        rx_graph.add_edges_from_no_data(pairs)
        ig_graph: Any = igraph.Graph(n=len(keys), edges=pairs, directed=True)
        hub = "libc6" if "libc6" in numbers else "libbase"

        start = time.perf_counter()
        graph.nodes.closure(hub, direction="in", edge_types=FOLLOWED)
        print(f"first walk, which reads the graph into memory: {(time.perf_counter() - start) * 1000:.0f} ms")

        ours, reached = seconds(lambda: graph.nodes.closure(hub, direction="in", edge_types=FOLLOWED).keys)
        nx_time, ancestors = seconds(lambda: networkx.ancestors(nx_graph, hub), 3)
        rx_time, rx_ancestors = seconds(lambda: [keys[i] for i in rustworkx.ancestors(rx_graph, numbers[hub])])
        ig_time, ig_ancestors = seconds(lambda: [keys[i] for i in ig_graph.subcomponent(numbers[hub], mode="in")])
        same("closure", set(reached[1:]), set(ancestors))
        same("closure", len(reached), len(rx_ancestors) + 1)
        same("closure", len(reached), len(ig_ancestors))
        table.show(f"reverse closure of {hub}, {len(reached):,}", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        ours, (strong_keys, strong_numbers) = seconds(lambda: read_both(graph.components("strong", edge_types=FOLLOWED)))
        nx_time, nx_strong = seconds(lambda: list(networkx.strongly_connected_components(nx_graph)), 3)
        rx_time, rx_strong = seconds(lambda: rustworkx.strongly_connected_components(rx_graph))
        ig_time, ig_strong = seconds(lambda: list(ig_graph.connected_components(mode="strong")))
        groups: dict[int, set[str]] = {}
        for key, component in zip(strong_keys, strong_numbers):
            groups.setdefault(component, set()).add(key)
        same("components", {frozenset(group) for group in groups.values()}, {frozenset(group) for group in nx_strong})
        same("components", len(groups), len(rx_strong))
        same("components", len(groups), len(ig_strong))
        table.show(f"strong components, {len(groups):,}", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        ours, (_, weak_numbers) = seconds(lambda: read_both(graph.components("weak", edge_types=FOLLOWED)))
        nx_time, nx_weak = seconds(lambda: list(networkx.weakly_connected_components(nx_graph)), 3)
        rx_time, rx_weak = seconds(lambda: rustworkx.weakly_connected_components(rx_graph))
        ig_time, ig_weak = seconds(lambda: list(ig_graph.connected_components(mode="weak")))
        same("weak components", sorted(Counter(weak_numbers).values()), sorted(map(len, nx_weak)))
        same("weak components", sorted(Counter(weak_numbers).values()), sorted(map(len, rx_weak)))
        table.show(f"weak components, {len(nx_weak):,}", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        ends = [(key, hub) for key in reached[-200::10]]
        ours, found_paths = seconds(lambda: [graph.shortest_path(a, b, edge_types=FOLLOWED).length for a, b in ends])
        nx_time, nx_lengths = seconds(lambda: [len(networkx.shortest_path(nx_graph, a, b)) - 1 for a, b in ends], 3)
        rx_time, rx_lengths = seconds(lambda: [len(rustworkx.digraph_dijkstra_shortest_paths(rx_graph, numbers[a], numbers[b])[numbers[b]]) - 1 for a, b in ends], 3)
        ig_time, ig_lengths = seconds(lambda: [len(ig_graph.get_shortest_paths(numbers[a], to=numbers[b])[0]) - 1 for a, b in ends])
        same("shortest paths", found_paths, nx_lengths)
        same("shortest paths", found_paths, rx_lengths)
        same("shortest paths", found_paths, ig_lengths)
        table.show(f"{len(ends)} shortest paths, {max(found_paths)} hops at most", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        # Of one type, so that two nodes have one edge at most: NetworkX's graph would merge those of several.
        alone = list(dict.fromkeys((numbers[edge["source"]], numbers[edge["target"]]) for edge in edges if edge["type"] == "Depends"))
        nx_depends: Any = networkx.DiGraph()
        nx_depends.add_nodes_from(keys)
        nx_depends.add_edges_from((keys[a], keys[b]) for a, b in alone)
        rx_depends: Any = rustworkx.PyDiGraph()
        rx_depends.add_nodes_from(range(len(keys)))
        rx_depends.add_edges_from_no_data(alone)
        ig_depends: Any = igraph.Graph(n=len(keys), edges=alone, directed=True)
        ours, (rank_keys, rank_scores, iterations) = seconds(lambda: read_ranks(graph.pagerank(edge_types=["Depends"], tolerance=1e-10)), 3)
        nx_time, nx_ranks = seconds(lambda: networkx.pagerank(nx_depends, tol=1e-10), 3)
        rx_time, _ = seconds(lambda: rustworkx.pagerank(rx_depends, tol=1e-10), 3)
        ig_time, _ = seconds(lambda: ig_depends.pagerank(), 3)
        scores = dict(zip(rank_keys, rank_scores))
        if len(scores) != len(nx_ranks) or max(abs(scores[key] - nx_ranks[key]) for key in scores) > 1e-5:
            sys.exit("pagerank: the answers differ")
        table.show(f"PageRank, {iterations} iterations", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        # Edges from the smaller key to the larger: a graph without cycles.
        forward = sorted({(min(a, b), max(a, b)) for a, b in pairs if a != b})
        db.graphs.create("forward", "open")
        with db.transaction():
            db.graph("forward").nodes.put_many({"key": key} for key in keys)
            db.graph("forward").edges.put_many({"source": keys[a], "target": keys[b]} for a, b in forward)
        nx_dag: Any = networkx.DiGraph()
        nx_dag.add_nodes_from(keys)
        nx_dag.add_edges_from((keys[a], keys[b]) for a, b in forward)
        rx_dag: Any = rustworkx.PyDiGraph()
        rx_dag.add_nodes_from(range(len(keys)))
        rx_dag.add_edges_from_no_data(forward)
        ig_dag: Any = igraph.Graph(n=len(keys), edges=forward, directed=True)
        ours, order = seconds(lambda: db.graph("forward").topological_order().keys)
        nx_time, _ = seconds(lambda: list(networkx.topological_sort(nx_dag)), 3)
        rx_time, _ = seconds(lambda: [keys[i] for i in rustworkx.topological_sort(rx_dag)])
        ig_time, _ = seconds(lambda: [keys[i] for i in ig_dag.topological_sorting()])
        generations = [sorted(generation, key=str.encode) for generation in networkx.topological_generations(nx_dag)]
        same("topological order", order, [key for generation in generations for key in generation])
        table.show(f"topological order, {len(forward):,} edges", ours, {"NetworkX": nx_time, "rustworkx": rx_time, "igraph": ig_time})

        ours, walks = seconds(lambda: graph.count_walks(2, edge_types=["Depends"]))
        for label, (_, count) in two_hops.items():
            same(f"two hops, {label}", walks, count)
        table.show(f"two-hop paths, {walks:,}", ours, {label: time_ for label, (time_, _) in two_hops.items()})

        db.graphs.create("dense", "open")
        dense = [f"n{i:02}" for i in range(31)]
        db.graph("dense").nodes.put_many({"key": key} for key in dense)
        db.graph("dense").edges.put_many({"source": a, "target": b} for a in dense for b in dense if a != b)
        ours, eight = seconds(lambda: db.graph("dense").count_walks(8, sources=["n00"]))
        same("walks in a dense graph", eight, 30**8)
        print(f"31 dense nodes, walks of 8 hops from one: {eight:,} in {ours * 1000:.2f} ms")
        ours, some = seconds(lambda: db.graph("dense").paths("n00", "n30", max_depth=8, limit=1000))
        same("paths in a dense graph", (len(some.paths), some.truncated), (1000, True))
        print(f"31 dense nodes, the first 1,000 simple paths of up to 8 hops: {ours * 1000:.2f} ms")
        db.close()
        print(flush=True)
        subprocess.run(["node", str(ROOT / "tests" / "bench" / "graphs.mjs"), str(folder / "load0.db")], check=True)


if __name__ == "__main__":
    main()
