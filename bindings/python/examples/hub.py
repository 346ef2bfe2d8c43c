import sys
from pathlib import Path

import brant

folder = sys.argv[1] if len(sys.argv) > 1 else "hub"
ring = Path(sys.argv[2] if len(sys.argv) > 2 else "ring.json").read_text()

with brant.open_hub(folder) as hub, hub.keyring(ring):
    if not hub.organizations.list().items:
        ann = hub.accounts.create("ann@example.org")
        hub.organizations.create("acme", "Acme", owner_id=ann.id)
    acme = hub.organizations.get(slug="acme")
    key = hub.api_keys.create("reader", ["graphs:*", "nodes:read"], owner_id=acme.owner_id, org_id=acme.id)

    with hub.authenticate(key.token) as caller:  # a request came with the token
        if not caller.db.graphs.list().items:
            caller.db.graphs.create("notes")
        try:
            caller.db.graph("notes").nodes.put("hello")
        except brant.Denied as refusal:
            print("refused:", refusal)

    with hub.tenant(acme.id) as db:  # the program itself may do everything
        db.graph("notes").nodes.put("hello")
    print("audit:", hub.audit.verify().ok)
