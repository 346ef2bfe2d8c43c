"""brant mcp by the protocol's own client of Python: tools, resources, progress, the memory profile."""

import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

COMMAND = os.environ["BRANT_MCP_COMMAND"]
passed = failed = 0


def check(what, fine, seen=None):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {str(seen)[:600]}")


def member(value, *names):
    """Of an answer whose members are called by one of these names, as versions of the SDK differ."""
    return next((getattr(value, name) for name in names if hasattr(value, name)), None)


async def default_profile(path):
    server = StdioServerParameters(command=COMMAND, args=["mcp", path, "--write"])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        hello = await session.initialize()
        check("who it is", member(hello, "serverInfo", "server_info").name == "brant", hello)
        tools = {tool.name for tool in (await session.list_tools()).tools}
        check("tools", {"nodes_put", "nodes_list", "operations_call"} <= tools, tools)
        made = await session.call_tool("graphs_create", {"name": "g", "graph_type": "open"})
        check("a graph", not member(made, "isError", "is_error"), made)
        for i in range(3):
            await session.call_tool("nodes_put", {"graph": "g", "key": f"n{i}", "attributes": {"i": i}})
        listed = await session.call_tool("nodes_list", {"graph": "g", "limit": 2})
        content = member(listed, "structuredContent", "structured_content")
        check("structured", [item["key"] for item in content["items"]] == ["n0", "n1"] and content["cursor"], content)
        check("and as text", json.loads(listed.content[0].text) == content)
        missing = await session.call_tool("nodes_get", {"graph": "g", "key": "none"})
        check("a failure", member(missing, "isError", "is_error") and missing.content[0].text.startswith("NOT_FOUND"), missing)
        resources = {str(one.uri) for one in (await session.list_resources()).resources}
        check("resources", "brant://graphs/g" in resources, resources)
        await session.send_ping()


async def without_handshake(path):
    """The revision 2026-07-28, and what mode="auto" finds by itself."""
    server = StdioServerParameters(command=COMMAND, args=["mcp", path])
    for mode in ("auto", "2026-07-28", "legacy"):
        async with Client(server, mode=mode) as client:
            wanted = "2025-11-25" if mode == "legacy" else "2026-07-28"
            check(f"{mode}: version", client.protocol_version == wanted, client.protocol_version)
            if mode != wanted:  # a client that is told the version asks nobody
                check(f"{mode}: who it is", client.server_info is not None and client.server_info.name == "brant", client.server_info)
            got = await client.call_tool("nodes_get", {"graph": "g", "key": "n1"})
            check(f"{mode}: a call", got.structured_content["attributes"] == {"i": 1}, got)
            listed = await client.list_tools()
            check(f"{mode}: tools", any(tool.name == "nodes_list" for tool in listed.tools), listed)
            if wanted == "2026-07-28":
                async with client.listen(resource_subscriptions=["brant://graphs/g"]) as events:
                    call = json.dumps({"graph": "g", "key": f"from-{mode}"})
                    subprocess.run([COMMAND, "call", path, "nodes.put", call], check=True, stdout=subprocess.DEVNULL)
                    event = await asyncio.wait_for(anext(aiter(events)), 600)
                    check(f"{mode}: told of another process's write", "brant://graphs/g" in str(event), event)


async def memory_profile(path):
    server = StdioServerParameters(command=COMMAND, args=["mcp", path, "--create", "--profile", "memory"])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        await session.call_tool("create_entities", {"entities": [{"name": "Ada", "entityType": "person", "observations": ["likes tea"]}]})
        found = await session.call_tool("search_nodes", {"query": "tea"})
        content = member(found, "structuredContent", "structured_content")
        check("remembered", [one["name"] for one in content["entities"]] == ["Ada"], content)


async def main():
    print(f"   mcp {importlib.metadata.version('mcp')}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "a.db"))
        subprocess.run([COMMAND, "--create", "info", path], check=True, stdout=subprocess.DEVNULL)
        await default_profile(path)
        await without_handshake(path)
        await memory_profile(str(Path(folder, "m.db")))


asyncio.run(asyncio.wait_for(main(), 840))
print(f"{passed} passed, {failed} failed.")
sys.exit(failed > 0)
