import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import brant


@dataclass
class Service:
    url: str
    token: Annotated[str, {"x-encrypted": True}]  # encrypted before it is stored: SQLite never sees it


path = sys.argv[1] if len(sys.argv) > 1 else "vault.db"
ring = Path(f"{path}.keys")  # brant stores no key: the application does, in a real one apart from the data


def save(keys: list[brant.Key]) -> None:
    new = Path(f"{ring}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"keys": [key.reveal() for key in keys]}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(ring)


with brant.open(path) as db:
    if "services" not in (graph.name for graph in db.graphs):
        with db.transaction():
            db.graph_types.define(brant.module("services", nodes=[Service]))
            db.graphs.create("services", "services")
    services = db.graph("services")

    if not ring.exists():
        if db.secrets.status().total:
            sys.exit(f"{ring} is lost, and with it what is encrypted: another key does not open it")
        save([brant.generate_key()])

    with db.keyring(ring.read_text()):
        services.nodes.put("forge", Service("https://forge.example", "token-of-ann"))
        token = services.nodes.open_secret("forge", "attributes.token")
        print("opened:", token, "of", len(token.reveal()), "characters")

    stored = services.nodes.get("forge").attributes["token"]  # the envelope: no keys are needed, and none shown
    print("stored:", ", ".join(stored))
    try:
        services.nodes.open_secret("forge", "attributes.token")
    except brant.NotFound as refusal:
        print("without keys:", refusal.code)

    # A new key. The old one opens what it sealed, until everything is under the new one; backups from before still need it.
    old = [brant.Key(**entry) for entry in json.loads(ring.read_text())["keys"]]
    for key in old:
        key.state = "decrypt_only"
    new = brant.generate_key(version=1 + max(key.version for key in old))
    save([*old, new])
    with db.keyring(ring.read_text()):
        rotated = db.secrets.rotate()  # batch by batch, while others read and write
        print("rotated:", rotated.rewrapped, "failed:", rotated.failed)
        print("under the new key:", [key.version for key in db.secrets.status().keys] == [new.version])
    if not rotated.failed:
        save([new])
