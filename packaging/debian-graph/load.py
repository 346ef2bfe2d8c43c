#!/usr/bin/env python3
"""Load the machine's Debian package index into a graph. Each batch is a commit, and wakes whoever listens."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from typing import Any, Iterable, Iterator

import brant
import index

BATCH = 20000


def batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


class Progress:
    """A bar on a terminal, a line at the end elsewhere."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.start = time.perf_counter()
        self.live = sys.stderr.isatty()

    def add(self, count: int) -> None:
        self.done += count
        if self.live or self.done == self.total:
            seconds = max(time.perf_counter() - self.start, 1e-9)
            filled = 30 * self.done // max(self.total, 1)
            end = "\n" if self.done == self.total else ""
            print(
                f"\r  {self.what:6} [{'#' * filled}{'.' * (30 - filled)}] {self.done:7,} of {self.total:,}  {self.done / seconds:9,.0f}/s",
                end=end,
                file=sys.stderr,
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--small", action="store_true", help="the small index of this example, also where there is a real one")
    arguments = parser.parse_args()

    start = time.perf_counter()
    found = index.read(arguments.small)
    read_seconds = time.perf_counter() - start
    print(f"  read {found.kind}: {len(found.packages):,} packages, {len(found.virtual):,} virtual names, {len(found.edges):,} relations in {read_seconds:.1f} s", file=sys.stderr)

    module = json.loads((index.HERE / "module.json").read_text())
    with brant.open(arguments.file) as db:
        start = time.perf_counter()
        db.graph_types.define(module)
        db.graphs.create("debian", "debian-packages")
        graph = db.graph("debian")
        progress = Progress("nodes", len(found.packages) + len(found.virtual))
        for batch in batches(found.nodes()):
            graph.nodes.put_many(batch)
            progress.add(len(batch))
        progress = Progress("edges", len(found.edges))
        for batch in batches(found.relations()):
            graph.edges.put_many(batch)
            progress.add(len(batch))
        seconds = time.perf_counter() - start
        facts = {"nodes": graph.nodes.count(), "edges": graph.edges.count(), "seconds": round(seconds, 2), "read_seconds": round(read_seconds, 2), "source": found.kind}
        db.notify("debian:loaded", facts)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
