import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import brant


@dataclass
class Task:
    title: str
    effort: Annotated[int, {"minimum": 0}] = 1
    status: Literal["open", "done"] = "open"


@dataclass
class DependsOn:
    reason: str = ""


# Python's classes become a graph type: what is written is validated, cycles are refused.
module = brant.module("plan", nodes=[Task], edges=[brant.edge(DependsOn, source=Task, target=Task)], acyclic=True)

with brant.open(sys.argv[1] if len(sys.argv) > 1 else "planner.db") as db:
    db.graph_types.define(module)
    db.indexes.create("plan", node_type="Task", paths=["attributes.status"])
    db.indexes.create("plan", node_type="Task", paths=["attributes.title"], kind="text")
    if "house" not in (graph.name for graph in db.graphs):
        db.graphs.create("house", "plan")
    house = db.graph("house")
    with db.transaction():
        house.nodes.put("wall", Task("Build the outer walls", effort=20))
        house.nodes.put("roof", Task("Lay the roof", effort=10))
        house.nodes.put("paint", Task("Paint the walls", effort=5))
        house.edges.put("roof", "wall", DependsOn("it rests on them"))
        house.edges.put("paint", "roof", DependsOn("it keeps the rain out"))

    print("in order:", house.topological_order().keys[::-1])  # what the others need comes first
    print("open and big:", [task.key for task in house.nodes.iter(filter={"type": "Task", "attributes.status": "open", "attributes.effort": {"$gte": 10}})])
    print("about walls:", [hit.node.key for hit in house.nodes.search("wall*")])
    house.nodes.patch("wall", {"status": "done"})
    print("why paint waits:", " <- ".join(house.shortest_path("paint", "wall").keys))
    try:
        house.edges.put("wall", "paint", DependsOn())
    except brant.Constraint as refusal:
        print("refused:", refusal)
    print(house.export("mermaid"))
