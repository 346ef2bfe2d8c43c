"""The example files, which the README shows, run as they are and print what it says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import brant

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_planner(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, EXAMPLES / "planner.py", tmp_path / "planner.db"], check=True, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    assert lines[0] == "in order: ['wall', 'roof', 'paint']"
    assert lines[1] == "open and big: ['roof', 'wall']"
    assert sorted(lines[2].removeprefix("about walls: ")) == sorted("['wall', 'paint']")
    assert lines[3] == "why paint waits: paint <- roof <- wall"
    assert lines[4].startswith("refused: ") and "closes a cycle" in lines[4]
    assert lines[5].startswith("flowchart")


def test_vault(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "vault.py"), str(tmp_path / "vault.db")]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == [
            "opened: [secret] of 12 characters",
            "stored: $enc, alg, kv, n, c, ct",
            "without keys: NOT_FOUND",
            "rotated: 1 failed: 0",
            "under the new key: True",
        ]
    keys = tmp_path / "vault.db.keys"
    assert keys.stat().st_mode & 0o777 == 0o600
    assert [key["version"] for key in json.loads(keys.read_text())["keys"]] == [3]
    assert all(b"token-of-ann" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    keys.unlink()
    assert "is lost" in subprocess.run(command, capture_output=True, text=True).stderr and not keys.exists()


def test_mailer(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "mailer.py"), str(tmp_path / "mailer.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    wanted = {"welcome, ann@example.org\n", "welcome, bob@example.org\n", "reminding\n"}
    lines: list[str] = []
    while set(lines) != wanted:
        lines.append(process.stdout.readline())
        assert lines[-1] in wanted and (lines[-1] == "reminding\n" or lines.count(lines[-1]) == 1), lines
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "ConnectionError: try again" in err


def ring(folder: Path) -> Path:
    path = folder / "ring.json"
    path.write_text(json.dumps({"keys": [brant.generate_key(purpose).reveal() for purpose in ("audit", "pepper")]}))
    return path


def test_hub(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "hub.py"), str(tmp_path / "hub"), str(ring(tmp_path))]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == ['refused: the session lacks the scope "nodes:write"', "audit: True"]
    assert len(list((tmp_path / "hub").glob("tenant-*.db"))) == 1


def test_agents(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "agents.py"), str(tmp_path / "agents.db"), str(ring(tmp_path))]
    for _ in range(2):
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert run.stdout.splitlines() == [
            "reads launch",
            'refused: the session lacks the scope "nodes:write"',
            "because ann Grants graph:plans <- ann Delegates planner <- planner Delegates searcher",
            "afterwards: False",
            "audit: True",
        ]


connections: list[HTTPConnection] = []


def connection(address: str) -> HTTPConnection:
    connections.append(HTTPConnection(address.removeprefix("http://"), timeout=60))
    return connections[-1]


class Client:
    """One connection to the server, with a key."""

    def __init__(self, address: str, token: str | None) -> None:
        self._connection = connection(address)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def __call__(self, operation: str, body: Any = None, *, method: str = "POST", path: str = "/call/") -> tuple[int, Any]:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body or {})
        self._connection.request(method, path + operation, text, self._headers)
        response = self._connection.getresponse()
        assert (response.getheader("WWW-Authenticate") == "Bearer") == (response.status == 401)
        return response.status, json.loads(response.read())


def test_hub_server(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    command = [sys.executable, str(EXAMPLES / "hub_server.py"), str(folder)]
    acme, bolt = (
        subprocess.run([*command, "new", slug, f"ann@{slug}.example"], check=True, capture_output=True, text=True).stdout.strip()
        for slug in ("acme", "bolt")
    )
    keys = tmp_path / "hub.keys"
    assert keys.stat().st_mode & 0o777 == 0o600 and acme.startswith("brant_key_")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with brant.open_hub(folder) as hub:
            hub.keyring(keys.read_text())
            organization, other = hub.organizations.get(slug="acme"), hub.organizations.get(slug="bolt")
            reader = hub.api_keys.create("reader", ["nodes:read"], owner_id=organization.owner_id, org_id=organization.id)
            client = Client(address, acme)
            assert client("graphs.create", {"name": "g", "graph_type": "open"})[0] == 200
            assert client("graphs.create", {"name": "g", "graph_type": "open"})[0] == 409
            statuses: list[int] = []

            def put(number: int) -> None:
                mine = Client(address, acme)
                statuses.extend(mine("nodes.put", {"graph": "g", "key": f"{number}-{round}"})[0] for round in range(10))

            threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert statuses == [200] * 40 and client("nodes.count", {"graph": "g"}) == (200, {"count": 40})

            for wrong in (None, "x", acme[:-1] + "!"):
                assert Client(address, wrong)("nodes.count", {"graph": "g"})[0] == 401
            assert Client(address, bolt)("nodes.count", {"graph": "g"})[0] == 404  # in its own organization
            limited = Client(address, reader.token.reveal())
            assert limited("nodes.count", {"graph": "g"})[0] == 200
            status, answer = limited("nodes.put", {"graph": "g", "key": "x"})
            assert (status, answer["code"], answer["detail"]["scope"]) == (403, "DENIED", "nodes:write")
            hub.api_keys.revoke(reader.key.id)
            assert limited("nodes.count", {"graph": "g"})[0] == 401
            assert client("nodes.get", {"graph": "g", "key": "none"})[0] == 404 and client("nodes.fly")[0] == 404
            assert client("nodes.put", "{")[0] == 400 and client("nodes.put", {"graph": 7})[0] == 400
            assert client("x", path="/")[0] == 404 and client("nodes.count", method="PUT")[0] == 405
            assert client("db.backup", {"path": str(tmp_path / "stolen.db")})[0] == 403 and client("db.restore", {"path": str(folder)})[0] == 403
            large = connection(address)
            large.putrequest("POST", "/call/nodes.put")
            large.putheader("Content-Length", str(1 << 30))
            large.endheaders()
            assert large.getresponse().status == 413

            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0 and err == ""
            with hub.tenant(organization.id) as tenant, hub.tenant(other.id) as others:
                assert tenant.audit.verify() and others.audit.verify() and hub.audit.verify()
                assert len(tenant.audit.list(resource="operation:nodes.put", limit=1000)) == 43
                assert {row.actor_id for row in others.audit} == {other.owner_id}
    finally:
        process.kill()
        process.communicate()
        for one in connections:
            one.close()


def test_tasks() -> None:
    run = subprocess.run([sys.executable, EXAMPLES / "tasks.py"], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines() == ["one: text of a", "chain: 10", "chord: letters: 30", "later: delayed cancelled cancelled"]
