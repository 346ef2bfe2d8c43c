import json
import os
import sys
from pathlib import Path

import brant

path = sys.argv[1] if len(sys.argv) > 1 else "vault.db"
keys = Path(f"{path}.keys")  # brant stores no key: the application does, elsewhere if it can


def save(ring: list[brant.Key]) -> None:
    new = Path(f"{keys}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"keys": [key.reveal() for key in ring]}, file)
    new.replace(keys)


if not keys.exists():
    save([brant.generate_key()])

with brant.open(path) as db:
    if "secrets" not in (graph.name for graph in db.graphs):
        db.graphs.create("secrets", "secret")  # a graph type that is there: it encrypts the attribute "value"
    vault = db.graph("secrets")

    with db.keyring(keys.read_text()), db.transaction():
        vault.nodes.put("smtp", {"value": {"user": "ann", "password": "hunter2"}, "kind": "password"}, type="Secret")
        vault.nodes.put("mailer", {"kind": "service"}, type="Principal")
        vault.edges.put("mailer", "smtp", {"actions": ["read"]}, type="MayUse")
        secret = vault.nodes.open_secret("smtp", "attributes.value")
        print("opened:", secret, "which is for", secret.reveal()["user"])

    stored = vault.nodes.get("smtp").attributes["value"]  # no keys needed, and none shown
    print("stored:", ", ".join(stored))

    # A new key: the old one still opens, until everything is under the new one.
    old = [brant.Key(**entry) for entry in json.loads(keys.read_text())["keys"]]
    for key in old:
        key.state = "decrypt_only"
    new = brant.generate_key(version=1 + max(key.version for key in old))
    save([*old, new])
    with db.keyring(keys.read_text()):
        rotated = db.secrets.rotate(progress=lambda so_far: print("rotated:", so_far.rewrapped, "to do:", so_far.remaining))
    if rotated.done and not rotated.failed:
        save([new])

    try:
        vault.nodes.open_secret("smtp", "attributes.value")
    except brant.NotFound as refusal:
        print("refused:", refusal)
    with db.keyring(keys.read_text()):
        print("opened:", vault.nodes.open_secret("smtp", "attributes.value").key_version == new.version)
