import sys
from datetime import datetime, timedelta
from pathlib import Path

import brant

path = sys.argv[1] if len(sys.argv) > 1 else "agents.db"
ring = Path(sys.argv[2] if len(sys.argv) > 2 else "ring.json").read_text()  # has a key of purpose "audit"

with brant.open(path) as db, db.keyring(ring):
    if "plans" not in (graph.name for graph in db.graphs):
        db.graphs.create("plans")
    db.graph("plans").nodes.put("launch")

    access = db.access
    access.put("ann", "Principal", {"kind": "account"})
    access.grant("ann", ["nodes:read", "nodes:write"], "graph:plans")
    # Ann's planner may do both until tonight, and pass on what it has once; its searcher only reads.
    tonight = datetime.now() + timedelta(hours=12)
    access.delegate("ann", "planner", ["nodes:read", "nodes:write"], expires_at=tonight, max_depth=1, may_redelegate=True)
    access.delegate("planner", "searcher", ["nodes:read"], expires_at=tonight)

    with db.session({"id": "searcher", "actor_type": "agent", "principal": "searcher"}) as mine:
        print("reads", mine.graph("plans").nodes.get("launch").key)
        try:
            mine.graph("plans").nodes.put("launch", {"at": "once"})
        except brant.Denied as refusal:
            print("refused:", refusal)
        found = access.explain("searcher", "nodes:read", "graph:plans")
        print("because", " <- ".join(f"{step.source} {step.kind} {step.target}" for step in reversed(found.path or [])))

        access.revoke("delegation", "ann", "planner")  # ends what the planner passed on, too
        print("afterwards:", access.check("searcher", "nodes:read", "graph:plans").allowed)
    print("audit:", db.audit.verify().ok)
