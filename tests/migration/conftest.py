from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import former
import psycopg
import pytest
import redis
from servers import Servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    began = time.monotonic()
    running = Servers()
    try:
        with psycopg.connect(running.postgres) as connection:
            server = connection.execute("SHOW server_version").fetchone()
        client = redis.Redis.from_url(running.redis)
        info: Any = client.info("server")
        client.close()
        names = " ".join(f"{name} {version(name)}" for name in ("psycopg", "redis", "networkx", "kuzu", "real_ladybug"))
        print(f"\nPostgreSQL {server and server[0]}, Redis {info['redis_version']}, {names}; started in {time.monotonic() - began:.1f} s")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def made(servers: Servers) -> former.Former:
    return former.make(servers.postgres, servers.redis, 200)


def ring() -> dict[str, Any]:
    keys = [{"purpose": purpose, "version": 1, "key": base64.urlsafe_b64encode(bytes([65 + at]) * 32).decode().rstrip("=")} for at, purpose in enumerate(("audit", "pepper", "attribute"))]
    return {"keys": keys, "legacy": {"iterations": former.ITERATIONS, "keys": [{"version": number, "password": password} for number, password in former.PASSWORDS.items()]}}


@pytest.fixture(scope="session")
def ring_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ring") / "ring.json"
    path.write_text(json.dumps(ring()))
    return path
