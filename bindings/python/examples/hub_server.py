"""Organizations' graphs over HTTP: POST /call/<operation> with JSON, and an API key as the bearer token.

    hub_server.py FOLDER new SLUG EMAIL     make an organization and print a key of its owner, once
    hub_server.py FOLDER [PORT]             serve on 127.0.0.1, which a proxy with TLS stands before; 0, the default: any port
"""

import asyncio
import json
import os
import signal
import sys
from http import HTTPStatus
from pathlib import Path

import brant

STATUS = {
    "AUTH": 401, "DENIED": 403, "NOT_FOUND": 404, "EXISTS": 409, "CONFLICT": 409, "CONSTRAINT": 409, "STALE": 409, "LIMIT": 413, "INVALID": 400,
    "INVALID_JSON": 400, "VALIDATION": 422, "MISUSE": 400, "BUSY": 503, "CLOSED": 503,
}  # fmt: skip
HEAD, BODY = 16 << 10, 1 << 20  # bytes
IDLE, PATIENCE = 60, 10  # seconds until a request is there; for an answer to be taken, and for all at the end
OFFERED = {spec["name"] for spec in brant.operations() if spec["type"] != "subscription" and spec["namespace"] != "transaction"}


class BadRequest(Exception):
    """What is no request, or not one for us: its status and message."""


def call(hub: brant.Hub, token: str, operation: str, text: bytes) -> str:
    """Run an operation for whoever has the key, on the file of their organization. On a thread: it may wait."""
    with hub.authenticate(token) as caller:  # Auth; the caller's session judges each call by the key, the membership and the access graph
        if operation not in OFFERED or caller.organization is None:
            raise brant.NotFound(f'no operation "{operation}" here')
        # First what is asked, and only then is it done: nobody does what is not in the log. Callers need no right to write it.
        with hub.tenant(caller.organization.id) as tenant:
            tenant.audit.append(
                "server.called", resource=f"operation:{operation}", actor={"type": "api_key", "id": caller.account.id}, detail={"key": caller.key.id}
            )
        return caller.db.call_json(operation, text)


async def request(reader: asyncio.StreamReader) -> tuple[str, str, str, bytes, bool]:
    """Method, path, token, body, and whether another may follow."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequest(431, "the head is too long") from None
    try:
        method, path, version = head[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if line)}
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise BadRequest(400, "no request of HTTP/1.1") from None
    if version != "HTTP/1.1" or "transfer-encoding" in headers or length < 0:
        raise BadRequest(400, "a request of HTTP/1.1 with a Content-Length is wanted")
    if length > BODY:
        raise BadRequest(413, f"the body has more than {BODY} bytes")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    body = await reader.readexactly(length)
    return method, path, token.strip() if scheme.lower() == "bearer" else "", body, headers.get("connection", "").lower() != "close"


async def answer(hub: brant.Hub, method: str, path: str, token: str, body: bytes) -> tuple[int, str]:
    if not path.startswith("/call/"):
        return 404, json.dumps({"code": "NOT_FOUND", "message": "POST /call/<operation>"})
    if method != "POST":
        return 405, json.dumps({"code": "INVALID", "message": "POST /call/<operation>"})
    try:
        return 200, await asyncio.to_thread(call, hub, token, path.removeprefix("/call/"), body or b"{}")
    except brant.BrantError as error:
        status = STATUS.get(error.code, 500)
        if status == 500:  # what is ours to know, and not the caller's
            print(f"{path}: {error.code}: {error}", file=sys.stderr)
            return status, json.dumps({"code": "INTERNAL", "message": "the server failed"})
        return status, json.dumps({"code": error.code, "message": str(error), "detail": error.detail})


async def serve(hub: brant.Hub, port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    tasks: set[asyncio.Task[None] | None] = set()
    idle: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(task := asyncio.current_task())
        more = True
        try:
            while more:
                try:
                    idle.add(writer)
                    method, path, token, body, more = await asyncio.wait_for(request(reader), IDLE)
                    idle.discard(writer)
                    status, text = await answer(hub, method, path, token, body)
                except BadRequest as error:
                    (status, message), more = error.args, False
                    text = json.dumps({"code": "INVALID", "message": message})
                more = more and not stopping.is_set()
                extra = "WWW-Authenticate: Bearer\r\n" if status == 401 else ""
                head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(text.encode())}\r\n"
                writer.write(f"{head}{extra}Connection: {'keep-alive' if more else 'close'}\r\n\r\n{text}".encode())
                await asyncio.wait_for(writer.drain(), PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError):
            pass  # they went away, or said nothing
        finally:
            idle.discard(writer)
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=HEAD)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopping.wait()
    server.close()
    for writer in list(idle):
        writer.close()
    if running := [task for task in tasks if task is not None]:
        await asyncio.wait(running, timeout=PATIENCE)


def ring(path: Path) -> str:
    """The server's own keys, in a file beside the folder: of the audit logs, and the pepper of API keys."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"keys": [brant.generate_key("audit").reveal(), brant.generate_key("pepper").reveal()]}, file)
    except FileExistsError:
        pass
    return path.read_text()


def main(folder: str, *arguments: str) -> None:
    with brant.open_hub(folder, busy_timeout=30) as hub:
        hub.keyring(ring(Path(f"{folder}.keys")))
        if arguments[:1] == ("new",):
            owner = hub.accounts.create(arguments[2])
            organization = hub.organizations.create(arguments[1], arguments[1], owner_id=owner.id)
            print(hub.api_keys.create("first", ["*:*"], owner_id=owner.id, org_id=organization.id).token.reveal())
        else:
            asyncio.run(serve(hub, int(arguments[0]) if arguments else 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
